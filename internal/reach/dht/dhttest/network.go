// SPDX-License-Identifier: Apache-2.0

package dhttest

import (
	"container/heap"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
)

// Network is a simulated network with a clock of its own, which stands still between events: hours pass in no time, and a
// run with the same seed is the same each time as far as its users are. One goroutine runs it; others may send.
type Network struct {
	// Delay is the time that a datagram takes. Nil: 20 to 80 ms.
	Delay func(from, to netip.AddrPort) time.Duration
	// Loss is the part of datagrams that get lost.
	Loss float64
	// Rand makes what is random here.
	Rand *rand.Rand
	// Seen is called with each datagram that is sent. Nil: nothing.
	Seen func(from, to netip.AddrPort, b []byte)
	// Nodes are those of Grow.
	Nodes []*Node

	mu     sync.Mutex
	now    time.Time
	events events
	count  int
	hosts  map[netip.AddrPort]func(from netip.AddrPort, b []byte)
}

// NewNetwork returns a network whose clock begins at a time.
func NewNetwork(seed uint64, start time.Time) *Network {
	return &Network{
		Rand: rand.New(rand.NewPCG(seed, 0)), now: start, hosts: make(map[netip.AddrPort]func(netip.AddrPort, []byte)),
	}
}

// event is something that happens at a time. Events of the same time happen in their order.
type event struct {
	at      time.Time
	number  int
	f       func()
	stopped atomic.Bool
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].number < e[j].number
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// Stop keeps the event from happening.
func (e *event) Stop() bool { return !e.stopped.Swap(true) }

// Now is the time of the network.
func (n *Network) Now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

// AfterFunc calls f after a time of the network.
func (n *Network) AfterFunc(d time.Duration, f func()) dht.Timer {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	e := &event{at: n.now.Add(max(0, d)), number: n.count, f: f}
	heap.Push(&n.events, e)
	return e
}

// Run lets a time pass.
func (n *Network) Run(d time.Duration) { n.Until(d, func() bool { return false }) }

// Until lets time pass until done returns true, at most d. It returns how long that took, and whether done did.
func (n *Network) Until(d time.Duration, done func() bool) (time.Duration, bool) {
	start := n.Now()
	end := start.Add(d)
	for !done() {
		e := n.next(end)
		if e == nil {
			return d, false
		}
		if !e.stopped.Swap(true) {
			e.f()
		}
	}
	return n.Now().Sub(start), true
}

// next lets time pass up to the next event, or up to end when there is none before.
func (n *Network) next(end time.Time) *event {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.events) == 0 || n.events[0].at.After(end) {
		n.now = end
		return nil
	}
	e := heap.Pop(&n.events).(*event)
	n.now = e.at
	return e
}

// Host has take called with what arrives at an address, and returns what sends from there.
func (n *Network) Host(addr netip.AddrPort, take func(from netip.AddrPort, b []byte)) (send func(to netip.AddrPort, b []byte)) {
	n.hosts[addr] = take
	return func(to netip.AddrPort, b []byte) { n.Send(addr, to, b) }
}

// Remove takes a host from the network.
func (n *Network) Remove(addr netip.AddrPort) { delete(n.hosts, addr) }

// Send sends a datagram.
func (n *Network) Send(from, to netip.AddrPort, b []byte) {
	if n.Seen != nil {
		n.Seen(from, to, b)
	}
	n.mu.Lock()
	lost := n.Rand.Float64() < n.Loss
	delay := 20*time.Millisecond + time.Duration(n.Rand.Int64N(int64(60*time.Millisecond)))
	n.mu.Unlock()
	if lost {
		return
	}
	if n.Delay != nil {
		delay = n.Delay(from, to)
	}
	b = slices.Clone(b)
	n.AfterFunc(delay, func() {
		if take := n.hosts[to]; take != nil {
			take(from, b)
		}
	})
}

// Join connects a node.
func (n *Network) Join(node *Node) {
	var send func(netip.AddrPort, []byte)
	send = n.Host(node.Addr, func(from netip.AddrPort, b []byte) {
		if answer := node.Answer(from, b); answer != nil {
			send(from, answer)
		}
	})
}

// Grow adds a DHT of so many nodes at public addresses, of which a part is dead: others still name them. It returns the
// addresses of its routers, which know some of the others.
func (n *Network) Grow(count int, dead float64, six bool) []string {
	var all []*Node
	for range count {
		all = append(all, &Node{Node: dht.Node{ID: n.ID(), Addr: netip.AddrPortFrom(n.Addr(six), 1024+uint16(n.Rand.IntN(60000)))}})
	}
	for _, node := range all {
		node.Known = n.table(node.ID, all)
		if n.Rand.Float64() >= dead {
			n.Join(node)
			n.Nodes = append(n.Nodes, node)
		}
	}
	var routers []string
	for range 3 {
		router := &Node{Router: true, Node: dht.Node{ID: n.ID(), Addr: netip.AddrPortFrom(n.Addr(six), 6881)}}
		for range 200 {
			router.Known = append(router.Known, n.Nodes[n.Rand.IntN(len(n.Nodes))].Node)
		}
		n.Join(router)
		routers = append(routers, router.Addr.String())
	}
	return routers
}

// table is what a node knows of the others: up to 8 at each distance, as BEP 5 has it.
func (n *Network) table(id dht.ID, all []*Node) []dht.Node {
	var table []dht.Node
	var filled [161]int
	for _, i := range n.Rand.Perm(len(all)) {
		common := 0
		for b := range id {
			same := bits.LeadingZeros8(id[b] ^ all[i].ID[b])
			common += same
			if same < 8 {
				break
			}
		}
		if filled[common] < 8 && all[i].ID != id {
			filled[common]++
			table = append(table, all[i].Node)
		}
	}
	return table
}

// ID is a random ID.
func (n *Network) ID() dht.ID {
	var id dht.ID
	for i := range id {
		id[i] = byte(n.Rand.Uint32())
	}
	return id
}

// Addr is a random public address.
func (n *Network) Addr(six bool) netip.Addr {
	for {
		var a netip.Addr
		if six {
			b := [16]byte{0: 0x20, 1: 0x01}
			binary.BigEndian.PutUint64(b[2:], n.Rand.Uint64())
			a = netip.AddrFrom16(b)
		} else {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], n.Rand.Uint32())
			a = netip.AddrFrom4(b)
		}
		if dht.Public(a) {
			return a
		}
	}
}
