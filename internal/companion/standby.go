// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media/link"
)

// standby holds the port of a link that can be probed while we are off air, so that the peer can find out whether a call
// would work. All but prober is used by one goroutine at a time.
type standby struct {
	link  func(link.Handler) (link.Link, error) // nil for the plain link, which needs no standby
	parts *supervisor.Supervisor

	held   atomic.Pointer[link.Prober]
	cancel context.CancelFunc // nil while on air
	ended  chan struct{}
}

// start binds the port until life ends or stop is called.
func (s *standby) start(life context.Context) {
	if s.link == nil {
		return
	}
	ctx, cancel := context.WithCancel(life)
	s.cancel, s.ended = cancel, make(chan struct{})
	s.parts.KeepThen(ctx, problem.Link, s.hold, func() { close(s.ended) })
}

// stop frees the port.
func (s *standby) stop() {
	if s.cancel != nil {
		s.cancel()
		<-s.ended
		s.cancel = nil
	}
}

// hold answers the peer's probes until ctx ends. A link without probes needs nothing.
func (s *standby) hold(ctx context.Context, started func()) error {
	l, err := s.link(link.Handler{})
	if err != nil {
		return err
	}
	prober, ok := l.(link.Prober)
	if !ok {
		err := l.Close()
		started()
		<-ctx.Done()
		return err
	}
	started()
	s.held.Store(&prober)
	defer s.held.Store(nil)
	return prober.Standby(ctx)
}

var (
	errNoProbe = errors.New("it was started with the plain link, which cannot be probed; if you have paired since, stop it and start it again")
	errNoLink  = errors.New("its link is not up at this moment: try again in a few seconds")
)

// probe measures the path to the peer, on air or not.
func (c *Companion) probe(ctx context.Context) (link.ProbeReport, error) {
	if a := c.call.Load(); a != nil {
		l := a.Link()
		if l == nil {
			return link.ProbeReport{}, errNoLink
		}
		if p, ok := l.(link.Prober); ok {
			return p.Probe(ctx), nil
		}
		return link.ProbeReport{}, errNoProbe
	}
	if p := c.standby.held.Load(); p != nil {
		return (*p).Probe(ctx), nil
	}
	if c.o.Link == nil {
		return link.ProbeReport{}, errNoProbe
	}
	return link.ProbeReport{}, errNoLink
}
