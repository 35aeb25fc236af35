// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
)

const (
	// RetryMargin is how long beyond the round trip a missing packet is awaited before it is asked for again. pion's
	// NACK generator asks each interval anew, whatever the round trip.
	RetryMargin = 10 * time.Millisecond

	// tailTimeout is how long after its newest packet a picture may be incomplete before the packets after that are asked
	// for: nothing may come for a while that shows them missing. It holds for tailSpan after each gap.
	tailTimeout = 12 * time.Millisecond
	tailSpan    = 30 * time.Second
	tailLength  = 8

	// maxReordering bounds how long a missing packet is awaited before it is asked for.
	maxReordering = 10 * time.Millisecond

	// maxMissing bounds what a flood of gaps can make us remember; beyond it a key frame is cheaper.
	maxMissing = 256
)

// NACKGenerator says which missing packets to ask for (RFC 4585, generic NACK), and when. The zero value works; without
// Enabled it asks for nothing. Not safe for concurrent use.
type NACKGenerator struct {
	Enabled bool

	missing    []missingPacket // in order of their numbers
	reordering time.Duration   // how late packets come that were not lost
	parityAt   time.Time       // when parity came last
	lastGap    time.Time       // when a gap was seen last
	tailDue    time.Time       // when the rest of the newest picture is overdue; zero while none is awaited
}

type missingPacket struct {
	number uint64
	since  time.Time
	due    time.Time

	guessed bool // nothing has shown that it was sent
}

// Begin forgets what is missing, for a new stream.
func (r *NACKGenerator) Begin() { r.missing, r.tailDue = r.missing[:0], time.Time{} }

// ParityCame notes that packets of parity come, which may restore what is missing before it is asked for.
func (r *NACKGenerator) ParityCame(now time.Time) { r.parityAt = now }

// Gap notes that the packets from lo to hi are missing.
func (r *NACKGenerator) Gap(now time.Time, lo, hi uint64) {
	r.lastGap = now
	delay := r.reordering
	if now.Sub(r.parityAt) < time.Second {
		delay = max(delay, parityWait)
	}
	for i := range r.missing {
		if m := &r.missing[i]; m.guessed && m.number >= lo && m.number <= hi {
			*m = missingPacket{number: m.number, since: now, due: now.Add(delay)}
		}
	}
	r.add(missingPacket{since: now, due: now.Add(delay)}, lo, hi)
}

// Guess notes that the packets from lo to hi may have been sent and be missing. They are asked for once.
func (r *NACKGenerator) Guess(now time.Time, lo, hi uint64) {
	r.add(missingPacket{since: now, due: now.Add(r.reordering), guessed: true}, lo, hi)
}

// add appends the packets from lo to hi that are not in the list yet.
func (r *NACKGenerator) add(m missingPacket, lo, hi uint64) {
	if len(r.missing) > 0 {
		lo = max(lo, r.missing[len(r.missing)-1].number+1)
	}
	if !r.Enabled || hi < lo || hi-lo >= maxMissing {
		return
	}
	for m.number = lo; m.number <= hi; m.number++ {
		r.missing = append(r.missing, m)
	}
	if over := len(r.missing) - maxMissing; over > 0 {
		r.missing = slices.Delete(r.missing, 0, over)
	}
}

// Newest notes the newest packet, and whether its picture goes on after it.
func (r *NACKGenerator) Newest(now time.Time, more bool) {
	r.tailDue = time.Time{}
	if more && now.Sub(r.lastGap) < tailSpan {
		r.tailDue = now.Add(tailTimeout)
	}
}

// CheckTail notes that what follows the newest packet is missing, if it should have come by now.
func (r *NACKGenerator) CheckTail(now time.Time, newest uint64) {
	if !r.tailDue.IsZero() && !now.Before(r.tailDue) {
		r.tailDue = time.Time{}
		r.Guess(now, newest+1, newest+tailLength)
	}
}

// Arrived notes that a packet came after all. One that comes sooner than an answer can was not lost: those after it get
// as much time before they are asked for.
func (r *NACKGenerator) Arrived(now time.Time, rtt time.Duration, number uint64) {
	r.reordering -= r.reordering / 4096
	if i, ok := slices.BinarySearchFunc(r.missing, number, func(m missingPacket, n uint64) int {
		switch {
		case m.number < n:
			return -1
		case m.number > n:
			return 1
		}
		return 0
	}); ok {
		if late := now.Sub(r.missing[i].since); late < rtt && !r.missing[i].guessed {
			r.reordering = max(r.reordering, min(late+late/4, maxReordering))
		}
		r.missing = slices.Delete(r.missing, i, i+1)
	}
}

// Ask returns the numbers to ask for now, and when to call again; zero is not before the next gap. Packets that are
// older than patience are given up.
func (r *NACKGenerator) Ask(now time.Time, rtt, patience time.Duration) (numbers []uint16, next time.Time) {
	r.missing = slices.DeleteFunc(r.missing, func(m missingPacket) bool { return now.Sub(m.since) > patience })
	for i := range r.missing {
		m := &r.missing[i]
		if !m.due.After(now) {
			numbers = append(numbers, uint16(m.number))
			m.due = now.Add(rtt + RetryMargin)
			if m.guessed {
				m.due = m.since.Add(patience + time.Nanosecond)
			}
		}
		next = wait.Earlier(next, m.due)
	}
	return numbers, wait.Earlier(next, r.tailDue)
}
