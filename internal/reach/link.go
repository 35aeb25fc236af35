// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"

	"github.com/costream-obs/costream-obs/media/link"
)

// reachingLink is a link that looks for the peer while it runs.
type reachingLink struct {
	*link.Secure
	m *Manager
}

var (
	_ link.Link   = &reachingLink{}
	_ link.Prober = &reachingLink{}
)

// Run implements link.Link.
func (l *reachingLink) Run(ctx context.Context) error { return l.around(ctx, true, l.Secure.Run) }

// Standby implements link.Prober.
func (l *reachingLink) Standby(ctx context.Context) error {
	return l.around(ctx, false, l.Secure.Standby)
}

// around searches for the peer while the link does its work.
func (l *reachingLink) around(ctx context.Context, onAir bool, work func(context.Context) error) error {
	s := newSearch(l.m, l.Secure, onAir)
	l.m.setCurrent(s)
	defer l.m.setCurrent(nil)
	return s.around(ctx, work)
}

// Probe implements link.Prober. Where the peer was met only while it was looked for, it is looked for once more.
func (l *reachingLink) Probe(ctx context.Context) link.ProbeReport {
	s := l.m.current()
	if s == nil {
		return l.Secure.Probe(ctx)
	}
	defer s.hold()()
	before := s.notes()
	report := l.Secure.Probe(ctx)
	if !report.Peer.IsValid() && s.notes() != before && ctx.Err() == nil {
		report = l.Secure.Probe(ctx)
	}
	s.setProbed(report.Peer)
	return report
}
