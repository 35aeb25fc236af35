// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media/link/dtlssrtp"
	"github.com/costream-obs/costream-obs/media/link/internal/wait"
	"github.com/costream-obs/costream-obs/media/link/tally"
)

// A Teller tells the peer what this side does with picture and voice. A link that is none tells nothing.
type Teller interface {
	// SetTally has the peer told, at once and again until it answers, in each session. It never blocks. Before the first
	// call nothing is told, and what the peer tells is not taken.
	SetTally(Tally)
}

var _ Teller = &Secure{}

// farewells is how often the last word is sent, because it is not repeated later.
const farewells = 3

// tallies are what the two sides of a link tell each other.
type tallies struct {
	changed chan struct{}                   // has room for one
	tell    func(peer Tally, known bool)    // Handler.Tally; may be nil
	seal    func(*dtlssrtp.Session, []byte) // encrypts and sends a packet
	ssrc    uint32                          // of what is sent

	mu       sync.Mutex
	own      *Tally // nil: nothing is told
	session  *dtlssrtp.Session
	exchange *tally.Exchange // nil while there is no session, or nothing to tell
	packet   []byte
}

// SetTally implements Teller.
func (s *Secure) SetTally(own Tally) {
	t := &s.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own = &own
	if t.exchange != nil {
		t.exchange.Set(own)
	} else if t.session != nil {
		t.exchange = tally.NewExchange(own)
	}
	wait.Signal(t.changed)
}

// begin is for a new session, in which nothing is known of the peer yet.
func (t *tallies) begin(session *dtlssrtp.Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session = session
	if t.own == nil {
		return
	}
	t.exchange = tally.NewExchange(*t.own)
	wait.Signal(t.changed)
	t.told(Tally{}, false)
}

// end is for the end of a session. What is known then is that the peer is off air, where it has told that, or nothing.
func (t *tallies) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exchange != nil {
		if peer, known := t.exchange.Peer(); known && peer.OnAir {
			t.told(Tally{}, false)
		}
	}
	t.session, t.exchange = nil, nil
}

// take takes a word of the peer. Those of a session that is over count no more: their numbers mean nothing in this one.
func (t *tallies) take(session *dtlssrtp.Session, packet []byte) {
	w, ok := tally.Parse(packet)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exchange == nil || t.session != session {
		return
	}
	answer, send, news := t.exchange.Take(w)
	if send {
		t.send(answer)
	}
	if news {
		t.told(w.State, true)
	}
}

// told passes on what is known of the peer. The mutex is held, so that the last call is about the last change.
func (t *tallies) told(peer Tally, known bool) {
	if t.tell != nil {
		t.tell(peer, known)
	}
}

// send sends a word. The mutex is held.
func (t *tallies) send(w tally.Word) {
	t.packet = w.Append(t.packet[:0], t.ssrc)
	t.seal(t.session, t.packet)
}

// due sends what is due, and returns when to ask again.
func (t *tallies) due(now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exchange == nil {
		return 0
	}
	w, send, wait := t.exchange.Due(now)
	if send {
		t.send(w)
	}
	return wait
}

// run tells the peer until ctx ends.
func (t *tallies) run(ctx context.Context) {
	for {
		var again <-chan time.Time
		if wait := t.due(time.Now()); wait > 0 {
			again = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.changed:
		case <-again:
		}
	}
}

// farewell tells the peer that we are off air.
func (t *tallies) farewell() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.exchange == nil {
		return
	}
	last := t.exchange.Farewell()
	for range farewells {
		t.send(last)
	}
}
