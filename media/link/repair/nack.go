// SPDX-License-Identifier: Apache-2.0

package link

import (
	"slices"
	"time"
)

const (
	// askAgainAfter is how long beyond the round trip a missing packet is awaited before it is asked for again. pion's
	// NACK generator asks each interval anew, whatever the round trip.
	askAgainAfter = 10 * time.Millisecond

	// tailPatience is how long after its newest packet a picture may be incomplete before the packets after that are asked
	// for: nothing may come for a while that shows them missing. It holds for tailSpan after each gap.
	tailPatience = 12 * time.Millisecond
	tailSpan     = 30 * time.Second
	tailLength   = 8

	// maxDisorder bounds how long a missing packet is awaited before it is asked for.
	maxDisorder = 10 * time.Millisecond

	// maxMissing bounds what a flood of gaps can make us remember; beyond it a key frame is cheaper.
	maxMissing = 256
)

// repair asks for missing packets (RFC 4585, generic NACK). The zero value works, and one without enabled asks nothing.
type repair struct {
	enabled  bool
	missing  []missingPacket // in order of their numbers
	disorder time.Duration   // how late packets come that were not lost
	parity   time.Time       // when parity came last
	hole     time.Time       // when a gap was seen last
	tail     time.Time       // when the rest of the newest picture is overdue; zero while none is awaited
}

type missingPacket struct {
	number uint64
	since  time.Time
	due    time.Time

	guessed bool // nothing has shown that it was sent
}

// gap notes that the packets from lo to hi are missing.
func (r *repair) gap(now time.Time, lo, hi uint64) {
	r.hole = now
	wait := r.disorder
	if now.Sub(r.parity) < time.Second {
		wait = max(wait, parityWait)
	}
	for i := range r.missing {
		if m := &r.missing[i]; m.guessed && m.number >= lo && m.number <= hi {
			*m = missingPacket{number: m.number, since: now, due: now.Add(wait)}
		}
	}
	r.add(missingPacket{since: now, due: now.Add(wait)}, lo, hi)
}

// guess notes that the packets from lo to hi may have been sent and be missing. They are asked for once.
func (r *repair) guess(now time.Time, lo, hi uint64) {
	r.add(missingPacket{since: now, due: now.Add(r.disorder), guessed: true}, lo, hi)
}

// add appends the packets from lo to hi that are not in the list yet.
func (r *repair) add(m missingPacket, lo, hi uint64) {
	if len(r.missing) > 0 {
		lo = max(lo, r.missing[len(r.missing)-1].number+1)
	}
	if !r.enabled || hi < lo || hi-lo >= maxMissing {
		return
	}
	for m.number = lo; m.number <= hi; m.number++ {
		r.missing = append(r.missing, m)
	}
	if over := len(r.missing) - maxMissing; over > 0 {
		r.missing = slices.Delete(r.missing, 0, over)
	}
}

// await notes the newest packet, and whether its picture goes on after it.
func (r *repair) await(now time.Time, more bool) {
	r.tail = time.Time{}
	if more && now.Sub(r.hole) < tailSpan {
		r.tail = now.Add(tailPatience)
	}
}

// overdue notes that what follows the newest packet is missing, if it should have come by now.
func (r *repair) overdue(now time.Time, newest uint64) {
	if !r.tail.IsZero() && !now.Before(r.tail) {
		r.tail = time.Time{}
		r.guess(now, newest+1, newest+tailLength)
	}
}

// arrived notes that a packet came after all. One that comes sooner than an answer can was not lost: those after it get
// as much time before they are asked for.
func (r *repair) arrived(now time.Time, rtt time.Duration, number uint64) {
	r.disorder -= r.disorder / 4096
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
			r.disorder = max(r.disorder, min(late+late/4, maxDisorder))
		}
		r.missing = slices.Delete(r.missing, i, i+1)
	}
}

// ask returns the numbers to ask for now, and when to call again; zero is not before the next gap. Packets that are
// older than patience are given up.
func (r *repair) ask(now time.Time, rtt, patience time.Duration) (numbers []uint16, next time.Time) {
	r.missing = slices.DeleteFunc(r.missing, func(m missingPacket) bool { return now.Sub(m.since) > patience })
	for i := range r.missing {
		m := &r.missing[i]
		if !m.due.After(now) {
			numbers = append(numbers, uint16(m.number))
			m.due = now.Add(rtt + askAgainAfter)
			if m.guessed {
				m.due = m.since.Add(patience + time.Nanosecond)
			}
		}
		next = sooner(next, m.due)
	}
	return numbers, sooner(next, r.tail)
}

// sooner returns the earlier one of two times, of which a zero one is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
