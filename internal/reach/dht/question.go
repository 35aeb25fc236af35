// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"net/netip"
	"time"
)

const (
	tick = 100 * time.Millisecond
	// A node that has not answered for slow is not waited for any more, so that one that is gone costs no time. Its answer
	// is taken until late.
	slow = 300 * time.Millisecond
	// again is when a node that we know to exist is asked a second time.
	again = 700 * time.Millisecond
	late  = 2 * time.Second
)

type kind uint8

const (
	findNode kind = iota // to a bootstrap host
	get
	getAgain // to a node that is known to be near the item: no other nodes are asked for
	put
)

// question waits for an answer.
type question struct {
	to       netip.AddrPort
	kind     kind
	topic    *Topic
	seed     *contact // of findNode
	spot     *spot    // of the others
	at       time.Time
	datagram []byte
	known    bool // the node has answered before, or is a bootstrap host
	slow     bool
	repeated bool
	seq      int64 // of a put
}

type outcome uint8

const (
	sent   outcome = iota
	wait           // the rate is used up
	refuse         // this node must not be asked now
)

// send sends a question, unless a bound forbids it. k is what we know of the node, nil for a stranger; by is who named a
// stranger.
func (c *Client) send(now time.Time, q *question, k, by *contact) outcome {
	c.total.fill(now, totalRate, totalBurst)
	c.unknown.fill(now, unknownRate, unknownBurst)
	if c.total.left < 1 || len(c.questions) >= maxQuestions {
		return wait
	}
	transaction := c.transaction()
	switch q.kind {
	case findNode:
		q.datagram = appendQuestion(nil, c.id, transaction, "find_node", q.topic.target, true)
	case get:
		q.datagram = appendQuestion(nil, c.id, transaction, "get", q.topic.target, true)
	case getAgain:
		q.datagram = appendQuestion(nil, c.id, transaction, "get", q.topic.target, false)
	case put:
		q.datagram = appendPut(nil, c.id, transaction, q.spot.token, *q.topic.item)
		q.seq = q.topic.item.Seq
	}
	if k != nil {
		q.known = true
		k.rate.fill(now, nodeRate, nodeBurst)
		if k.failed > 0 && now.Before(k.retry) || k.rate.left < 1 {
			return refuse
		}
		k.rate.left--
	} else {
		if c.unknown.left < 1 {
			return wait
		}
		cost := len(q.datagram) + header
		if by == nil || by.credit < cost || !c.attempts.take(now, q.to.Addr()) {
			return refuse
		}
		by.credit -= cost
		c.unknown.left--
	}
	q.at = now
	c.questions[transaction] = q
	c.transmit(q)
	return sent
}

func (c *Client) transmit(q *question) {
	c.total.left--
	c.effects = append(c.effects, func() { c.opts.Send(q.to, q.datagram) })
}

// tick looks after questions without an answer, and goes on with what had to wait.
func (c *Client) tick() {
	now := c.clock.Now()
	for transaction, q := range c.questions {
		age := now.Sub(q.at)
		switch {
		case age >= late:
			delete(c.questions, transaction)
			c.fail(now, q)
			continue
		case age >= again && q.known && !q.repeated && q.kind != put:
			q.repeated = true
			c.transmit(q)
		}
		if age >= slow && !q.slow {
			q.slow = true
			if q.spot != nil && q.spot.state == asked {
				q.spot.state = overdue
			}
		}
	}
	for _, t := range c.topics {
		t.advance(now)
	}
}

// fail takes that a question was not answered.
func (c *Client) fail(now time.Time, q *question) {
	k := q.seed
	if k == nil {
		k = c.contacts[q.to]
	}
	if k != nil {
		k.failed++
		k.retry = now.Add(time.Second << min(k.failed, 4))
		if k.failed >= 3 && q.seed == nil && now.Sub(c.heard) < 5*late {
			delete(c.contacts, q.to) // others do answer
		}
	}
	if q.spot == nil {
		return
	}
	switch {
	case q.kind == put:
		q.spot.put = none
	case q.kind == getAgain && k != nil && k.failed < 2:
		q.spot.state, q.spot.holds = answered, none
	default:
		q.spot.state, q.spot.died, q.spot.holds = dead, now, none
	}
}

// take takes the answer to a question.
func (c *Client) take(q *question, a answer, size int) {
	now := c.clock.Now()
	c.heard = now
	k := q.seed
	if k == nil && a.code == 0 {
		k = c.keep(Node{a.id, q.to})
	}
	if k == nil {
		k = c.contacts[q.to]
	}
	if k != nil {
		k.answered, k.failed = now, 0
		k.credit = min(maxCredit, k.credit+3*(size+header)/2)
	}
	if a.outer.IsValid() && a.outer.Port() != 0 && c.opts.Allow(a.outer.Addr()) && family(a.outer.Addr()) == family(q.to.Addr()) {
		if c.views[family(q.to.Addr())].add(view{q.to.Addr(), a.outer, now}) && c.opts.OuterChanged != nil {
			c.effects = append(c.effects, c.opts.OuterChanged)
		}
	}
	t := q.topic
	if c.topics[t.target] != t {
		return // closed meanwhile
	}
	switch {
	case q.kind == findNode:
	case q.kind == put:
		t.stored(now, q, a.code)
	case a.code != 0:
		q.spot.state, q.spot.died = dead, now
	default:
		t.heard(now, q.spot, a)
	}
	for _, n := range a.nodes {
		if c.fits(n.Addr) {
			t.insert(n, k)
		}
	}
	t.advance(now)
}
