// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
)

const (
	// sessionLife is how long a session outlives the last answer of the peer. Its counters of packets must not lose step
	// meanwhile, so it also ends when the peer has missed more than maxUnheard packets in a row of one stream, whether they
	// were sent or not (RFC 3711, 3.3.1: less than 2^15).
	sessionLife = 10 * time.Second
	maxUnheard  = 1 << 14

	// connectPause keeps sessions that fail from following each other too closely.
	connectPause = 200 * time.Millisecond
)

var (
	errPeerRestarted = errors.New("the peer was started again")
	errPeerLeft      = errors.New("the peer said goodbye")
	errPeerSilent    = errors.New("the peer was silent for too long")
	errPeerBehind    = errors.New("the peer has missed too many packets in a row")
)

// check sends the checks that are due until ctx ends.
func (s *Secure) check(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.lookNow:
		}
		timer.Reset(time.Until(s.checkDue()))
	}
}

// checkDue sends the checks that are due and returns when the next one will be.
func (s *Secure) checkDue() time.Time {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	now := time.Now()
	s.paths.expire(now)
	s.setTarget(now)
	for {
		var t transaction
		_, _ = rand.Read(t[:]) // never fails
		to, next := s.paths.next(now, t)
		if !to.IsValid() {
			return next
		}
		if b, err := s.checker.encode(check{transaction: t, from: s.own, knows: s.offered}, netip.AddrPort{}); err == nil {
			s.probes.send(to, b)
		}
	}
}

// connect keeps a session with the peer until ctx ends, and returns what ends the one that there is then.
func (s *Secure) connect(ctx context.Context) (hangUp func()) {
	for {
		offer, ok := s.awaitOffer(ctx)
		if !ok {
			return func() {}
		}
		began := time.Now()
		conn, err := s.begin(ctx, offer)
		if err == nil {
			s.log.Info("secure session with peer", "after", time.Since(began).Round(time.Millisecond))
			over := drain(conn)
			if err = s.hold(ctx, offer, over); err == nil {
				return func() { s.end(conn, over) }
			}
			s.end(conn, over)
		}
		s.pipe.Store(nil)
		if ctx.Err() != nil {
			return func() {}
		}
		s.log.Info("no secure session with peer", "reason", err)
		switch {
		case errors.Is(err, errPeerRestarted):
		case errors.Is(err, errPeerLeft):
			s.forget(offer)
		default:
			s.renew()
			pause(ctx, connectPause)
		}
	}
}

// offer is what the two sides make a session from.
type offer struct{ own, peer instance }

// awaitOffer returns when the peer is there and each side knows what the other offers.
func (s *Secure) awaitOffer(ctx context.Context) (offer, bool) {
	for {
		s.pathMu.Lock()
		o, ready := offer{s.own, s.offered}, s.offered != 0 && s.target.Load() != nil && (s.understood || !s.id.Caller)
		s.pathMu.Unlock()
		if ready {
			return o, true
		}
		select {
		case <-ctx.Done():
			return offer{}, false
		case <-s.news:
		}
	}
}

// stands tells whether the peer still offers the same.
func (s *Secure) stands(o offer) bool {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	return s.own == o.own && s.offered == o.peer
}

// renew takes our offer back and makes another one.
func (s *Secure) renew() {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	s.own, s.understood = newInstance(), false
}

// forget waits for another offer of the peer than the one that is over.
func (s *Secure) forget(o offer) {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if s.offered == o.peer {
		s.offered, s.understood = 0, false
	}
}

// begin does a handshake, which ends early when the peer starts again meanwhile.
func (s *Secure) begin(ctx context.Context, o offer) (*dtls.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newPipe(s.sendDTLS)
	s.pipe.Store(p)
	type result struct {
		conn    *dtls.Conn
		session *session
		err     error
	}
	done := make(chan result, 1)
	go func() {
		conn, session, err := startDTLS(ctx, &s.id, p)
		done <- result{conn, session, err}
	}()
	for {
		select {
		case <-s.news:
			if !s.stands(o) {
				cancel(errPeerRestarted)
			}
		case r := <-done:
			if r.err != nil {
				_ = p.Close()
				if cause := context.Cause(ctx); cause != nil {
					return nil, cause
				}
				return nil, r.err
			}
			p.seal()
			s.arrivals.begin()
			s.flow.begin()
			s.sent[Video].forget()
			s.sent[Audio].forget()
			s.pacer.setRate(whole(s.flow.rate()))
			s.tell(s.flow.rate())
			s.session.Store(r.session)
			s.senders[Video].joined()
			signal(s.news) // which may have been taken here for one of the handshake's
			return r.conn, nil
		}
	}
}

// hold waits for the end of a session and returns the reason, or nil when ctx ends.
func (s *Secure) hold(ctx context.Context, o offer, over <-chan struct{}) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return errPeerLeft
		case <-s.news:
		case <-ticker.C:
		}
		switch {
		case !s.stands(o):
			return errPeerRestarted
		case s.silent() > sessionLife:
			return errPeerSilent
		case s.flow.unheard() > maxUnheard:
			return errPeerBehind
		}
	}
}

// silent is how long the peer has not answered.
func (s *Secure) silent() time.Duration {
	s.pathMu.Lock()
	defer s.pathMu.Unlock()
	if s.paths.selected == nil {
		return 0
	}
	return time.Since(s.paths.selected.answered)
}

// end ends a session, and tells the peer.
func (s *Secure) end(conn *dtls.Conn, over <-chan struct{}) {
	s.session.Store(nil)
	_ = conn.Close() // tells the peer, if it listens
	<-over
	s.pipe.Store(nil)
}

// drain reads what nobody should send, so that alerts are seen. The channel is closed when the connection is over.
func drain(conn *dtls.Conn) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		buf := make([]byte, 1<<14)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	return over
}

// pause waits, but not beyond ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
