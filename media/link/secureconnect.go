// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/costream-obs/costream-obs/media/link/bwe"
	"github.com/costream-obs/costream-obs/media/link/dtlssrtp"
	"github.com/costream-obs/costream-obs/media/link/ice"
	"github.com/costream-obs/costream-obs/media/link/internal/wait"
)

const (
	// sessionLife is how long a session outlives the last answer of the peer. Its counters of packets must not lose step
	// meanwhile, so it also ends when the peer has missed more than maxUnacknowledged packets in a row of one stream,
	// whether they were sent or not (RFC 3711, 3.3.1: less than 2^15).
	sessionLife       = 10 * time.Second
	maxUnacknowledged = 1 << 14

	// connectPause keeps sessions that fail from following each other too closely.
	connectPause = 200 * time.Millisecond
)

var (
	errPeerRestarted = errors.New("the peer was started again")
	errPeerLeft      = errors.New("the peer said goodbye")
	errPeerSilent    = errors.New("the peer was silent for too long")
	errPeerBehind    = errors.New("the peer has missed too many packets in a row")
)

// connect keeps a session with the peer until ctx ends, and returns what ends the one that there is then.
func (s *Secure) connect(ctx context.Context) (hangUp func()) {
	for {
		offer, ok := s.agent.AwaitOffer(ctx)
		if !ok {
			return func() {}
		}
		began := time.Now()
		conn, err := s.begin(ctx, offer)
		if err == nil {
			s.log.Info("secure session with peer", "after", time.Since(began).Round(time.Millisecond))
			over := dtlssrtp.Drain(conn)
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
			s.agent.Forget(offer)
		default:
			s.agent.Renew()
			wait.Pause(ctx, connectPause)
		}
	}
}

// begin does a handshake, which ends early when the peer starts again meanwhile.
func (s *Secure) begin(ctx context.Context, o ice.Offer) (*dtls.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := dtlssrtp.NewPipe(s.sendDTLS)
	s.pipe.Store(p)
	type result struct {
		conn    *dtls.Conn
		session *dtlssrtp.Session
		err     error
	}
	done := make(chan result, 1)
	go func() {
		conn, session, err := dtlssrtp.Handshake(ctx, &s.dtls, p)
		done <- result{conn, session, err}
	}()
	for {
		select {
		case <-s.agent.Changed():
			if !s.agent.Stands(o) {
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
			p.Seal()
			s.feedback.Begin()
			s.rate.Begin()
			s.sent[Video].Forget()
			s.sent[Audio].Forget()
			s.pacer.SetRate(bwe.Total(s.rate.Rate()))
			s.tell(s.rate.Rate())
			s.tally.begin(r.session)
			s.session.Store(r.session)
			s.senders[Video].Joined()
			return r.conn, nil
		}
	}
}

// hold waits for the end of a session and returns the reason, or nil when ctx ends.
func (s *Secure) hold(ctx context.Context, o ice.Offer, over <-chan struct{}) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		// First of all, since begin may have taken the message of a change.
		switch {
		case !s.agent.Stands(o):
			return errPeerRestarted
		case s.agent.Silent() > sessionLife:
			return errPeerSilent
		case s.rate.Unacknowledged() > maxUnacknowledged:
			return errPeerBehind
		}
		select {
		case <-ctx.Done():
			return nil
		case <-over:
			return errPeerLeft
		case <-s.agent.Changed():
		case <-ticker.C:
		}
	}
}

// end ends a session, and tells the peer.
func (s *Secure) end(conn *dtls.Conn, over <-chan struct{}) {
	s.session.Store(nil)
	s.tally.end()
	_ = conn.Close() // tells the peer, if it listens
	<-over
	s.pipe.Store(nil)
}
