// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"time"
)

const (
	// streamTimeout is how long a source may be silent before its stream is over and anyone may take its place.
	streamTimeout = 2 * time.Second

	// handover is how long a source must be silent before another one at the same peer takes its place. It is shorter
	// than streamTimeout so that a 2020 sender that was killed and started again is back sooner: it has a new port and
	// SSRC then and says no goodbye. Longer than the pause between two pictures at any sensible frame rate, because
	// two senders at one peer must not take turns.
	handover = 500 * time.Millisecond
)

// latch decides whose packets are let in. Nothing on a plain link is authenticated, so it holds on to one source,
// which is an address with port and an SSRC, while that is alive.
type latch struct {
	authentic bool // only the peer's packets come here: its newest SSRC is right, wherever it comes from

	trusted func(netip.Addr) bool // whether the address is one of the configured peer's

	live   bool
	source netip.AddrPort
	ssrc   uint32
	last   time.Time

	ended      uint32 // the SSRC before this one: its stragglers must not bring it back
	endedUntil time.Time
}

type verdict uint8

const (
	ignore verdict = iota // not from our source
	accept                // the current stream goes on
	begin                 // a new stream
)

// see judges one packet.
func (l *latch) see(now time.Time, from netip.AddrPort, ssrc uint32) verdict {
	if ssrc == l.ended && now.Before(l.endedUntil) {
		return ignore
	}
	if !l.live {
		return l.begin(now, from, ssrc)
	}
	if from == l.source && ssrc == l.ssrc {
		l.last = now
		return accept
	}
	if l.authentic {
		if ssrc != l.ssrc {
			return l.begin(now, from, ssrc)
		}
		l.source, l.last = from, now
		return accept
	}
	silent := now.Sub(l.last)
	trusted := l.trusted(from.Addr())
	if ssrc == l.ssrc {
		// A stranger cannot guess the SSRC; the peer's address or a NAT's port has changed.
		if !trusted && silent < handover {
			return ignore
		}
		l.source, l.last = from, now
		return accept
	}
	switch {
	case from == l.source: // one socket is one sender: it was started again
	case trusted && !l.trusted(l.source.Addr()): // the peer displaces a stranger
	case silent >= handover && (trusted || from.Addr() == l.source.Addr()):
	case silent >= streamTimeout:
	default:
		return ignore
	}
	return l.begin(now, from, ssrc)
}

func (l *latch) begin(now time.Time, from netip.AddrPort, ssrc uint32) verdict {
	if l.live && ssrc != l.ssrc {
		l.end(now)
	}
	l.live, l.source, l.ssrc, l.last = true, from, ssrc, now
	return begin
}

// end lets go of a source that said goodbye or was replaced, and ignores its late packets for a while.
func (l *latch) end(now time.Time) {
	l.live = false
	l.ended, l.endedUntil = l.ssrc, now.Add(handover)
}

// expire lets go of a source that was silent for too long, and tells whether it did. It may come back at any time.
func (l *latch) expire(now time.Time) bool {
	if !l.live || now.Sub(l.last) < streamTimeout {
		return false
	}
	l.live = false
	return true
}
