// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"time"

	"github.com/costream-obs/costream-obs/internal/reach"
)

// setup is a case of two peers that look for each other from their homes.
type setup struct {
	name  string
	homes func(*lab) (inviter, guest *pc)

	// Of the configurations: who has the relay, and who is told where the other one is.
	inviterRelay, guestRelay bool
	inviterPeer, guestPeer   string

	// goal is within what time each must have the other one's picture, and median what half of the tries must keep to.
	// Without a goal they cannot reach each other.
	goal, median time.Duration
	// ways are those that the inviter may take.
	ways []reach.Way
	// told is a part of what both are told where they cannot reach each other.
	told string
}

// Goals of the issue that asked for this.
const (
	goalTogether  = 3 * time.Second
	goalMedian    = 2 * time.Second
	goalMapping   = time.Second
	goalRelay     = 10 * time.Second
	goalLater     = 3 * time.Second
	goalChange    = time.Second
	goalBytesRate = 100 // a second
)

// setups are the cases of the table, in its order.
func setups() []setup {
	direct, port := []reach.Way{reach.WayDirect}, []reach.Way{reach.WayDirect, reach.WayOwnRouter, reach.WayPeerRouter}
	relay := []reach.Way{reach.WayRelay}
	return []setup{
		{
			name: "two home routers that open no ports", homes: homes(habits{}, habits{}),
			goal: goalTogether, median: goalMedian, ways: direct,
		},
		{
			name: "one of the two opens ports", homes: homes(habits{opens: true}, habits{}),
			goal: goalTogether, median: goalMedian, ways: port,
		},
		{
			name: "one behind a provider's NAT (CGNAT)", homes: func(l *lab) (*pc, *pc) {
				return l.home("inviter", habits{behind: l.carrier()}).pc("inviter"), l.home("guest", habits{}).pc("guest")
			},
			goal: goalTogether, ways: direct,
		},
		{
			name: "IPv6 alone, firewalls on both sides", homes: homes(habits{ipv6: true, noIPv4: true}, habits{ipv6: true, noIPv4: true}),
			goal: goalTogether, ways: direct,
		},
		{
			name:  "IPv6, and IPv4 that changes ports for each connection, on both sides",
			homes: homes(habits{ipv6: true, symmetric: true}, habits{ipv6: true, symmetric: true}),
			goal:  goalTogether, ways: direct,
		},
		{
			name: "one opens ports, and has a firewall on the computer", homes: func(l *lab) (*pc, *pc) {
				inviter := l.home("inviter", habits{opens: true}).pc("inviter")
				inviter.guard()
				return inviter, l.home("guest", habits{}).pc("guest")
			},
			goal: goalTogether, ways: port,
		},
		{
			name: "one network, no hairpin", homes: oneLAN(habits{}),
			goal: goalTogether, ways: direct,
		},
		{
			name: "one network, a forwarded port with hairpin", homes: oneLAN(habits{forwards: true}),
			goal: goalTogether, ways: direct,
		},
		{
			name: "one network, firewalls on both computers", homes: func(l *lab) (*pc, *pc) {
				inviter, guest := oneLAN(habits{})(l)
				inviter.guard()
				guest.guard()
				return inviter, guest
			},
			goal: goalTogether, ways: direct,
		},
		{
			name: "one changes ports for each connection, the other opens ports", homes: homes(habits{symmetric: true}, habits{opens: true}),
			goal: goalTogether, ways: port,
		},
		{
			name: "one changes ports for each connection, the other has a relay", homes: homes(habits{symmetric: true}, habits{}), guestRelay: true,
			goal: goalRelay, ways: relay,
		},
		{
			name: "both change ports for each connection, one has a relay", homes: homes(habits{symmetric: true}, habits{symmetric: true}), inviterRelay: true,
			goal: goalRelay, ways: relay,
		},
		{
			name: "both change ports for each connection, no relay", homes: homes(habits{symmetric: true}, habits{symmetric: true}),
			told: "Both networks change ports for each connection",
		},
		{
			name: "one blocks UDP, and has a relay", homes: homes(habits{noUDP: true}, habits{}), inviterRelay: true,
			goal: goalRelay, ways: relay,
		},
	}
}
