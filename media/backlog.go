// SPDX-License-Identifier: Apache-2.0

package media

import "sync/atomic"

// backlogLooks is over how many pictures the smallest backlog is sought: a second or two, in which a pipeline that keeps up
// is empty at least once.
const backlogLooks = 32

// backlog counts the pictures that a pipeline replaced by newer ones. All that is known is how many entered and how many
// left. The difference is those that were dropped, and those that are still inside, of which there are sometimes none. One
// goroutine may look while others read.
type backlog struct {
	least uint64 // of the pictures inside, in this window
	looks int
	count atomic.Uint64
}

// look takes how many pictures have entered and left, right after one has left.
func (b *backlog) look(entered, left uint64) {
	inside := entered - min(left, entered)
	if b.looks == 0 {
		b.least = inside
	}
	b.least = min(b.least, inside)
	b.looks++
	if b.looks < backlogLooks {
		return
	}
	b.looks = 0
	// Those that were dropped stay missing, so the number can only have been too high.
	b.count.Store(max(b.count.Load(), b.least))
}

// dropped is how many pictures were dropped up to a second or two ago.
func (b *backlog) dropped() uint64 { return b.count.Load() }
