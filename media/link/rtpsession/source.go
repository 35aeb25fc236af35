// SPDX-License-Identifier: Apache-2.0

package rtpsession

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

// sourceFilter decides whose packets are let in. Nothing on a plain link is authenticated, so it keeps to one source,
// which is an address with port and an SSRC, while that is alive.
type sourceFilter struct {
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
func (f *sourceFilter) see(now time.Time, from netip.AddrPort, ssrc uint32) verdict {
	if ssrc == f.ended && now.Before(f.endedUntil) {
		return ignore
	}
	if !f.live {
		return f.begin(now, from, ssrc)
	}
	if from == f.source && ssrc == f.ssrc {
		f.last = now
		return accept
	}
	if f.authentic {
		if ssrc != f.ssrc {
			return f.begin(now, from, ssrc)
		}
		f.source, f.last = from, now
		return accept
	}
	silent := now.Sub(f.last)
	trusted := f.trusted(from.Addr())
	if ssrc == f.ssrc {
		// A stranger cannot guess the SSRC; the peer's address or a NAT's port has changed.
		if !trusted && silent < handover {
			return ignore
		}
		f.source, f.last = from, now
		return accept
	}
	switch {
	case from == f.source: // one socket is one sender: it was started again
	case trusted && !f.trusted(f.source.Addr()): // the peer displaces a stranger
	case silent >= handover && (trusted || from.Addr() == f.source.Addr()):
	case silent >= streamTimeout:
	default:
		return ignore
	}
	return f.begin(now, from, ssrc)
}

func (f *sourceFilter) begin(now time.Time, from netip.AddrPort, ssrc uint32) verdict {
	if f.live && ssrc != f.ssrc {
		f.end(now)
	}
	f.live, f.source, f.ssrc, f.last = true, from, ssrc, now
	return begin
}

// end lets go of a source that said goodbye or was replaced, and ignores its late packets for a while.
func (f *sourceFilter) end(now time.Time) {
	f.live = false
	f.ended, f.endedUntil = f.ssrc, now.Add(handover)
}

// expire lets go of a source that was silent for too long, and tells whether it did. It may come back at any time.
func (f *sourceFilter) expire(now time.Time) bool {
	if !f.live || now.Sub(f.last) < streamTimeout {
		return false
	}
	f.live = false
	return true
}
