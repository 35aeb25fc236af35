// SPDX-License-Identifier: Apache-2.0

package record

import (
	"sync"
	"time"
)

// medium is what a packet is of.
type medium int

const (
	pictures medium = iota
	voice
)

// maxQueue is how many bytes wait for the disk: 10 s of a picture of 6 Mbit/s.
const maxQueue = 8 << 20

// maxItems bounds how many of them there are.
const maxItems = 1 << 16

// queue takes what comes from the link and keeps it until the recorder looks for it, which it does a few times a second: to
// wake it for each packet costs more than all the rest. Its methods may be called from any goroutine.
type queue struct {
	mu    sync.Mutex
	batch batch
	full  bool // something was dropped since the last take
}

// batch is what came, in its order.
type batch struct {
	data  []byte
	items []item
}

// item is a packet, or a sender report if it has no bytes.
type item struct {
	medium medium
	stream uint64
	at     time.Time
	end    int // of its bytes in data
	size   int

	ntp uint64
	rtp uint32
}

// put takes an item with its bytes, and reports whether it is the first one that was dropped because the queue is full.
func (q *queue) put(i item, data []byte) (overflow bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := &q.batch
	if q.full || len(b.data)+len(data) > maxQueue || len(b.items) >= maxItems {
		overflow, q.full = !q.full, true
		return overflow
	}
	b.data = append(b.data, data...)
	i.end, i.size = len(b.data), len(data)
	b.items = append(b.items, i)
	return false
}

// take returns what came since the last time, and whether something after that was dropped. used is the batch of the last time,
// whose memory is used again.
func (q *queue) take(used batch) (b batch, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b, full = q.batch, q.full
	q.batch, q.full = batch{data: used.data[:0], items: used.items[:0]}, false
	return b, full
}

func (b *batch) bytes(i item) []byte { return b.data[i.end-i.size : i.end] }
