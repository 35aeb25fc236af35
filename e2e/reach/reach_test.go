// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// busy is what a machine that does other work may add to each time.
const busy = 15 * time.Second

// pair is two peers that look for each other.
type pair struct {
	*lab
	call           *call
	inviter, guest *pc
	configs        [2]peerConfig // inviter, guest
	a, b           *runningPeer  // inviter, guest; nil before they were started
}

// prepare makes the lab of a case, and starts no peer.
func (s setup) prepare(t *testing.T) *pair {
	t.Helper()
	p := &pair{lab: newLab(t), call: newCall(t)}
	p.inviter, p.guest = s.homes(p.lab)
	p.startDHT()
	relay := ""
	if s.inviterRelay || s.guestRelay {
		relay = p.startRelay()
	}
	p.configs = [2]peerConfig{
		{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap(), Peers: known(s.inviterPeer)},
		{Role: pairing.Guest, Auto: true, MeetNodes: bootstrap(), Peers: known(s.guestPeer)},
	}
	if s.inviterRelay {
		p.configs[0].Relay = relay
	}
	if s.guestRelay {
		p.configs[1].Relay = relay
	}
	return p
}

func (p *pair) startInviter() { p.a = p.call.start(p.inviter, p.configs[0]) }
func (p *pair) startGuest()   { p.b = p.call.start(p.guest, p.configs[1]) }

// connect starts those that do not run yet, and returns how long after both run each has the other one's picture.
func (p *pair) connect(t *testing.T, goal time.Duration) time.Duration {
	t.Helper()
	if p.a == nil {
		p.startInviter()
	}
	if p.b == nil {
		p.startGuest()
	}
	took, ok := firstPictures(p.a, p.b, goal+busy)
	if !ok {
		for _, peer := range []*runningPeer{p.a, p.b} {
			state := peer.report().State
			why, _ := state.Why()
			t.Logf("%+v\n%+v", state, why)
		}
		t.Fatalf("not connected within %v", goal+busy)
	}
	return took
}

// TestRealReach has each case of the table find its way.
func TestRealReach(t *testing.T) {
	needLab(t)
	for _, s := range setups() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.try(t)
		})
	}
}

// try runs a case once.
func (s setup) try(t *testing.T) result {
	t.Helper()
	p := s.prepare(t)
	if s.goal == 0 {
		return s.tryInVain(t, p)
	}
	took := p.connect(t, s.goal)
	var ways [2]reach.State
	for i, peer := range []*runningPeer{p.a, p.b} {
		ways[i] = peer.report().State
	}
	t.Logf("after %v: %s at the inviter's, %s at the guest's", took.Round(time.Millisecond), ways[0].WayText(), ways[1].WayText())
	if !slices.Contains(s.ways, ways[0].Way) {
		t.Errorf("got the way %q, want one of %q", ways[0].Way, s.ways)
	}
	return result{took: took, way: ways[0].WayText()}
}

// tryInVain has both look for each other in vain, until both know why.
func (s setup) tryInVain(t *testing.T, p *pair) result {
	t.Helper()
	p.startInviter()
	p.startGuest()
	for _, peer := range []*runningPeer{p.a, p.b} {
		testbed.Await(t, "an explanation", 20*time.Second, func() error {
			state := peer.report().State
			why, ok := state.Why()
			switch {
			case state.Way != "":
				return fmt.Errorf("connected %s", state.WayText())
			case !ok:
				return errors.New("nothing is said yet")
			case !strings.Contains(why.What, s.told):
				return fmt.Errorf("got %q and %q, want %q", why.What, why.Next, s.told)
			}
			return nil
		})
	}
	if _, connected := firstPictures(p.a, p.b, 0); connected {
		t.Error("connected, which is not to be expected")
	}
	return result{way: "never, and both are told"}
}

// result is what one try has shown.
type result struct {
	took time.Duration
	way  string
}
