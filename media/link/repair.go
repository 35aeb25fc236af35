// SPDX-License-Identifier: Apache-2.0

package link

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	// askAgainAfter is how long beyond the round trip a missing packet is awaited before it is asked for again. pion's
	// NACK generator asks each interval anew, whatever the round trip.
	askAgainAfter = 10 * time.Millisecond

	// maxDisorder bounds how long a missing packet is awaited before it is asked for.
	maxDisorder = 10 * time.Millisecond

	// maxMissing bounds what a flood of gaps can make us remember; beyond it a key frame is cheaper.
	maxMissing = 256

	// resendInterval is the shortest time between two copies of one packet.
	resendInterval = 5 * time.Millisecond

	// historyLength is how many packets can be sent again: 1.5 s at 6 Mbit/s.
	historyLength = 1024
)

// repair asks for missing packets (RFC 4585, generic NACK). The zero value works, and one without enabled asks nothing.
type repair struct {
	enabled  bool
	missing  []missingPacket // in order of their numbers
	disorder time.Duration   // how late packets come that were not lost
}

type missingPacket struct {
	number uint64
	since  time.Time
	due    time.Time
}

// gap notes that the packets from lo to hi are missing.
func (r *repair) gap(now time.Time, lo, hi uint64) {
	if len(r.missing) > 0 {
		lo = max(lo, r.missing[len(r.missing)-1].number+1)
	}
	if !r.enabled || hi < lo || hi-lo >= maxMissing {
		return
	}
	for n := lo; n <= hi; n++ {
		r.missing = append(r.missing, missingPacket{n, now, now.Add(r.disorder)})
	}
	if over := len(r.missing) - maxMissing; over > 0 {
		r.missing = slices.Delete(r.missing, 0, over)
	}
}

// arrived notes that a packet came after all. One that comes sooner than an answer can was not lost: those after it get
// as much time before they are asked for.
func (r *repair) arrived(now time.Time, rtt time.Duration, number uint64) {
	r.disorder -= r.disorder / 256
	if i, ok := slices.BinarySearchFunc(r.missing, number, func(m missingPacket, n uint64) int {
		switch {
		case m.number < n:
			return -1
		case m.number > n:
			return 1
		}
		return 0
	}); ok {
		if late := now.Sub(r.missing[i].since); late < rtt {
			r.disorder = max(r.disorder, min(late, maxDisorder))
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
		}
		if next.IsZero() || m.due.Before(next) {
			next = m.due
		}
	}
	return numbers, next
}

// history keeps the newest packets that were sent, to send them again. The zero value keeps none.
type history struct {
	packets []sentPacket // by sequence number
}

type sentPacket struct {
	header  rtp.Header
	payload []byte
	sent    time.Time // zero when there is none
}

func (h *history) enable() { h.packets = make([]sentPacket, historyLength) }

func (h *history) forget() { clear(h.packets) }

func (h *history) keep(now time.Time, header *rtp.Header, payload []byte) {
	if len(h.packets) == 0 {
		return
	}
	p := &h.packets[int(header.SequenceNumber)%len(h.packets)]
	p.header, p.payload, p.sent = header.Clone(), append(p.payload[:0], payload...), now
}

// again calls send for each packet that a NACK asks for and that may be sent again now.
func (h *history) again(now time.Time, nack *rtcp.TransportLayerNack, send func(*rtp.Header, []byte)) (count uint64) {
	if len(h.packets) == 0 {
		return 0
	}
	for _, pair := range nack.Nacks {
		pair.Range(func(number uint16) bool {
			p := &h.packets[int(number)%len(h.packets)]
			if p.sent.IsZero() || p.header.SequenceNumber != number || now.Sub(p.sent) < resendInterval {
				return true
			}
			p.sent = now
			count++
			send(&p.header, p.payload)
			return true
		})
	}
	return count
}
