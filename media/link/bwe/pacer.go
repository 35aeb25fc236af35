// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"context"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
)

const (
	// burst is how much of the rate may leave at once: a usual picture leaves the moment it is there, and only what is more
	// than twice as large, such as a key frame, is spread.
	burst = 70 * time.Millisecond

	// pacingFactor is the send rate of queued packets, as a multiple of the rate.
	pacingFactor = 1.5

	// smallestBurst in bytes lets pictures of few packets pass at any rate.
	smallestBurst = 6000

	// maxBacklog is the wait, at the rate, beyond which pictures are stale.
	maxBacklog = 700 * time.Millisecond
)

// bucket says when packets may leave. It holds what may leave at once, in bytes, and fills as time passes.
type bucket struct {
	rate   float64 // bytes a second
	depth  float64 // bytes
	level  float64
	filled time.Time
}

func (b *bucket) setRate(now time.Time, bits int) {
	b.fill(now)
	b.rate = pacingFactor * float64(bits) / 8
	b.depth = max(burst.Seconds()*float64(bits)/8, smallestBurst)
	b.level = min(b.level, b.depth)
}

func (b *bucket) fill(now time.Time) {
	if !b.filled.IsZero() {
		b.level = min(b.level+b.rate*now.Sub(b.filled).Seconds(), b.depth)
	}
	b.filled = now
}

// take lets a packet leave, or says how long it must wait.
func (b *bucket) take(now time.Time, size int) time.Duration {
	b.fill(now)
	if b.level <= 0 {
		return time.Duration((1 - b.level) / b.rate * float64(time.Second))
	}
	b.level -= float64(size)
	return 0
}

// Pacer spreads the packets of large pictures, so that they neither overflow a queue on the path nor stand in the way of
// sound. Packets pass at once where none wait. Its send function must not block, since it is called with mu held.
type Pacer struct {
	now       func() time.Time
	send      func(packet []byte)
	sendAgain func(datagram []byte)

	more  chan struct{} // something waits
	spare sync.Pool     // of []byte

	mu      sync.Mutex
	bucket  bucket
	waiting []*[]byte // oldest first
	again   []*[]byte // those that are sent again, which go first
	bytes   int       // that wait
}

// NewPacer returns a pacer for a rate in bit/s, that passes packets on to send, and those that are sent again to sendAgain.
func NewPacer(now func() time.Time, rate int, send, sendAgain func([]byte)) *Pacer {
	p := &Pacer{
		now: now, send: send, sendAgain: sendAgain, more: make(chan struct{}, 1),
		spare: sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }},
	}
	p.bucket.setRate(now(), rate)
	p.bucket.level = p.bucket.depth
	return p
}

// SetRate sets the rate, in bit/s.
func (p *Pacer) SetRate(bits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bucket.setRate(p.now(), bits)
}

// Put sends a packet, which is copied, at once or later.
func (p *Pacer) Put(packet []byte) { p.queue(packet, &p.waiting, p.send) }

// PutAgain does so with a datagram that is sent another time, before all others.
func (p *Pacer) PutAgain(datagram []byte) { p.queue(datagram, &p.again, p.sendAgain) }

func (p *Pacer) queue(packet []byte, queue *[]*[]byte, send func([]byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes == 0 && p.bucket.take(p.now(), len(packet)) == 0 {
		send(packet)
		return
	}
	b := p.spare.Get().(*[]byte)
	*b = append((*b)[:0], packet...)
	*queue = append(*queue, b)
	p.bytes += len(packet)
	wait.Signal(p.more)
}

// Stale forgets what waits if that is more than is worth sending. It calls drop with each packet that was never sent, and
// tells whether it forgot anything.
func (p *Pacer) Stale(drop func(packet []byte)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if float64(p.bytes) < maxBacklog.Seconds()*p.bucket.rate/pacingFactor {
		return false
	}
	for _, b := range p.waiting {
		drop(*b)
	}
	p.clear()
	return true
}

func (p *Pacer) clear() {
	for _, b := range append(p.again, p.waiting...) {
		p.spare.Put(b)
	}
	p.again, p.waiting, p.bytes = nil, nil, 0
}

// Run sends what waits until ctx ends; what waits then is forgotten.
func (p *Pacer) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			p.clear()
			return
		case <-timer.C:
		case <-p.more:
		}
		timer.Reset(p.flush())
	}
}

// flush sends what may leave and returns when more may.
func (p *Pacer) flush() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.bytes > 0 {
		queue, send := &p.waiting, p.send
		if len(p.again) > 0 {
			queue, send = &p.again, p.sendAgain
		}
		b := (*queue)[0]
		if delay := p.bucket.take(p.now(), len(*b)); delay > 0 {
			return delay
		}
		*queue = (*queue)[1:]
		p.bytes -= len(*b)
		send(*b)
		p.spare.Put(b)
	}
	return time.Hour
}
