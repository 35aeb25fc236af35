// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"net/netip"
	"time"
)

// Outer is our own address as nodes see it.
type Outer struct {
	// Addr is invalid until several nodes agree. While Symmetric is set, its port is the newest of many.
	Addr netip.AddrPort
	// Symmetric means that nodes see us with different ports: the network uses a new port for each connection.
	Symmetric bool
}

const (
	maxViews = 16
	viewLife = 10 * time.Minute
)

// view is where one node saw us.
type view struct {
	by  netip.Addr
	saw netip.AddrPort
	at  time.Time
}

// views are of one family, the newest last, one for each address that a node has.
type views struct {
	all   []view
	outer Outer
}

// add takes what a node saw, and tells whether Outer changed.
func (v *views) add(n view) bool {
	kept := v.all[:0]
	for _, old := range v.all {
		if old.by != n.by && n.at.Sub(old.at) < viewLife {
			kept = append(kept, old)
		}
	}
	if len(kept) == maxViews {
		kept = kept[:copy(kept, kept[1:])]
	}
	v.all = append(kept, n)
	before := v.outer
	if outer, clear := v.judge(); clear {
		v.outer = outer
	}
	return v.outer != before && !(before.Symmetric && v.outer.Symmetric && v.outer.Addr.Addr() == before.Addr.Addr())
}

// judge lets the newest views decide, so that an address that has changed is believed soon. A single node never decides.
// Where the nodes disagree, nothing is clear.
func (v *views) judge() (outer Outer, clear bool) {
	const counted = 8
	newest := v.all[max(0, len(v.all)-counted):]
	addrs := make(map[netip.Addr]int)
	for _, n := range newest {
		addrs[n.saw.Addr()]++
	}
	var addr netip.Addr
	for a, n := range addrs {
		if n >= 2 && 2*n > len(newest) {
			addr = a
		}
	}
	if !addr.IsValid() {
		return Outer{}, false
	}
	ports := make(map[uint16]int)
	var last netip.AddrPort
	for _, n := range newest {
		if n.saw.Addr() == addr {
			ports[n.saw.Port()]++
			last = n.saw
		}
	}
	total, most, port := addrs[addr], 0, uint16(0)
	for p, n := range ports {
		if n > most {
			most, port = n, p
		}
	}
	switch {
	case 2*most > total && most >= 2:
		return Outer{Addr: netip.AddrPortFrom(addr, port)}, true
	case total >= 3 && 3*most <= total:
		return Outer{Addr: last, Symmetric: true}, true
	}
	return Outer{}, false
}
