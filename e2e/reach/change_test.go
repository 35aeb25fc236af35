// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"errors"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// change is something that happens to the network in mid-call.
type change struct {
	name  string
	setup setup
	// do does it. The time that it takes itself, in which nothing can get through, does not count.
	do func(*pair)
	// way is the way that the call takes afterwards at the inviter's; empty: any.
	way reach.Way
	// goal is the longest time without a picture of the other one, at either side.
	goal time.Duration
}

// changes are the cases of the second table, in its order.
func changes() []change {
	all := []reach.Way{reach.WayDirect, reach.WayOwnRouter, reach.WayPeerRouter, reach.WayRelay}
	between := func(a, b habits) setup { return setup{homes: homes(a, b), goal: goalTogether, ways: all} }
	restart := func(p *pair) { p.inviter.home.restart() }
	move := func(p *pair) { p.inviter.home.move("203.0.112.77") }
	return []change{
		{
			name: "a router restarts, no opened port", setup: between(habits{}, habits{}),
			do: restart, goal: goalChange,
		},
		{
			name: "a router restarts that had opened the port, the other changes ports", setup: between(habits{opens: true}, habits{symmetric: true}),
			do: restart, goal: goalChange,
		},
		{
			name: "the inviter's address changes, the guest's router has opened a port", setup: between(habits{}, habits{opens: true}),
			do: move, goal: goalChange,
		},
		{
			name: "the inviter's address changes, neither router opens ports: both meet anew", setup: between(habits{}, habits{}),
			do: move, goal: goalChange,
		},
		{
			name: "IPv6 is gone, IPv4 still works", setup: between(habits{ipv6: true}, habits{ipv6: true}),
			do: func(p *pair) { p.inviter.home.cutIPv6() }, goal: goalChange,
		},
		{
			name: "IPv4 is gone, IPv6 still works", setup: between(habits{ipv6: true}, habits{ipv6: true}),
			do: func(p *pair) { p.inviter.home.cutIPv4() }, goal: goalChange,
		},
		{
			name: "the guest's router forwards the port while the relay is in use",
			setup: setup{
				homes:        homes(habits{symmetric: true}, habits{symmetric: true}),
				inviterRelay: true, inviterPeer: "203.0.112.12", goal: goalRelay, ways: []reach.Way{reach.WayRelay},
			},
			do: func(p *pair) { p.guest.home.forward() }, way: reach.WayDirect, goal: goalChange,
		},
	}
}

// settle is how long is listened after a change for gaps.
const settle = 8 * time.Second

// try runs a case once.
func (c change) try(t *testing.T) result {
	t.Helper()
	p := c.setup.prepare(t)
	p.connect(t, c.setup.goal)
	both := []*runningPeer{p.a, p.b}
	for _, peer := range both {
		testbed.Await(t, "a steady call", patience, func() error {
			time.Sleep(200 * time.Millisecond)
			if got := peer.report(); got.Gap > 100*time.Millisecond {
				return errors.New("pictures do not flow yet")
			}
			return nil
		})
	}
	before := p.a.report().State
	p.b.report()
	began := time.Now()
	c.do(p)
	outage := time.Since(began)
	testbed.Await(t, "the call's going on", settle+busy, func() error {
		time.Sleep(time.Second)
		for _, peer := range both {
			state := peer.recent()
			if state.Packets < 30 {
				return errors.New("pictures do not flow")
			}
			if c.way != "" && peer == p.a && state.State.Way != c.way {
				return errors.New("another way: " + state.State.WayText())
			}
		}
		if time.Since(began) < outage+settle {
			return errors.New("something may still come")
		}
		return nil
	})
	var gap time.Duration
	for _, peer := range both {
		gap = max(gap, peer.longest())
	}
	gap = max(0, gap-outage)
	after := p.a.report().State
	t.Logf("%s at %v, then %s at %v; the change took %v, nothing came for %v beyond that", before.WayText(), before.At, after.WayText(), after.At,
		outage.Round(time.Millisecond), gap.Round(time.Millisecond))
	return result{took: gap, way: wayText(after)}
}
