// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"net/netip"
	"time"

	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
	"github.com/costream-obs/costream-obs/media/link/jitter"
	"github.com/costream-obs/costream-obs/media/link/repair"
)

const (
	// soundReserve is how long sound may wait for a packet that was lost: less than the speakers have in hand.
	soundReserve = 40 * time.Millisecond

	// copyTimeout is how long it waits for a copy, which comes with the next packet.
	copyTimeout = 15 * time.Millisecond
)

// ask asks for what is missing, packets or a key frame, if that is due. It returns when to look again, and the last
// packet that was given up.
func (r *Receiver) ask(now time.Time) (again time.Time, lost uint64) {
	if r.o.Medium == Video {
		var due bool
		due, again = r.keyFrames.Ask(now, &r.sequence)
		lost = r.keyFrames.Lost()
		if due {
			r.send(&rtcp.PictureLossIndication{SenderSSRC: r.ssrc, MediaSSRC: r.info.SSRC})
			r.stats.KeyFrameRequests++
		}
	} else {
		lost = r.gaps.Expire(now, &r.sequence)
		again = r.gaps.Due()
	}
	if !r.nack.Enabled {
		return again, lost
	}
	r.nack.CheckTail(now, r.sequence.Highest())
	numbers, next := r.nack.Ask(now, r.o.RTT(), r.timeout(now))
	if len(numbers) > 0 {
		r.send(&rtcp.TransportLayerNack{SenderSSRC: r.ssrc, MediaSSRC: r.info.SSRC, Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)})
		r.stats.Requested += uint64(len(numbers))
	}
	return wait.Earlier(again, next), lost
}

// timeout is how long a missing packet may take: the way of the question and the answer, twice for pictures since one
// of them may be lost too, and what packets are late anyway. Sound cannot wait for longer than it has in reserve.
func (r *Receiver) timeout(now time.Time) time.Duration {
	jitter := min(r.sequence.Jitter(), repair.ReorderTolerance)
	switch {
	case r.o.Medium == Video:
		return r.keyFrames.Timeout()
	case r.twice(now):
		return copyTimeout
	case r.asks(now):
		return min(r.o.RTT()+repair.RetryMargin+jitter, soundReserve)
	default:
		return 0
	}
}

// asks tells whether missing packets are asked for: where they can come in time, and no copy comes anyway.
func (r *Receiver) asks(now time.Time) bool {
	return r.o.Medium == Video || !r.twice(now) && r.o.RTT()+repair.RetryMargin <= soundReserve
}

// twice tells whether each packet comes a second time.
func (r *Receiver) twice(now time.Time) bool { return now.Sub(r.lastTwice) < time.Second }

// ComesTwice notes that each packet comes a second time.
func (r *Receiver) ComesTwice() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastTwice = r.o.Now()
}

// noteLoss notes what is missing, to ask for it. More tells that the picture goes on after this packet.
func (r *Receiver) noteLoss(now time.Time, n, before uint64, at jitter.Position, more bool) {
	switch {
	case !r.nack.Enabled:
		return
	case n > before+1 && at == jitter.Newest && r.o.Medium == Audio:
		r.gaps.Add(before+1, n-1, now.Add(r.timeout(now)))
		if r.asks(now) {
			r.nack.Gap(now, before+1, n-1)
		}
	case n > before+1 && at == jitter.Newest:
		r.nack.Gap(now, before+1, n-1)
	}
	r.nack.Arrived(now, r.o.RTT(), n)
	if at == jitter.Newest && r.o.Medium == Video {
		r.nack.Newest(now, more)
	}
	// Two round trips: the request or what it brings may be lost too.
	r.keyFrames.AllowResend(2*r.o.RTT() + 3*repair.RetryMargin + min(r.sequence.Jitter(), repair.ReorderTolerance))
}

// SuspectLoss asks for packets that were sent after the newest one, by the transport-wide numbers, and may be this medium's.
func (r *Receiver) SuspectLoss(count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info == nil || !r.sequence.Started() {
		return
	}
	r.nack.Guess(r.o.Now(), r.sequence.Highest()+1, r.sequence.Highest()+uint64(count))
	r.wake()
}

// ReadParity takes the payload of a packet of parity, and packets that it restores.
func (r *Receiver) ReadParity(from netip.AddrPort, payload []byte) {
	p, ok := repair.ParseParity(payload)
	if !ok {
		return
	}
	for _, packet := range r.restore(p) {
		r.ReadRTP(from, packet)
	}
}

func (r *Receiver) restore(p repair.ParityPacket) [][]byte {
	r.calls.Lock()
	defer r.calls.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.info == nil || r.info.SSRC != p.SSRC || r.assembler == nil {
		return nil
	}
	r.nack.ParityCame(r.o.Now())
	highest := r.sequence.Highest()
	packets, missing := r.assembler.Packets(uint64(int64(highest)+int64(int16(p.First-uint16(highest)))), p.Count)
	restored := r.parity.Restore(p, packets, missing)
	r.stats.Restored += uint64(len(restored))
	return restored
}
