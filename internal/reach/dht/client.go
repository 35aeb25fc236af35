// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Options say what a client works with. Reaches, Own and Allow must not call the client.
type Options struct {
	// Send sends a datagram. It must not block. It may keep the bytes.
	Send func(to netip.AddrPort, b []byte)
	// Bootstrap are well-known nodes, as host:port, that are asked while too few others are known. Nil: DefaultBootstrap.
	Bootstrap []string
	// Lookup returns the addresses of a host. Nil: the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Nodes are what Nodes returned in an earlier run.
	Nodes []Node
	// Reaches tells whether Send can reach an address, for machines with only one of IPv4 and IPv6. Nil: all.
	Reaches func(netip.Addr) bool
	// Own tells whether an address is one of this machine. Nil: none.
	Own func(netip.Addr) bool
	// Allow tells whether an address can be a node's. Nil: Public. Tests on one machine set it.
	Allow func(netip.Addr) bool
	// OuterChanged is called after Outer has changed. Nil: nothing.
	OuterChanged func()
	// Clock is nil for SystemClock.
	Clock Clock
	Log   *slog.Logger
}

// Client asks nodes of the DHT. Its functions never block, and may be called from any goroutine.
type Client struct {
	opts  Options
	clock Clock
	log   *slog.Logger
	id    ID
	seeds []*seed

	mu        sync.Mutex
	closed    bool
	contacts  map[netip.AddrPort]*contact // have answered, or did in an earlier run
	questions map[uint32]*question
	topics    map[ID]*Topic
	total     bucket
	unknown   bucket
	attempts  attempts
	views     [2]views
	heard     time.Time // when an answer came last
	timer     Timer
	began     time.Time
	effects   []func() // to call without the lock
}

// contact is a node that has answered, or a bootstrap host.
type contact struct {
	node     Node
	answered time.Time // zero: never in this run
	failed   int       // questions in a row
	retry    time.Time // after a failure: not before
	credit   int       // bytes that may go to strangers whom it named
	rate     bucket
}

// New returns a client. It sends nothing before a topic searches.
func New(opts Options) *Client {
	c := &Client{
		opts: opts, clock: opts.Clock, log: opts.Log,
		contacts: make(map[netip.AddrPort]*contact), questions: make(map[uint32]*question), topics: make(map[ID]*Topic),
	}
	if c.clock == nil {
		c.clock = SystemClock{}
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.opts.Allow == nil {
		c.opts.Allow = Public
	}
	_, _ = rand.Read(c.id[:]) // never fails
	c.began = c.clock.Now()
	c.seeds = newSeeds(opts.Bootstrap)
	for _, n := range opts.Nodes {
		n.Addr = unmap(n.Addr)
		if len(c.contacts) < maxContacts && c.fits(n.Addr) {
			c.contacts[n.Addr] = &contact{node: n}
		}
	}
	return c
}

// Run closes the client when ctx ends.
func (c *Client) Run(ctx context.Context) {
	<-ctx.Done()
	c.Close()
}

// Close ends everything. Nothing is sent or called afterwards, except what is being sent or called.
func (c *Client) Close() {
	c.do(func() {
		c.closed = true
		clear(c.topics)
		clear(c.questions)
	})
}

// Nodes returns up to 64 nodes that answered lately, to begin with at the next start.
func (c *Client) Nodes() []Node {
	const most = 32 // of each family
	c.mu.Lock()
	defer c.mu.Unlock()
	good := slices.SortedFunc(maps.Values(c.contacts), func(a, b *contact) int {
		return cmp.Or(b.answered.Compare(a.answered), a.node.Addr.Compare(b.node.Addr))
	})
	var nodes []Node
	var count [2]int
	for _, n := range good {
		// While nothing has answered, as without a network, those of the last run stay.
		if f := family(n.node.Addr.Addr()); n.failed == 0 && count[f] < most {
			nodes = append(nodes, n.node)
			count[f]++
		}
	}
	return nodes
}

// Reached is how many nodes have answered and still do.
func (c *Client) Reached() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, k := range c.contacts {
		if k.reached() {
			n++
		}
	}
	return n
}

// Outer returns where nodes see us, by IPv4 and by IPv6.
func (c *Client) Outer() (v4, v6 Outer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.views[0].outer, c.views[1].outer
}

// Take takes a datagram that begins with 'd', and tells whether it answers a question of ours. It does not keep b.
func (c *Client) Take(from netip.AddrPort, b []byte) bool {
	from = unmap(from)
	if !c.waitsFor(from) {
		return false // before any work is done for a stranger
	}
	a, ok := parseAnswer(b)
	if !ok {
		return false
	}
	taken := false
	c.do(func() {
		q := c.questions[a.transaction]
		if q == nil || q.to != from {
			return
		}
		taken = true
		delete(c.questions, a.transaction)
		c.take(q, a, len(b))
	})
	return taken
}

// waitsFor tells whether a node has not answered a question yet.
func (c *Client) waitsFor(from netip.AddrPort) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.questions {
		if q.to == from {
			return true
		}
	}
	return false
}

// do runs f with the lock, and then, without it, what f wants sent or called.
func (c *Client) do(f func()) {
	c.mu.Lock()
	if !c.closed {
		f()
	}
	effects := c.effects
	c.effects = nil
	c.schedule()
	c.mu.Unlock()
	for _, effect := range effects {
		effect()
	}
}

// schedule keeps a timer going while there is something to wait for.
func (c *Client) schedule() {
	busy := !c.closed && len(c.questions) > 0
	for _, t := range c.topics {
		busy = busy || t.active(c.clock.Now())
	}
	switch {
	case busy && c.timer == nil:
		c.timer = c.clock.AfterFunc(tick, func() {
			c.do(func() {
				c.timer = nil
				c.tick()
			})
		})
	case !busy && c.timer != nil:
		c.timer.Stop()
		c.timer = nil
	}
}

// fits tells whether an address can be a node's and can be reached.
func (c *Client) fits(a netip.AddrPort) bool {
	// Ports below 1024 belong to other services. No node is worth a packet to one of those.
	return a.IsValid() && a.Port() >= 1024 && c.opts.Allow(a.Addr()) && a.Addr().Zone() == "" && !c.isOwn(a.Addr()) &&
		(c.opts.Reaches == nil || c.opts.Reaches(a.Addr()))
}

func (c *Client) isOwn(a netip.Addr) bool {
	return a == c.views[family(a)].outer.Addr.Addr() || c.opts.Own != nil && c.opts.Own(a)
}

// keep remembers a node that has answered. When there are too many, the one that is worth least goes.
func (c *Client) keep(n Node) *contact {
	if k := c.contacts[n.Addr]; k != nil {
		k.node = n
		return k
	}
	if len(c.contacts) >= maxContacts {
		var worst *contact
		for _, k := range c.contacts {
			if worst == nil || cmp.Or(cmp.Compare(worst.failed, k.failed), k.answered.Compare(worst.answered)) < 0 {
				worst = k
			}
		}
		delete(c.contacts, worst.node.Addr)
	}
	k := &contact{node: n}
	c.contacts[n.Addr] = k
	return k
}

func (k *contact) reached() bool { return !k.answered.IsZero() && k.failed < 3 }

// transaction returns an unused random number.
func (c *Client) transaction() uint32 {
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		if t := binary.BigEndian.Uint32(b[:]); c.questions[t] == nil {
			return t
		}
	}
}
