// SPDX-License-Identifier: Apache-2.0

package call

import (
	"slices"
	"time"
)

const (
	// leastBuffer is how much of the peer's voice the sound server holds if it comes in time, and mostBuffer the most that
	// it gets.
	leastBuffer = 25 * time.Millisecond
	mostBuffer  = 100 * time.Millisecond
	// lateBear is how often within lateTime the sound server may come late before the buffer grows.
	lateBear = 4
	lateTime = 10 * time.Second
)

// voiceBuffer decides how much of the peer's voice the sound server holds. A sound server without real-time priority, such
// as PipeWire without rtkit, asks for sound too late, and the voice breaks off some thirty times a minute (measured,
// PipeWire 1.4.2). A larger buffer avoids that, at the cost of delay.
type voiceBuffer struct {
	size time.Duration
	late []time.Time
}

// note takes how often the sound server came late since the last call, and reports whether the buffer grew.
func (b *voiceBuffer) note(late int, now time.Time) (grew bool) {
	if b.size == 0 {
		b.size = leastBuffer
	}
	b.late = slices.DeleteFunc(b.late, func(at time.Time) bool { return now.Sub(at) > lateTime })
	for range min(late, lateBear+1) {
		b.late = append(b.late, now)
	}
	if len(b.late) <= lateBear || b.size >= mostBuffer {
		return false
	}
	b.size = min(2*b.size, mostBuffer)
	b.late = nil
	return true
}
