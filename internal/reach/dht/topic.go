// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"bytes"
	"net/netip"
	"slices"
	"time"
)

const (
	// nearest is how many nodes keep an item, in each family.
	nearest = 8
	// alpha is how many contacts of a family are asked at the same time.
	alpha = 4
	// searchTime is how long contacts are followed after Search.
	searchTime = 10 * time.Second
	// tokenLife is how long a node's permission to store is used. Nodes accept it for 10 minutes (BEP 5).
	tokenLife = 5 * time.Minute
	// graveTime is how long a contact that did not answer is not asked again.
	graveTime = 10 * time.Minute

	// askAgain is how long Ask leaves a node alone.
	askAgain = 150 * time.Millisecond

	// none is the seq of no item.
	none = -1

	// seqTooLow is the error of a node that has a newer item (BEP 44).
	seqTooLow = 302
)

// Topic is where the items of one key are: the nodes closest to it, and what they have.
type Topic struct {
	c      *Client
	key    [keyBytes]byte
	target ID
	found  func(Item)

	sides  [2]side // IPv4, IPv6
	until  time.Time
	seeded map[netip.AddrPort]bool // bootstrap hosts that this search has asked
	latest int64                   // seq of the newest item that was found
	item   *Item                   // to store
	turn   int                     // of Ask
}

type state uint8

const (
	fresh    state = iota
	asked          // and waited for
	overdue        // asked, and not waited for
	answered       // has a token
	dead
)

// spot is a contact as one topic sees it.
type spot struct {
	node  Node
	by    *contact // who named it
	state state
	died  time.Time
	token []byte
	until time.Time // the token's end
	put   int64     // seq of the item that was sent
	holds int64     // seq of our item that it has confirmed
	tries int       // puts of the same item
	last  time.Time // when it was asked for the item
}

// side has the spots of a family, the closest first.
type side struct {
	spots []*spot
	idle  bool // nothing is waited for
	close bool // most of the closest have answered: what is missing may be gone
}

// Topic returns the topic of a key, which must not have one already. found is called with each item that is newer than all
// before, and not with the client's lock held.
func (c *Client) Topic(key [keyBytes]byte, found func(Item)) *Topic {
	t := &Topic{c: c, key: key, target: target(key), found: found, latest: none, seeded: make(map[netip.AddrPort]bool)}
	c.do(func() {
		if len(c.topics) < maxTopics {
			c.topics[t.target] = t
		}
	})
	return t
}

// Close ends the topic.
func (t *Topic) Close() {
	t.c.do(func() {
		if t.c.topics[t.target] == t {
			delete(t.c.topics, t.target)
		}
	})
}

// Search finds the closest nodes anew and asks each of them for the item.
func (t *Topic) Search() { t.do(t.search) }

// Ask asks the next n of the closest nodes for the item, in turn. It searches when none is known. A small n goes round
// those nodes that are likeliest to be the closest for everybody.
func (t *Topic) Ask(n int) {
	t.do(func(now time.Time) {
		var close []*spot
		for f := range t.sides {
			side := t.sides[f].closest()
			close = append(close, side[:min(len(side), max(n, nearest/2))]...)
		}
		if len(close) == 0 {
			if !t.active(now) {
				t.search(now)
			}
			return
		}
		for i := 0; i < len(close) && n > 0; i++ {
			t.turn++
			if s := close[t.turn%len(close)]; now.Sub(s.last) >= askAgain && t.ask(now, s) == sent {
				s.last = now
				n--
			}
		}
	})
}

// ask asks one of the closest nodes for the item.
func (t *Topic) ask(now time.Time, s *spot) outcome {
	return t.c.send(now, &question{to: s.node.Addr, kind: getAgain, topic: t, spot: s}, t.c.contacts[s.node.Addr], nil)
}

// Put stores an item of the topic's key at the closest nodes. It replaces the one of an earlier call.
func (t *Topic) Put(item Item) {
	t.do(func(now time.Time) {
		t.item = &item
		ready := false
		for f := range t.sides {
			for _, s := range t.sides[f].spots {
				s.put, s.tries = none, 0
				ready = ready || s.state == answered && now.Before(s.until)
			}
		}
		if !ready && !t.active(now) {
			t.search(now)
		}
		t.advance(now)
	})
}

