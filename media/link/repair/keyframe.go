// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"time"

	"github.com/costream-obs/costream-obs/media/link/jitter"
)

const (
	// ReorderTolerance is how long a missing packet may still be on its way, out of order, before the picture counts as
	// damaged. Longer than the disorder of real paths, shorter than two pictures.
	ReorderTolerance = 30 * time.Millisecond

	// RequestInterval is the shortest time between two requests for a key frame.
	RequestInterval = 250 * time.Millisecond

	// maxGaps bounds what a flood of gaps can make us remember.
	maxGaps = 64
)

// KeyFrameRequester decides when to ask for a key frame: at the start of a stream, and when a packet was lost since the
// newest key frame began. It asks again until the key frame comes, since the request or the frame may be lost too. Not
// safe for concurrent use.
type KeyFrameRequester struct {
	needed  bool   // a key frame is
	sps     bool   // the stream's parameter sets were seen: without them no key frame can be decoded
	key     uint64 // number of the packet in which the newest key frame begins
	gaps    Gaps
	lost    uint64 // the newest packet that was given up
	lastAsk time.Time
	resend  time.Duration // how long beyond ReorderTolerance a missing packet may take because it is sent again
	hold    time.Time     // parameter sets came, so the key frame is on its way: no request until then
}

// Gaps are the missing packets of a stream that may yet come, in order.
type Gaps []gap

// gap are missing packets that may yet come.
type gap struct {
	lo, hi uint64
	due    time.Time
}

// Add notes that the packets from lo to hi are missing, and count as lost once they are due.
func (g *Gaps) Add(lo, hi uint64, due time.Time) { *g = append(*g, gap{lo, hi, due}) }

// Due is when the first gap is due; zero when there is none.
func (g Gaps) Due() time.Time {
	if len(g) == 0 {
		return time.Time{}
	}
	return g[0].due
}

// Expire forgets the gaps that are due and returns the last number of those that were not filled, or 0.
func (g *Gaps) Expire(now time.Time, s *jitter.Sequence) (lost uint64) {
	for len(*g) > 0 && !now.Before((*g)[0].due) {
		if first := (*g)[0]; s.Missing(first.lo, first.hi) {
			lost = first.hi
		}
		*g = (*g)[1:]
	}
	return lost
}

// Begin forgets the stream, for a new one, which needs a key frame.
func (p *KeyFrameRequester) Begin() { *p = KeyFrameRequester{needed: true, lastAsk: p.lastAsk} }

// Require makes Ask ask for a key frame although no packet is missing.
func (p *KeyFrameRequester) Require() { p.needed = true }

// AllowResend says how long beyond ReorderTolerance a missing packet may take because it is sent again.
func (p *KeyFrameRequester) AllowResend(d time.Duration) { p.resend = d }

// Timeout is how long after it was missed a packet counts as lost.
func (p *KeyFrameRequester) Timeout() time.Duration { return ReorderTolerance + p.resend }

// Lost is the newest packet that was given up; 0 when there is none.
func (p *KeyFrameRequester) Lost() uint64 { return p.lost }

// Packet notes that a packet has come as the newest or late, with the highest number before it.
func (p *KeyFrameRequester) Packet(now time.Time, payload []byte, n, before uint64, at jitter.Position) {
	sps, idr := jitter.KeyFrame(payload)
	if sps {
		p.sps, p.hold = true, now.Add(ReorderTolerance)
	}
	if idr && p.sps {
		p.needed = false
		p.key = max(p.key, n)
	}
	if at != jitter.Newest || n == before+1 {
		return
	}
	if len(p.gaps) == maxGaps {
		p.gaps = p.gaps[:0]
		p.needed = true
	}
	p.gaps.Add(before+1, n-1, now.Add(p.Timeout()))
}

// Ask tells whether to ask for a key frame now, and otherwise when to call it again; zero is not before the next packet.
func (p *KeyFrameRequester) Ask(now time.Time, s *jitter.Sequence) (bool, time.Time) {
	if lost := p.gaps.Expire(now, s); lost > 0 {
		p.lost = lost
		// What is missing before a key frame does not hurt the pictures after it.
		p.needed = p.needed || lost > p.key && s.Missing(p.key, lost)
	}
	if p.needed {
		next := p.lastAsk.Add(RequestInterval)
		if next.Before(p.hold) {
			next = p.hold
		}
		if !now.Before(next) {
			p.lastAsk = now
			return true, now.Add(RequestInterval)
		}
		return false, next
	}
	return false, p.gaps.Due()
}
