// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// told is what a link says of its peer.
type told struct {
	peer  link.Tally
	known bool
	at    time.Time
}

// ear takes what a link says of its peer.
type ear struct {
	mu  sync.Mutex
	all []told
}

func (e *ear) handler() link.Handler {
	return link.Handler{Tally: func(peer link.Tally, known bool) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all = append(e.all, told{peer, known, time.Now()})
	}}
}

// last is the newest; nothing is known before the first.
func (e *ear) last() told {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.all) == 0 {
		return told{}
	}
	return e.all[len(e.all)-1]
}

func (e *ear) list() []told {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

func (e *ear) await(t testing.TB, what string, want link.Tally, known bool) told {
	t.Helper()
	testbed.Await(t, what, patience, func() error {
		if got := e.last(); got.peer != want || got.known != known {
			return errNotYet
		}
		return nil
	})
	return e.last()
}

var (
	live  = link.Tally{OnAir: true}
	shows = link.Tally{OnAir: true, PeerShown: true}
)

// tellChanges has two sides tell each other changes over a network, and returns how long each took.
func tellChanges(t *testing.T, path relay.Path, changes int) (took []time.Duration) {
	t.Helper()
	network := stand(t, path)
	var ears [2]ear
	var sides [2]*side
	for i := range sides {
		sides[i] = network.start(t, i, ears[i].handler())
		sides[i].SetTally(live)
		sides[i].talk(t, uint32(i+1))
	}
	both(t, sides[0], sides[1], 1, 2)
	for i := range ears {
		ears[i].await(t, "the first word", live, true)
	}
	state := live
	for n := range changes {
		switch n % 3 {
		case 0:
			state.PeerShown = !state.PeerShown
		case 1:
			state.Muted = !state.Muted
		case 2:
			state.Away = !state.Away
		}
		began := time.Now()
		sides[n%2].SetTally(state)
		took = append(took, ears[1-n%2].await(t, "a change", state, true).at.Sub(began))
	}
	slices.Sort(took)
	t.Logf("one way %v: changes arrive after %v (median), %v at worst of %d", path.Delay,
		took[len(took)/2].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond), len(took))
	return took
}

// TestSecureTally tells changes over a bad network. Each arrives.
func TestSecureTally(t *testing.T) {
	noGoroutines(t)
	tellChanges(t, relay.Path{Delay: 10 * time.Millisecond, Loss: 0.2, Reorder: 0.1, Duplicate: 0.1}, 20)
}

// TestRealSecureTally measures how long that takes: the way, and 100 ms more at most.
func TestRealSecureTally(t *testing.T) {
	if testing.Short() {
		t.Skip("measures a time")
	}
	noGoroutines(t)
	for _, tt := range []struct {
		name string
		path relay.Path
	}{
		{"good", relay.Path{Delay: 10 * time.Millisecond}},
		{"lossy", relay.Path{Delay: 30 * time.Millisecond, Loss: 0.1, Reorder: 0.05, Duplicate: 0.05}},
		{"bursts", relay.Path{Delay: 30 * time.Millisecond, Loss: 0.03, Burst: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const changes = 40
			took := tellChanges(t, tt.path, changes)
			// A machine that has much else to do is late now and then.
			if usual := took[changes*9/10]; usual > tt.path.Delay+100*time.Millisecond {
				t.Errorf("nine in ten changes take up to %v, want 100 ms besides the way: %v", usual, took)
			}
		})
	}
}

