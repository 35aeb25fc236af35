// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

const (
	// soundReserve is how long sound may wait for a packet that was lost: less than the speakers have in hand.
	soundReserve = 40 * time.Millisecond

	// copyPatience is how long it waits for a copy, which comes with the next packet.
	copyPatience = 15 * time.Millisecond
)

// ask asks for what is missing, packets or a key frame, if that is due. It returns when to look again, and the last
// packet that was given up.
func (r *receiver) ask(now time.Time) (again time.Time, lost uint64) {
	if r.medium == Video {
		var due bool
		due, again = r.picture.ask(now, &r.sequence)
		lost = r.picture.lost
		if due {
			r.send(&rtcp.PictureLossIndication{SenderSSRC: r.ssrc, MediaSSRC: r.info.SSRC})
			r.stats.KeyFrameRequests++
		}
	} else {
		lost = r.gaps.expire(now, &r.sequence)
		if len(r.gaps) > 0 {
			again = r.gaps[0].due
		}
	}
	if !r.repair.enabled {
		return again, lost
	}
	r.repair.overdue(now, r.sequence.highest)
	numbers, next := r.repair.ask(now, r.rtt(), r.patience(now))
	if len(numbers) > 0 {
		r.send(&rtcp.TransportLayerNack{SenderSSRC: r.ssrc, MediaSSRC: r.info.SSRC, Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)})
		r.stats.Requested += uint64(len(numbers))
	}
	return sooner(again, next), lost
}

// patience is how long a missing packet may take: the way of the question and the answer, twice for pictures since one
// of them may be lost too, and what packets are late anyway. Sound cannot wait for longer than it has in reserve.
func (r *receiver) patience(now time.Time) time.Duration {
	jitter := min(r.sequence.jitterTime(), gapPatience)
	switch {
	case r.medium == Video:
		return gapPatience + r.picture.repair
	case r.twice(now):
		return copyPatience
	case r.asks(now):
		return min(r.rtt()+askAgainAfter+jitter, soundReserve)
	default:
		return 0
	}
}

// asks tells whether missing packets are asked for: where they can come in time, and no copy comes anyway.
func (r *receiver) asks(now time.Time) bool {
	return r.medium == Video || !r.twice(now) && r.rtt()+askAgainAfter <= soundReserve
}

// twice tells whether each packet comes a second time.
func (r *receiver) twice(now time.Time) bool { return now.Sub(r.lastTwice) < time.Second }

// comesTwice notes that each packet comes a second time.
func (r *receiver) comesTwice() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastTwice = r.now()
}

// mend notes what is missing, to ask for it. More tells that the picture goes on after this packet.
func (r *receiver) mend(now time.Time, n, before uint64, at place, more bool) {
	switch {
	case !r.repair.enabled:
		return
	case n > before+1 && at == newest && r.medium == Audio:
		r.gaps = append(r.gaps, gap{lo: before + 1, hi: n - 1, due: now.Add(r.patience(now))})
		if r.asks(now) {
			r.repair.gap(now, before+1, n-1)
		}
	case n > before+1 && at == newest:
		r.repair.gap(now, before+1, n-1)
	}
	r.repair.arrived(now, r.rtt(), n)
	if at == newest && r.medium == Video {
		r.repair.await(now, more)
	}
	// Two round trips: the request or what it brings may be lost too.
	r.picture.repair = 2*r.rtt() + 3*askAgainAfter + min(r.sequence.jitterTime(), gapPatience)
}

// suspect asks for packets that were sent after the newest one, by the transport-wide numbers, and may be this medium's.
func (r *receiver) suspect(count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info == nil || !r.sequence.started {
		return
	}
	r.repair.guess(r.now(), r.sequence.highest+1, r.sequence.highest+uint64(count))
	r.wake()
}

// readParity takes the payload of a packet of parity, and packets that it restores.
func (r *receiver) readParity(from netip.AddrPort, payload []byte) {
	p, ok := readParity(payload)
	if !ok {
		return
	}
	for _, packet := range r.restore(p) {
		r.readRTP(from, packet)
	}
}

func (r *receiver) restore(p parity) [][]byte {
	r.calls.Lock()
	defer r.calls.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info == nil || r.info.SSRC != p.ssrc || r.assembly == nil {
		return nil
	}
	r.repair.parity = r.now()
	highest := r.sequence.highest
	packets, missing := r.assembly.packets(uint64(int64(highest)+int64(int16(p.first-uint16(highest)))), p.count)
	sum, weighted := p.sum, []byte(nil)
	if p.kind == paritySum {
		p.sum = append(r.parity.sum[:0], p.sum...)
		r.parity = p
	} else {
		sum, weighted = nil, p.sum
		if r.parity.ssrc == p.ssrc && r.parity.first == p.first && r.parity.count == p.count {
			sum = r.parity.sum
		}
	}
	if missing == 0 {
		return nil
	}
	restored := restore(packets, sum, weighted)
	r.stats.Restored += uint64(len(restored))
	return restored
}
