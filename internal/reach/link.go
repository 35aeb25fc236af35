// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"

	"github.com/costream-obs/costream-obs/media/link"
)

// reachingLink is a link that looks for the peer while it runs.
type reachingLink struct {
	*link.Secure
	s *search
}

var (
	_ link.Link   = &reachingLink{}
	_ link.Prober = &reachingLink{}
	_ link.Teller = &reachingLink{}
)

// Run implements link.Link.
func (l *reachingLink) Run(ctx context.Context) error {
	l.s.goOnAir()
	return l.s.around(ctx, l.Secure.Run)
}

// Standby implements link.Prober.
func (l *reachingLink) Standby(ctx context.Context) error { return l.s.around(ctx, l.Secure.Standby) }

// Probe implements link.Prober. Off air, where the search for the peer begins with the probe, and where the peer was met only
// meanwhile, it is looked for once more.
func (l *reachingLink) Probe(ctx context.Context) link.ProbeReport {
	defer l.s.hold()()
	before := l.s.notes()
	report := l.Secure.Probe(ctx)
	if !report.Peer.IsValid() && ctx.Err() == nil && l.s.worthAnother(before) {
		report = l.Secure.Probe(ctx)
	}
	l.s.setProbed(link.Way{Addr: report.Peer, OwnRelay: report.Relayed})
	return report
}
