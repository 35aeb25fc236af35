// SPDX-License-Identifier: Apache-2.0

package link

import "time"

const (
	// gapPatience is how long a missing packet may still be on its way, out of order, before the picture counts as
	// damaged. Longer than the disorder of real paths, shorter than two pictures.
	gapPatience = 30 * time.Millisecond

	// askInterval is the shortest time between two requests for a key frame.
	askInterval = 250 * time.Millisecond

	// maxGaps bounds what a flood of gaps can make us remember.
	maxGaps = 64
)

// picture decides when to ask for a key frame: at the start of a stream, and when a packet was lost since the newest
// key frame began. It asks again until the key frame comes, since the request or the frame may be lost too.
type picture struct {
	needed  bool   // a key frame is
	sps     bool   // the stream's parameter sets were seen: without them no key frame can be decoded
	key     uint64 // number of the packet in which the newest key frame begins
	gaps    gaps
	lost    uint64 // the newest packet that was given up
	lastAsk time.Time
	repair  time.Duration // how long beyond gapPatience a missing packet may take because it is sent again
	hold    time.Time     // parameter sets came, so the key frame is on its way: no request until then
}

// gaps are the holes in a stream that may yet be filled, in order.
type gaps []gap

// gap are missing packets that may yet come.
type gap struct {
	lo, hi uint64
	due    time.Time
}

// expire forgets the holes that are due and returns the last number of those that were not filled, or 0.
func (g *gaps) expire(now time.Time, s *sequence) (lost uint64) {
	for len(*g) > 0 && !now.Before((*g)[0].due) {
		if first := (*g)[0]; s.missing(first.lo, first.hi) {
			lost = first.hi
		}
		*g = (*g)[1:]
	}
	return lost
}

// packet notes that a packet has come as the newest or late, with the highest number before it.
func (p *picture) packet(now time.Time, payload []byte, n, before uint64, pl place) {
	sps, idr := h264KeyFrame(payload)
	if sps {
		p.sps, p.hold = true, now.Add(gapPatience)
	}
	if idr && p.sps {
		p.needed = false
		p.key = max(p.key, n)
	}
	if pl != newest || n == before+1 {
		return
	}
	if len(p.gaps) == maxGaps {
		p.gaps = p.gaps[:0]
		p.needed = true
	}
	p.gaps = append(p.gaps, gap{lo: before + 1, hi: n - 1, due: now.Add(gapPatience + p.repair)})
}

// ask tells whether to ask for a key frame now, and otherwise when to call it again; zero is not before the next packet.
func (p *picture) ask(now time.Time, s *sequence) (bool, time.Time) {
	if lost := p.gaps.expire(now, s); lost > 0 {
		p.lost = lost
		// What is missing before a key frame does not hurt the pictures after it.
		p.needed = p.needed || lost > p.key && s.missing(p.key, lost)
	}
	if p.needed {
		next := p.lastAsk.Add(askInterval)
		if next.Before(p.hold) {
			next = p.hold
		}
		if !now.Before(next) {
			p.lastAsk = now
			return true, now.Add(askInterval)
		}
		return false, next
	}
	if len(p.gaps) > 0 {
		return false, p.gaps[0].due
	}
	return false, time.Time{}
}

// H.264 NAL unit types, and those that RFC 6184 adds for RTP.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// h264KeyFrame tells whether an RTP payload holds a sequence parameter set and whether an IDR picture begins in it.
func h264KeyFrame(payload []byte) (sps, idr bool) {
	if len(payload) < 2 {
		return false, false
	}
	switch nal := payload[0] & 0x1f; nal {
	case nalSTAPA:
		for rest := payload[1:]; len(rest) > 2; {
			size := int(rest[0])<<8 | int(rest[1])
			rest = rest[2:]
			if size == 0 || size > len(rest) {
				break
			}
			s, i := h264Unit(rest[0]&0x1f, rest[1:size])
			sps, idr = sps || s, idr || i
			rest = rest[size:]
		}
		return sps, idr
	case nalFUA:
		if start := payload[1]&0x80 != 0; !start {
			return false, false
		}
		return h264Unit(payload[1]&0x1f, payload[2:])
	default:
		return h264Unit(nal, payload[1:])
	}
}

// h264Unit judges one NAL unit, or the first fragment of one, by its type and what follows its header.
func h264Unit(nal byte, body []byte) (sps, idr bool) {
	switch nal {
	case nalSPS:
		return true, false
	case nalIDR:
		// The slice header begins with first_mb_in_slice as an Exp-Golomb number, and 0 is a single 1 bit. Any other
		// slice than the first is no beginning: x264's zerolatency cuts each picture into several.
		return false, len(body) > 0 && body[0]&0x80 != 0
	default:
		return false, false
	}
}
