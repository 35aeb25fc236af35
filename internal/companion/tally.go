// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"sync"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media/link"
)

// tally is what we tell the peer of ourselves, and what the peer tells us. It passes both on at once, because two people who
// are live go by it. Its methods may be called from any goroutine.
type tally struct {
	changed chan struct{}   // has room for one; gets each change that is to be reported; may be nil
	here    func(here bool) // gets whether the peer says that it is on air; may be nil

	// ours guards what follows. It must not be locked while theirs is: a link passes words on and takes them under a lock of
	// its own.
	ours sync.Mutex
	me   link.Tally       // PeerShown and Muted count on air only
	tell func(link.Tally) // of the call; nil off air

	theirs sync.Mutex
	peer   *link.Tally // nil while nothing is known
}

// begin is for a time on air, whose call has the peer told by tell.
func (t *tally) begin(tell func(link.Tally)) {
	t.ours.Lock()
	defer t.ours.Unlock()
	t.tell, t.me.OnAir = tell, true
	tell(t.said())
	t.report()
}

// offAir tells the peer that we go off air, while the call still lasts.
func (t *tally) offAir() { t.set(func(me *link.Tally) { me.OnAir = false }) }

// end is for the end of the call.
func (t *tally) end() {
	t.offAir()
	t.ours.Lock()
	t.tell, t.me.PeerShown, t.me.Muted = nil, false, false
	t.ours.Unlock()
	t.told(link.Tally{}, false)
}

func (t *tally) setShown(shown bool) { t.set(func(me *link.Tally) { me.PeerShown = shown }) }
func (t *tally) setMuted(muted bool) { t.set(func(me *link.Tally) { me.Muted = muted }) }
func (t *tally) setAway(away bool)   { t.set(func(me *link.Tally) { me.Away = away }) }

func (t *tally) set(change func(*link.Tally)) {
	t.ours.Lock()
	defer t.ours.Unlock()
	before := t.said()
	change(&t.me)
	after := t.said()
	if after == before {
		return
	}
	if t.tell != nil {
		t.tell(after)
	}
	t.report()
}

// said is what we say of ourselves; ours is locked. Off air nobody is shown, and nothing is muted.
func (t *tally) said() link.Tally {
	if !t.me.OnAir {
		return link.Tally{Away: t.me.Away}
	}
	return t.me
}

// told takes what the peer tells.
func (t *tally) told(peer link.Tally, known bool) {
	t.theirs.Lock()
	defer t.theirs.Unlock()
	t.peer = nil
	if known {
		t.peer = &peer
	}
	if t.here != nil {
		t.here(known && peer.OnAir)
	}
	t.report()
}

func (t *tally) report() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// current is what both say now.
func (t *tally) current() *control.Tally {
	t.ours.Lock()
	now := &control.Tally{Me: t.said()}
	t.ours.Unlock()
	t.theirs.Lock()
	defer t.theirs.Unlock()
	if t.peer != nil {
		peer := *t.peer
		now.Peer = &peer
	}
	return now
}

// reportTally reports each change of the tally until life ends. It waits for nothing that the session does: a round of that
// takes much longer than a change may.
func (c *Companion) reportTally(life context.Context) {
	for {
		select {
		case <-life.Done():
			return
		case <-c.tally.changed:
			c.reports.again()
		}
	}
}
