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
	counts   Counts
	missed   [missedLength]missedPacket // by the low bits of their number
}

// missedLength is how many numbers back it is known when a packet was missed: 0.5 s at 6 Mbit/s.
const missedLength = 512

// missedPacket is when a packet was missed; the zero time for one that was not.
type missedPacket struct {
	number uint16
	at     time.Time
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

// Arrival is what a FeedbackRecorder must know of a packet.
type Arrival struct {
	SSRC   uint32
	Number uint16 // transport-wide
	Bytes  int    // of the datagram
	// Again is how soon after it was missed a packet may come that was sent again. What comes sooner has only been
	// overtaken. 0 where that is not known.
	Again time.Duration
}

// Arrived notes a packet, and returns how many before it are missing that were not missed until now.
func (f *FeedbackRecorder) Arrived(now time.Time, a Arrival) (missing int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Bytes += uint64(a.Bytes)
	f.recorder.Record(a.SSRC, a.Number, now.Sub(f.began).Microseconds())
	step := int16(a.Number - f.next)
	if f.counting && step < 0 {
		f.late(now, a)
		return 0
	}
	if f.counting {
		missing = int(step)
	}
	for i := range min(missing, missedLength) {
		number := a.Number - 1 - uint16(i)
		f.missed[number%missedLength] = missedPacket{number, now}
	}
	f.counts.Packets += uint64(missing) + 1
	f.counts.Lost += uint64(missing)
	f.counting, f.next = true, a.Number+1
	return missing
}

// late notes a packet that came after a later one: if it was overtaken, it was not lost.
func (f *FeedbackRecorder) late(now time.Time, a Arrival) {
	m := &f.missed[a.Number%missedLength]
	if m.number == a.Number && !m.at.IsZero() && now.Sub(m.at) < a.Again {
		f.counts.Lost--
	}
	*m = missedPacket{}
}

// Counts are of what the peer sent.
func (f *FeedbackRecorder) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
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
