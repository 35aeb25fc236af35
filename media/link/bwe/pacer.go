// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"sync"
	"time"
)

const (
	// burst is how much of the rate may leave at once: a usual picture leaves the moment it is there, and only what is more
	// than twice as large, such as a key frame, is spread.
	burst = 70 * time.Millisecond

	// haste is how much faster than the rate packets leave that had to wait.
	haste = 1.5

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
	b.rate = haste * float64(bits) / 8
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

// pacer spreads the packets of large pictures, so that they neither overflow a queue on the path nor stand in the way of
// sound. Packets pass at once where none wait. Its send function must not block, since it is called with mu held.
type pacer struct {
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

func newPacer(now func() time.Time, rate int, send, sendAgain func([]byte)) *pacer {
	p := &pacer{
		now: now, send: send, sendAgain: sendAgain, more: make(chan struct{}, 1),
		spare: sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }},
	}
	p.bucket.setRate(now(), rate)
	p.bucket.level = p.bucket.depth
	return p
}

func (p *pacer) setRate(bits int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bucket.setRate(p.now(), bits)
}

// put sends a packet, which is copied, at once or later.
func (p *pacer) put(packet []byte) { p.queue(packet, &p.waiting, p.send) }

// putAgain does so with a datagram that is sent another time, before all others.
func (p *pacer) putAgain(datagram []byte) { p.queue(datagram, &p.again, p.sendAgain) }

func (p *pacer) queue(packet []byte, queue *[]*[]byte, send func([]byte)) {
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
	signal(p.more)
}

// stale forgets what waits if that is more than is worth sending. It calls drop with each packet that was never sent, and
// tells whether it forgot anything.
func (p *pacer) stale(drop func(packet []byte)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if float64(p.bytes) < maxBacklog.Seconds()*p.bucket.rate/haste {
		return false
	}
	for _, b := range p.waiting {
		drop(*b)
	}
	p.clear()
	return true
}

func (p *pacer) clear() {
	for _, b := range append(p.again, p.waiting...) {
		p.spare.Put(b)
	}
	p.again, p.waiting, p.bytes = nil, nil, 0
}

// run sends what waits until ctx ends; what waits then is forgotten.
func (p *pacer) run(ctx context.Context) {
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
func (p *pacer) flush() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.bytes > 0 {
		queue, send := &p.waiting, p.send
		if len(p.again) > 0 {
			queue, send = &p.again, p.sendAgain
		}
		b := (*queue)[0]
		if wait := p.bucket.take(p.now(), len(*b)); wait > 0 {
			return wait
		}
		*queue = (*queue)[1:]
		p.bytes -= len(*b)
		send(*b)
		p.spare.Put(b)
	}
	return time.Hour
}
