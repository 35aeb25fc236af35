// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"net/netip"
	"time"
)

// Bounds on what strangers can make us keep and send.
const (
	maxContacts  = 400 // nodes that are kept
	maxSpots     = 64  // contacts that one search looks at, for each family
	maxQuestions = 256 // that wait for an answer
	maxTopics    = 16

	// All questions together, in datagrams a second, and those to addresses that have never answered.
	totalRate, totalBurst     = 100, 100
	unknownRate, unknownBurst = 40, 40
	// Questions to one node that has answered before. A few topics may search at the same time. libtorrent's nodes ignore
	// for minutes who sends more than 50 in 10 s.
	nodeRate, nodeBurst = 3, 12

	// Addresses that have never answered: questions to one address and to its network, within quarantine.
	perAddress, perNetwork = 4, 12
	maxNetworks            = 2048
	quarantine             = time.Minute

	// header is what IP and UDP add to a datagram of IPv4.
	header = 28
	// maxCredit bounds what a node can save up by answering.
	maxCredit = 4096
)

// bucket lets datagrams pass at a rate, and a burst at once.
type bucket struct {
	left float64
	at   time.Time
}

func (b *bucket) fill(now time.Time, rate, burst float64) {
	if b.at.IsZero() {
		b.left = burst
	} else {
		b.left = min(burst, b.left+rate*now.Sub(b.at).Seconds())
	}
	b.at = now
}

// network is what an attacker has all addresses of: /24 of IPv4, /48 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.Prefix(bits) // fails only for impossible bits
	return p
}

// attempts counts questions to addresses that have never answered, by address and by network.
type attempts struct {
	counts map[netip.Prefix]int
	since  time.Time
}

// take counts a question, or tells that there were too many.
func (t *attempts) take(now time.Time, a netip.Addr) bool {
	if t.counts == nil || now.Sub(t.since) >= quarantine {
		t.counts, t.since = make(map[netip.Prefix]int), now
	}
	one, all := netip.PrefixFrom(a, a.BitLen()), network(a)
	if t.counts[one] >= perAddress || t.counts[all] >= perNetwork || len(t.counts) >= maxNetworks {
		return false
	}
	t.counts[one]++
	t.counts[all]++
	return true
}
