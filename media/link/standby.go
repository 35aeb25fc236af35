// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A Prober can measure the way to the peer.
type Prober interface {
	// Standby holds the port in place of Run, which is then not called: it answers the peer's probes and sends nothing
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
	return s.prober.probe(ctx, func() (known []netip.AddrPort) {
		s.pathMu.Lock()
		defer s.pathMu.Unlock()
		for _, p := range s.paths.all {
			known = append(known, p.addr)
		}
		return known
	})
}

// Standby implements Prober.
func (s *Secure) Standby(ctx context.Context) error {
	if err := s.startOnce(); err != nil {
		return err
	}
	keepWhole(s.conn)
	err := runAll(ctx, s.wake, []worker{tireless(s.probes.run), tireless(s.resolve), s.listen(s.takeStandby)})
	s.life.end()
	_ = s.conn.Close()
	return err
}

// takeStandby takes in probes. The peer's checks tell where it is, but are not answered: a peer on air would begin a
// handshake.
func (s *Secure) takeStandby(from netip.AddrPort, datagram []byte) {
	if k, ok := s.checker.decode(datagram); ok {
		if !k.response {
			s.prober.called(from)
		}
		return
	}
	s.prober.take(from, datagram)
}

// keepWhole asks the kernel not to split what it sends, nor to remember what did not fit, so that each probe tries the way
// itself. Where that is refused larger probes get through in pieces.
func keepWhole(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// A socket for both kinds of addresses has both options.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	})
}