// State is what is known of a topic.
type State struct {
	Searching bool // the rest is not final
	Closest   int  // how many of the closest nodes are known
	Holders   int  // how many of those have the item of the last Put
	Few       bool // so few have answered that they may not be the closest
}

// State returns what is known of the topic.
func (t *Topic) State() State {
	var s State
	t.do(func(now time.Time) {
		s.Searching = t.active(now) && !(t.sides[0].idle && t.sides[1].idle)
		s.Few = t.sides[0].few() && t.sides[1].few()
		for f := range t.sides {
			for _, p := range t.sides[f].closest() {
				s.Closest++
				if t.item != nil && p.holds >= t.item.Seq {
					s.Holders++
				}
			}
		}
	})
	return s
}

func (t *Topic) do(f func(now time.Time)) {
	t.c.do(func() {
		if t.c.topics[t.target] == t {
			f(t.c.clock.Now())
		}
	})
}

// active tells whether contacts are followed.
func (t *Topic) active(now time.Time) bool { return now.Before(t.until) }

func (t *Topic) search(now time.Time) {
	t.until = now.Add(searchTime)
	clear(t.seeded)
	for f := range t.sides {
		s := &t.sides[f]
		few := s.few() // the network was away: the dead may live
		s.spots = slices.DeleteFunc(s.spots, func(s *spot) bool { return s.state == dead && (few || now.Sub(s.died) >= graveTime) })
		for _, s := range s.spots {
			if s.state == answered {
				s.state = fresh
			}
		}
	}
	t.advance(now)
}

// advance asks those contacts that may belong to the closest, and stores the item at those that do.
func (t *Topic) advance(now time.Time) {
	if t.active(now) {
		t.addContacts(now)
		t.c.askSeeds(now, t)
		for f := range t.sides {
			t.follow(now, &t.sides[f])
		}
	}
	if t.item == nil {
		return
	}
	for f := range t.sides {
		if s := &t.sides[f]; s.close || !t.active(now) {
			t.store(now, s)
		}
	}
}

// addContacts begins with the closest of all nodes that have answered to anything.
func (t *Topic) addContacts(now time.Time) {
	var known [2][]Node
	for _, k := range t.c.contacts {
		if k.failed == 0 || !now.Before(k.retry) {
			f := family(k.node.Addr.Addr())
			known[f] = append(known[f], k.node)
		}
	}
	for f := range known {
		slices.SortFunc(known[f], func(a, b Node) int { return compare(t.target, a.ID, b.ID) })
		for _, n := range known[f][:min(nearest, len(known[f]))] {
			t.insert(n, nil)
		}
	}
}

// follow asks contacts of a side, the closest first, until the closest have answered.
func (t *Topic) follow(now time.Time, s *side) {
	flying := 0
	for _, p := range s.spots {
		if p.state == asked {
			flying++
		}
	}
	var room variety
	pending, good := false, 0
	for _, p := range s.spots {
		if room.count >= nearest {
			break
		}
		if p.state == dead || p.state == overdue || !room.has(p.node.Addr.Addr()) {
			continue
		}
		if p.state == fresh {
			if flying >= alpha {
				pending = true
			} else {
				switch t.c.send(now, &question{to: p.node.Addr, kind: get, topic: t, spot: p}, t.c.contacts[p.node.Addr], p.by) {
				case refuse:
					continue // others may be asked
				case wait:
					pending = true
				case sent:
					p.state, p.last = asked, now
					flying++
				}
			}
		}
		room.take(p.node.Addr.Addr())
		if p.state == answered {
			good++
		}
	}
	s.idle = flying == 0 && !pending
	s.close = s.idle || good >= nearest/2
}

// store sends the item to those of the closest nodes that do not have it. It does not wait for all of those to answer, so
// that a few that are gone cost no time.
func (t *Topic) store(now time.Time, s *side) {
	const tries = 3
	var room variety
	settled := s.idle || !t.active(now)
	for _, p := range s.spots {
		if room.count >= nearest {
			return
		}
		if p.state == dead || p.state == overdue || p.state == fresh && settled || !room.has(p.node.Addr.Addr()) {
			continue
		}
		room.take(p.node.Addr.Addr())
		if p.state != answered || p.put >= t.item.Seq || p.holds >= t.item.Seq || p.tries >= tries || len(p.token) == 0 || !now.Before(p.until) {
			continue
		}
		k := t.c.contacts[p.node.Addr]
		if k == nil {
			continue
		}
		if t.c.send(now, &question{to: p.node.Addr, kind: put, topic: t, spot: p}, k, nil) == sent {
			p.put = t.item.Seq
			p.tries++
		}
	}
}

