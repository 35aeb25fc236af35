// SPDX-License-Identifier: Apache-2.0

// Package relay is a bad network for tests and benchmarks: it passes UDP datagrams on between two programs and loses,
// delays, reorders, duplicates and throttles them, the same ones each time for the same seed. It runs in user space,
// since netem is not everywhere and needs root.
package relay

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Direction is the way of a datagram.
type Direction int

// The two directions.
const (
	AToB Direction = iota
	BToA
)

// Options say between whom a Relay stands. Each side takes one of its two addresses for the other side; datagrams to a
// port there arrive at the same port of the real one, and seem to come from the address that it knows, same port. So the
// sides can be peers that use the same ports, and need not know of the Relay.
type Options struct {
	A, B       netip.Addr
	ForA, ForB netip.Addr // our address that A takes for B, and the one that B takes for A
	Ports      []int
	Paths      [2]Path // by Direction
	Seed       uint64
}

// socketBuffer is how many bytes a socket may hold back: the only losses shall be those asked for.
const socketBuffer = 4 << 20

// Stats count datagrams, by Direction.
type Stats [2]struct {
	In, Out    uint64
	Bytes      uint64 // of In, UDP and IPv4 headers included
	Lost       uint64 // by the Path's Loss or MTU
	Overflowed uint64 // by the Path's Rate
}

// Relay passes datagrams on while Run runs.
type Relay struct {
	to    [2]netip.Addr
	ports []*port

	mu     sync.Mutex
	paths  [2]Path
	rates  [2]throttle
	stats  Stats
	queue  schedule
	count  uint64
	sooner chan struct{} // the head of the queue has changed
}

// port is one relayed port, with a socket at each of our addresses.
type port struct {
	number  int
	sockets [2]*net.UDPConn // by the Direction of what comes in
	streams [2]*stream
}

// New binds the sockets, which are held until Run returns or Close is called.
func New(o Options) (*Relay, error) {
	r := &Relay{to: [2]netip.Addr{o.B, o.A}, paths: o.Paths, sooner: make(chan struct{}, 1)}
	for i, number := range o.Ports {
		p := &port{number: number}
		r.ports = append(r.ports, p)
		for direction, at := range []netip.Addr{o.ForA, o.ForB} {
			conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, uint16(number))))
			if err != nil {
				return nil, errors.Join(fmt.Errorf("relay: %w", err), r.Close())
			}
			_ = conn.SetReadBuffer(socketBuffer)
			_ = conn.SetWriteBuffer(socketBuffer)
			p.sockets[direction] = conn
			p.streams[direction] = newStream(o.Seed, direction, i)
		}
	}
	return r, nil
}

// Close releases the sockets of a Relay that is not running.
func (r *Relay) Close() error {
	var all error
	for _, p := range r.ports {
		for _, c := range p.sockets {
			if c != nil {
				if err := c.Close(); !errors.Is(err, net.ErrClosed) {
					all = errors.Join(all, err)
				}
			}
		}
	}
	return all
}

// SetPath changes what a direction does to datagrams from now on.
func (r *Relay) SetPath(d Direction, p Path) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[d] = p
}

// Stats returns the counts up to now.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Run passes datagrams on until ctx ends. Those on their way are lost then.
func (r *Relay) Run(ctx context.Context) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var workers sync.WaitGroup
	work := func(f func() error) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			if err := f(); err != nil && running.Err() == nil {
				stop(fmt.Errorf("relay: %w", err))
			}
		}()
	}
	for _, p := range r.ports {
		for _, d := range []Direction{AToB, BToA} {
			work(func() error { return r.read(p, d) })
		}
	}
	work(func() error { r.write(running); return nil })
	<-running.Done()
	err := r.Close()
	workers.Wait()
	if ctx.Err() != nil {
		return err
	}
	return context.Cause(running)
}

// read takes datagrams from one socket until it is closed.
func (r *Relay) read(p *port, d Direction) error {
	buf := make([]byte, 1<<16)
	for {
		n, err := p.sockets[d].Read(buf)
		if err != nil {
			return err
		}
		r.take(p, d, buf[:n])
	}
}

// take decides when a datagram leaves, if at all.
func (r *Relay) take(p *port, d Direction, datagram []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats, path := &r.stats[d], r.paths[d]
	stats.In++
	stats.Bytes += uint64(len(datagram) + headerBytes)
	ready, ok := r.rates[d].pass(path, time.Now(), len(datagram))
	if !ok {
		stats.Overflowed++
		return
	}
	times := p.streams[d].next(path, ready)
	if path.MTU > 0 && len(datagram)+headerBytes > path.MTU {
		times = nil
	}
	if len(times) == 0 {
		stats.Lost++
		return
	}
	bytes := append([]byte(nil), datagram...)
	for _, at := range times {
		r.count++
		heap.Push(&r.queue, parcel{at: at, order: r.count, port: p, direction: d, bytes: bytes})
	}
	if r.queue[0].order > r.count-uint64(len(times)) {
		select {
		case r.sooner <- struct{}{}:
		default:
		}
	}
}

// write sends what is due until ctx ends.
func (r *Relay) write(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.sooner:
		}
		for {
			due, wait := r.due()
			if due == nil {
				timer.Reset(wait)
				break
			}
			// The socket that faces the receiving side. A full buffer or a closed port there is loss, as in any network.
			conn := due.port.sockets[1-due.direction]
			_, _ = conn.WriteToUDPAddrPort(due.bytes, netip.AddrPortFrom(r.to[due.direction], uint16(due.port.number)))
		}
	}
}

// due takes the next datagram off the queue if its time has come, and otherwise tells how long that will be.
func (r *Relay) due() (*parcel, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(r.queue[0].at); wait > 0 {
		return nil, wait
	}
	p := heap.Pop(&r.queue).(parcel)
	r.stats[p.direction].Out++
	return &p, 0
}
