// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"slices"
	"time"
)

// localInterval is the time between two checks of the local networks, and localLife how long one may be answered.
const (
	localInterval = time.Second
	localLife     = 3 * time.Second
)

// local asks all machines of the local networks at once. Whoever is the peer answers, and asks back.
type local struct {
	addrs   []netip.AddrPort
	newest  time.Time
	pending []pendingCheck // oldest first
}

// due returns the addresses to ask now.
func (l *local) due(now time.Time) []netip.AddrPort {
	if len(l.addrs) == 0 || now.Sub(l.newest) < localInterval {
		return nil
	}
	l.newest = now
	l.pending = slices.DeleteFunc(l.pending, func(c pendingCheck) bool { return now.Sub(c.at) > localLife })
	return l.addrs
}

// next is when the next check will be due, or zero.
func (l *local) next() time.Time {
	if len(l.addrs) == 0 {
		return time.Time{}
	}
	return l.newest.Add(localInterval)
}

// begin notes a check as under way.
func (l *local) begin() transaction {
	c := pendingCheck{newTransaction(), l.newest}
	l.pending = append(l.pending, c)
	return c.transaction
}

// asked tells whether a check is under way.
func (l *local) asked(t transaction) bool {
	return slices.ContainsFunc(l.pending, func(c pendingCheck) bool { return c.transaction == t })
}
