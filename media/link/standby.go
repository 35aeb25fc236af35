// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"

	"github.com/costream-obs/costream-obs/media/link/udp"
)

// A Prober can measure the way to the peer.
type Prober interface {
	// Standby holds the port instead of Run, which is then not called: it answers the peer's probes and sends nothing
	// else. It returns nil when ctx ends, or why the socket died before.
	Standby(ctx context.Context) error

	// Probe looks for the peer, measures the way there and back, and returns what it has found out: after about a second
	// where the peer answers, after five where nobody does, and when ctx ends. The peer answers on air, in Standby, and while
	// it probes itself. Run or Standby must be under way.
	Probe(ctx context.Context) ProbeReport
}

var _ Prober = &Secure{}

// Probe implements Prober. Where Run is under way media come first: the kernel may split probes that are larger than
// what fits on the way, so that ProbeReport.PacketSize says what gets there rather than what fits.
func (s *Secure) Probe(ctx context.Context) ProbeReport {
	return s.agent.Probe(ctx)
}

// Standby implements Prober.
func (s *Secure) Standby(ctx context.Context) error {
	if err := s.startOnce(); err != nil {
		return err
	}
	udp.KeepWhole(s.conn)
	err := runAll(ctx, s.wake, []worker{
		withoutError(s.checks.Run), withoutError(s.beside.Run), withoutError(s.resolve), withoutError(s.survey), s.listen(s.takeOffAir),
	})
	s.lifecycle.end()
	_ = s.conn.Close()
	return err
}
