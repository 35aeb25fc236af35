// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media/link"
)

// inboxPackets is how many packets wait while a receiver is being built: 1 s of a 6 Mbit/s picture.
const inboxPackets = 640

// rebuildAfter is the least time between two attempts to build a receiver.
const rebuildAfter = 500 * time.Millisecond

// receiver is a media.VideoReceiver or media.AudioReceiver.
type receiver interface {
	Push(packet []byte)
	Run(ctx context.Context) error
	Pipeline
}

// inbox takes the packets of one medium from the link and owns the receiver that plays them. A new stream gets a new
// receiver, and a failed receiver is replaced.
type inbox struct {
	medium link.Medium
	build  func() (receiver, error)
	// failed gets why there is no receiver, or nil when there is one again.
	failed func(error)
	// lost is called by put for each packet that the full inbox drops; the link considers it received. It may be nil.
	lost func()
	log  *slog.Logger

	packets chan inPacket
	free    sync.Pool

	renewed atomic.Bool  // a new receiver must be built
	held    atomic.Int64 // delay of each packet, in nanoseconds

	mu      sync.Mutex
	current receiver
}

type inPacket struct {
	stream uint64
	at     time.Time // when it came
	data   *[]byte
}

func newInbox(medium link.Medium, build func() (receiver, error), failed func(error), log *slog.Logger) *inbox {
	return &inbox{
		medium: medium, build: build, failed: failed, log: log,
		packets: make(chan inPacket, inboxPackets),
		free:    sync.Pool{New: func() any { b := make([]byte, 0, 1500); return &b }},
	}
}

// put takes a packet of the link and does not block. A full inbox drops it.
func (b *inbox) put(s link.Stream, packet []byte) {
	data := b.free.Get().(*[]byte)
	*data = append((*data)[:0], packet...)
	select {
	case b.packets <- inPacket{stream: s.ID, at: time.Now(), data: data}:
	default:
		b.free.Put(data)
		if b.lost != nil {
			b.lost()
		}
	}
}

// hold delays each packet by d from its arrival. The inbox has room for about a second.
func (b *inbox) hold(d time.Duration) { b.held.Store(int64(d)) }

// renew makes the inbox build a new receiver with the next packet.
func (b *inbox) renew() { b.renewed.Store(true) }

// ripen waits until a packet's delay is over.
func (b *inbox) ripen(ctx context.Context, p inPacket) {
	wait := time.Duration(b.held.Load()) - time.Since(p.at)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// running is the current receiver, or nil.
func (b *inbox) running() receiver {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

func (b *inbox) setCurrent(r receiver) {
	b.mu.Lock()
	b.current = r
	b.mu.Unlock()
}

// playing is a receiver and its stream.
type playing struct {
	receiver
	stop  context.CancelFunc
	ended chan error
}

func play(ctx context.Context, r receiver) *playing {
	ctx, stop := context.WithCancel(ctx)
	p := &playing{receiver: r, stop: stop, ended: make(chan error, 1)}
	go func() { p.ended <- r.Run(ctx) }()
	return p
}

// run plays streams until ctx ends.
func (b *inbox) run(ctx context.Context) {
	var (
		stream  uint64
		now     *playing
		retryAt time.Time
	)
	drop := func() {
		if now != nil {
			b.setCurrent(nil)
			now.stop()
			<-now.ended
			now = nil
		}
	}
	defer drop()
	for {
		var ended chan error
		if now != nil {
			ended = now.ended
		}
		select {
		case <-ctx.Done():
			return
		case err := <-ended:
			b.setCurrent(nil)
			now.stop()
			now = nil
			b.failed(err)
			b.log.Warn("receiver failed, building it again", "medium", b.medium, "error", err)
			retryAt = time.Now().Add(rebuildAfter)
		case p := <-b.packets:
			b.ripen(ctx, p)
			if p.stream != stream || b.renewed.Swap(false) {
				drop()
				stream, retryAt = p.stream, time.Time{}
			}
			if now == nil && time.Now().After(retryAt) {
				r, err := b.build()
				b.failed(err)
				if err != nil {
					retryAt = time.Now().Add(rebuildAfter)
				} else {
					now = play(ctx, r)
					b.setCurrent(r)
				}
			}
			if now != nil {
				now.Push(*p.data)
			}
			b.free.Put(p.data)
		}
	}
}
