// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// simulated is one side's paths in a network that a test decides on.
type simulated struct {
	*testing.T
	clock    *linktest.Clock
	paths    paths
	rtt      time.Duration
	answers  map[Way]bool // ways on which the peer answers, and whether its address there is one at a relay
	silent   map[Way]bool // ways on which it does not for now
	sent     map[Way]int
	on       map[Way]time.Duration // how long each was selected and answered
	count    byte
	inFlight []simulatedAnswer
}

type simulatedAnswer struct {
	at time.Time
	w  Way
	t  transaction
}

func newSimulated(t *testing.T) *simulated {
	return &simulated{
		T: t, clock: linktest.NewClock(), rtt: 20 * time.Millisecond, answers: map[Way]bool{}, silent: map[Way]bool{},
		sent: map[Way]int{}, on: map[Way]time.Duration{},
	}
}

// pass lets time pass, and returns for how long there was no way on which the peer answers.
func (s *simulated) pass(d time.Duration) (gap time.Duration) {
	const step = 5 * time.Millisecond
	clear(s.sent)
	clear(s.on)
	for range d / step {
		s.clock.Pass(step)
		now := s.clock.Now()
		s.inFlight = slices.DeleteFunc(s.inFlight, func(a simulatedAnswer) bool {
			if a.at.After(now) {
				return false
			}
			s.paths.answer(now, a.w, a.t, s.answers[a.w])
			return true
		})
		s.paths.expire(now)
		for {
			s.count++
			t := transaction{s.count, byte(len(s.inFlight))}
			w, _ := s.paths.next(now, t)
			if !w.Addr.IsValid() {
				break
			}
			s.sent[w]++
			if _, ok := s.answers[w]; ok && !s.silent[w] {
				s.inFlight = append(s.inFlight, simulatedAnswer{now.Add(s.rtt), w, t})
			}
		}
		to := s.paths.selected
		if _, ok := s.answers[way(to)]; ok && s.paths.alive(now) && !s.silent[to.way] {
			s.on[to.way] += step
		} else {
			gap += step
		}
	}
	return gap
}

func way(p *path) Way {
	if p == nil {
		return Way{}
	}
	return p.way
}

var (
	home      = Way{Addr: netip.MustParseAddrPort("192.0.2.1:5000")}
	atRelay   = Way{Addr: netip.MustParseAddrPort("198.51.100.7:49152")}
	byRelay   = Way{Addr: home.Addr, Relayed: true}
	farther   = Way{Addr: netip.MustParseAddrPort("192.0.2.1:6000")}
	allOfHome = []netip.AddrPort{home.Addr}
)

// TestRelayAfterEightSeconds: a relay, ours or the peer's, is neither checked nor used before nobody has answered for a
// while, and is left without a gap when somebody does.
func TestRelayAfterEightSeconds(t *testing.T) {
	for name, relay := range map[string]Way{"ours": byRelay, "the peer's": atRelay} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t)
			s.paths.relaying.available = relay.Relayed
			s.paths.configure(s.clock.Now(), append(allOfHome, atRelay.Addr))
			s.answers[relay] = !relay.Relayed
			if gap := s.pass(7900 * time.Millisecond); gap < 7900*time.Millisecond || s.sent[relay] > 2 {
				t.Errorf("within 7.9s: in use for %v, %d checks; want no use and hardly a check", s.on, s.sent[relay])
			}
			if gap := s.pass(time.Second); gap > 300*time.Millisecond || s.paths.selected.way != relay {
				t.Errorf("after that: nothing for %v, selected %v; want %v", gap, way(s.paths.selected), relay)
			}
			// The direct way is looked for meanwhile, and taken when it is steady.
			if s.pass(time.Minute); s.sent[home] < 100 || s.on[relay] < time.Minute {
				t.Errorf("in a minute: %d direct checks, in use %v; want some, and the relay all the time", s.sent[home], s.on)
			}
			s.answers[home] = false
			if gap := s.pass(3 * time.Second); gap > 0 || s.paths.selected.way != home || s.on[relay] < time.Second/2 {
				t.Errorf("a direct way is there: nothing for %v, in use %v; want no gap, and then the direct way", gap, s.on)
			}
			// It fails soon: the relay takes over at once.
			s.silent[home] = true
			if gap := s.pass(2 * time.Second); gap > 700*time.Millisecond || s.paths.selected.way != relay {
				t.Errorf("the direct way is gone again: nothing for %v, selected %v", gap, way(s.paths.selected))
			}
			s.silent[home] = false
			s.pass(relayLinger + 5*time.Second)
			if s.pass(time.Minute); s.sent[relay] > 0 || s.on[home] < time.Minute {
				t.Errorf("much later: %d checks of the relay, in use %v; want none, and the direct way alone", s.sent[relay], s.on)
			}
			// It fails after a long time: the relay waits for its turn, but the session lives on.
			s.silent[home] = true
			gap := s.pass(20 * time.Second)
			if gap < relayAfter*9/10 || gap > 9*time.Second || s.paths.selected.way != relay {
				t.Errorf("the direct way is lost: nothing for %v, selected %v; want about 8s, then the relay", gap, way(s.paths.selected))
			}
		})
	}
}

