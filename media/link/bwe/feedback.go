// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// FeedbackInterval is the time between two reports about the packets that came: short enough to see a queue grow before
// it is full, at a cost of some 30 kbit/s.
const FeedbackInterval = 25 * time.Millisecond

// FeedbackRecorder notes when the peer's packets came, by their transport-wide numbers, and reports that. Safe for
// concurrent use.
type FeedbackRecorder struct {
	ssrc  uint32 // ours, in reports
	began time.Time

	mu       sync.Mutex
	recorder *twcc.Recorder
	next     uint16 // number of the next packet
	counting bool   // next is known
}

// NewFeedbackRecorder returns a recorder whose reports have an SSRC as their sender.
func NewFeedbackRecorder(now time.Time, ssrc uint32) *FeedbackRecorder {
	f := &FeedbackRecorder{ssrc: ssrc, began: now}
	f.Begin()
	return f
}

// Begin forgets all packets, since the peer counts anew.
func (f *FeedbackRecorder) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recorder, f.counting = twcc.NewRecorder(f.ssrc), false
}

// Arrived notes a packet, and returns how many before it are missing that were not missed until now.
func (f *FeedbackRecorder) Arrived(now time.Time, ssrc uint32, number uint16) (missing int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recorder.Record(ssrc, number, now.Sub(f.began).Microseconds())
	step := int16(number - f.next)
	if f.counting && step < 0 {
		return 0
	}
	if f.counting {
		missing = int(step)
	}
	f.counting, f.next = true, number+1
	return missing
}

// Report passes on the reports about what came since the last call, if anything did.
func (f *FeedbackRecorder) Report(send func([]byte)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.recorder.PacketsHeld() == 0 {
		return
	}
	for _, p := range f.recorder.BuildFeedbackPacket() {
		// A report alone is a reduced-size packet (RFC 5506).
		if b, err := p.Marshal(); err == nil {
			send(b)
		}
	}
}