// heard takes the answer of a spot to get.
func (t *Topic) heard(now time.Time, s *spot, a answer) {
	s.state, s.died = answered, time.Time{}
	s.token, s.until = bytes.Clone(a.token), now.Add(tokenLife)
	if s.node.ID != a.id {
		s.node.ID = a.id
		side := &t.sides[family(s.node.Addr.Addr())]
		slices.SortStableFunc(side.spots, func(x, y *spot) int { return compare(t.target, x.node.ID, y.node.ID) })
	}
	s.holds = none
	if !a.item {
		return
	}
	if t.item != nil && a.seq == t.item.Seq && bytes.Equal(a.value, t.item.Value) {
		s.holds = a.seq
		return
	}
	if a.seq <= t.latest {
		return
	}
	item := Item{Key: t.key, Seq: a.seq, Value: bytes.Clone(a.value), Signature: [sigBytes]byte(a.sig)}
	if !item.valid() {
		return
	}
	t.latest = item.Seq
	if t.found != nil {
		t.c.effects = append(t.c.effects, func() { t.found(item) })
	}
}

// stored takes the answer to put.
func (t *Topic) stored(now time.Time, q *question, code int64) {
	s := q.spot
	switch {
	case code == 0:
		s.holds = max(s.holds, q.seq)
		s.tries = 0
	case code == seqTooLow:
		// The answer to this question shows the newer item, which only an owner of the key can have made.
		t.ask(now, s)
	case t.item != nil && s.put == t.item.Seq:
		// Perhaps the token was too old. A new one comes with the answer to this question.
		s.token, s.put = nil, none
		t.ask(now, s)
	}
}

// insert takes a contact that by has named, or that is known when by is nil.
func (t *Topic) insert(n Node, by *contact) {
	if k := t.c.contacts[n.Addr]; k != nil {
		n.ID = k.node.ID // of which it speaks itself
	}
	s := &t.sides[family(n.Addr.Addr())]
	sameAddress, sameNetwork := 0, 0
	for _, p := range s.spots {
		if p.node.Addr == n.Addr {
			if p.state == fresh && by != nil {
				p.by = by
			}
			return
		}
		if p.node.Addr.Addr() == n.Addr.Addr() {
			sameAddress++
		}
		if network(p.node.Addr.Addr()) == network(n.Addr.Addr()) {
			sameNetwork++
		}
	}
	if by != nil && (sameAddress >= perAddress || sameNetwork >= perNetwork) {
		return
	}
	i, _ := slices.BinarySearchFunc(s.spots, n.ID, func(p *spot, id ID) int { return compare(t.target, p.node.ID, id) })
	s.spots = slices.Insert(s.spots, i, &spot{node: n, by: by, put: none, holds: none})
	if len(s.spots) > maxSpots {
		s.spots = s.spots[:maxSpots]
	}
}

// closest are the closest nodes that have answered.
func (s *side) closest() []*spot {
	var room variety
	var close []*spot
	for _, p := range s.spots {
		if p.state == answered && room.count < nearest && room.has(p.node.Addr.Addr()) {
			room.take(p.node.Addr.Addr())
			close = append(close, p)
		}
	}
	return close
}

// few tells whether so few of the closest nodes have answered that others may be closer.
func (s *side) few() bool { return len(s.closest()) < nearest/2 }

// variety lets no address and no network have more than a part of the closest nodes, so that one attacker does not
// become all of them.
type variety struct {
	count  int
	counts map[netip.Prefix]int
}

func (v *variety) has(a netip.Addr) bool {
	return v.counts[netip.PrefixFrom(a, a.BitLen())] < nearest/4 && v.counts[network(a)] < nearest/2
}

func (v *variety) take(a netip.Addr) {
	if v.counts == nil {
		v.counts = make(map[netip.Prefix]int)
	}
	v.count++
	v.counts[netip.PrefixFrom(a, a.BitLen())]++
	v.counts[network(a)]++
}