// TestSecureTallyGoodbye: a side that ends is off air for the other at once, and one that dies is unknown once the session is
// over.
func TestSecureTallyGoodbye(t *testing.T) {
	noGoroutines(t)
	network := stand(t, relay.Path{Delay: 10 * time.Millisecond})
	var hears ear
	a := network.start(t, 0, hears.handler())
	a.SetTally(live)
	var said ear
	b := network.start(t, 1, said.handler())
	b.SetTally(shows)
	hears.await(t, "the peer's word", shows, true)
	said.await(t, "our word", live, true)
	began := time.Now()
	b.stop()
	at := hears.await(t, "goodbye", link.Tally{}, true).at
	t.Logf("off air %v after the link was ended", at.Sub(began).Round(time.Millisecond))
	if late := at.Sub(began); late > busyLimit {
		t.Errorf("off air %v after the link was ended, want at once", late)
	}

	// The next session begins with nothing known, and then with what is so now.
	before := len(hears.list())
	b = network.start(t, 1, link.Handler{})
	b.SetTally(live)
	hears.await(t, "the peer's word in the next session", live, true)
	if first := hears.list()[before]; first.known {
		t.Errorf("the session begins with %+v known", first.peer)
	}

	// A peer that goes away without a word is unknown when it has been silent for too long.
	for _, d := range []relay.Direction{relay.AToB, relay.BToA} {
		network.SetPath(d, relay.Path{Loss: 1})
	}
	if testing.Short() {
		return
	}
	testbed.Await(t, "nothing known of a silent peer", 3*patience, func() error {
		if got := hears.last(); got.known {
			return errNotYet
		}
		return nil
	})
}

// TestSecureTallyOfOlderPeer: a peer that tells nothing and answers nothing, as one of an older version does, gets picture and
// sound, and nothing is known of it.
func TestSecureTallyOfOlderPeer(t *testing.T) {
	noGoroutines(t)
	network := stand(t, relay.Path{})
	var hears, deaf ear
	a := network.start(t, 0, hears.handler())
	b := network.start(t, 1, deaf.handler()) // never calls SetTally
	a.SetTally(live)
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	a.SetTally(shows)
	before := b.Stats()
	testbed.Await(t, "reports, and words between them", patience, func() error {
		if s := a.Stats().Video; s.Send.LastReport.IsZero() || s.Receive.LastSenderReport.IsZero() {
			return errNotYet
		}
		return nil
	})
	a.drain()
	b.drain()
	both(t, a, b, 1, 2)
	if got := b.Stats().Video.Receive.Ignored; got != before.Video.Receive.Ignored {
		t.Errorf("the older peer refused %d datagrams", got-before.Video.Receive.Ignored)
	}
	if n := len(hears.list()); n > 1 || hears.last().known {
		t.Errorf("of a peer that says nothing is known: %+v", hears.list())
	}
	if deaf.last().known {
		t.Errorf("a side that tells nothing takes words: %+v", deaf.list())
	}

	// What it was told all the time reaches it as soon as it takes words.
	b.SetTally(live)
	deaf.await(t, "what is told to a peer that does not answer", shows, true)
	hears.await(t, "the first word of that peer", live, true)
}

// TestSecureTallyReplay repeats all that the peer has sent, after it has told something newer.
func TestSecureTallyReplay(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	at := netip.MustParseAddrPort(endpoint("127.0.0.1", testbed.FreeUDPPorts(t, 1)))
	var hears ear
	a := start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: int(at.Port()), Handler: hears.handler()})
	a.SetTally(live)
	router := newNAT(t, at)
	b := start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{router.address()}})
	b.SetTally(live)
	hears.await(t, "the first word", live, true)
	b.SetTally(shows)
	hears.await(t, "a change", shows, true)
	b.SetTally(live)
	hears.await(t, "the change back", live, true)
	words := router.seen(kindRTCP)
	if len(words) < 3 {
		t.Fatalf("%d RTCP packets passed, want three words at least", len(words))
	}
	known := len(hears.list())
	for _, w := range words {
		router.inject(w)
	}
	// What comes the same way afterwards comes after them.
	last := link.Tally{OnAir: true, Away: true}
	b.SetTally(last)
	hears.await(t, "a change after the repeated packets", last, true)
	if got := hears.list()[known:]; len(got) != 1 {
		t.Errorf("%d repeated packets changed what is known: %+v", len(words), got)
	}
}

// TestPlainTellsNothing: the link of 2020 has no words.
func TestPlainTellsNothing(t *testing.T) {
	if _, tells := any(&link.Plain{}).(link.Teller); tells {
		t.Error("a plain link tells the peer something that a 2020 peer does not know")
	}
}