// TestRelayGivesDirectFirst: the side that has waited for hours gives a peer that starts now the time to answer directly.
func TestRelayGivesDirectFirst(t *testing.T) {
	s := newSimulated(t)
	s.paths.relaying.available = true
	s.paths.configure(s.clock.Now(), allOfHome)
	if s.pass(time.Hour); s.sent[byRelay] == 0 {
		t.Error("the relay was not tried in an hour")
	}
	s.paths.heard(s.clock.Now(), home)
	s.answers[byRelay] = false
	if s.pass(5 * time.Second); s.sent[byRelay] > 0 || s.paths.selected != nil {
		t.Errorf("the relay is in use at once: %d checks, selected %v", s.sent[byRelay], way(s.paths.selected))
	}
	if s.pass(4 * time.Second); way(s.paths.selected) != byRelay {
		t.Errorf("selected %v, want the relay after 8s", way(s.paths.selected))
	}
}

// TestWithoutRelay: where both answer directly, no relay is ever asked.
func TestWithoutRelay(t *testing.T) {
	s := newSimulated(t)
	s.paths.relaying.available = true
	s.paths.configure(s.clock.Now(), allOfHome)
	s.answers[home], s.answers[byRelay] = false, false
	if gap := s.pass(10 * time.Minute); gap > 100*time.Millisecond || s.sent[byRelay] > 0 {
		t.Errorf("nothing for %v, %d checks of the relay; want none", gap, s.sent[byRelay])
	}
}

// TestAnotherWay: when the way in use is lost, another one that answers takes its place within a second, even where many
// are silent.
func TestAnotherWay(t *testing.T) {
	s := newSimulated(t)
	candidates := []netip.AddrPort{home.Addr, farther.Addr}
	for n := range MaxCandidates + 10 {
		candidates = append(candidates, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), 5000), farther.Addr)
	}
	s.paths.configure(s.clock.Now(), candidates)
	if len(s.paths.all) != MaxCandidates {
		t.Errorf("got %d paths, want %d", len(s.paths.all), MaxCandidates)
	}
	s.answers[home] = false
	if gap := s.pass(time.Minute); gap > 300*time.Millisecond {
		t.Errorf("nothing for %v", gap)
	}
	sum := 0
	for _, n := range s.sent {
		sum += n
	}
	if limit := 60 * int(time.Second/checkSpacing+5); sum > limit {
		t.Errorf("%d checks in a minute, want %d at most", sum, limit)
	}
	// Another set changes nothing for the one in use, even where it lacks that.
	s.paths.configure(s.clock.Now(), candidates[1:])
	if gap := s.pass(20 * time.Second); gap > 0 || s.paths.selected.way != home {
		t.Errorf("another set: nothing for %v, selected %v", gap, way(s.paths.selected))
	}
	s.answers[farther] = false
	s.silent[home] = true
	if gap := s.pass(5 * time.Second); gap > 800*time.Millisecond || s.paths.selected.way != farther {
		t.Errorf("the way in use is lost: nothing for %v, selected %v", gap, way(s.paths.selected))
	}
}
