// SPDX-License-Identifier: Apache-2.0

package jitter

import (
	"math"
	"time"
)

const (
	// window is how far back, in packets, it is known which ones came: 0.8 s at 6 Mbit/s. It is also the largest
	// disorder that is not taken for a restart.
	window = 512

	// maxJump is the largest step forward that is loss. RFC 3550 A.1 has the same number.
	maxJump = 3000
)

// Sequence follows the sequence numbers of one stream: what is missing, what came late or twice, and the jitter.
type Sequence struct {
	clockRate uint32 // Hz

	started    bool
	first      uint64 // extended by the number of wraps, like all of the numbers below
	highest    uint64
	seen       [window / 64]uint64 // one bit for each of the newest numbers, at number mod window
	unique     uint64
	reordered  uint64
	duplicates uint64

	jumped   bool   // the last packet was far from all others
	jumpNext uint16 // what follows it if the sender has started to count anew

	transit uint32 // arrival minus RTP timestamp, in RTP clock ticks
	jitter  float64
	epoch   time.Time
}

// Position is where a packet stands among those before it.
type Position uint8

const (
	Newest    Position = iota // highest number up to now; there may be a gap before it
	Late                      // fills a gap
	Duplicate                 // came before, or so late that this is not known
	Outlier                   // far away from the others: garbage, or the first one after a restart
	Restart                   // follows an outlier: the sender counts anew
)

// NewSequence returns what is known of a stream before its first packet. The clock rate is that of its timestamps, in Hz.
func NewSequence(clockRate uint32) Sequence { return Sequence{clockRate: clockRate} }

// Add notes a packet and returns its extended number and its position. On Newest, the numbers between the former highest
// one, which is returned too, and this one are missing.
func (s *Sequence) Add(now time.Time, number uint16, timestamp uint32) (n, before uint64, p Position) {
	if !s.started {
		s.started = true
		s.epoch = now
		// Starting one wrap up keeps numbers before the first one positive.
		n = 1<<16 + uint64(number)
		s.first, s.highest, s.unique = n, n, 1
		s.mark(n)
		s.transit = s.ticks(now) - timestamp
		return n, n - 1, Newest
	}
	before = s.highest
	step := int64(int16(number - uint16(s.highest)))
	if step > maxJump || step <= -window {
		if s.jumped && number == s.jumpNext {
			return 0, before, Restart
		}
		s.jumped, s.jumpNext = true, number+1
		return 0, before, Outlier
	}
	s.jumped = false
	n = uint64(int64(s.highest) + step)
	switch {
	case step > 0:
		for i := s.highest + 1; i < n && i <= s.highest+window; i++ {
			s.clear(i)
		}
		if n-s.highest > window {
			s.seen = [window / 64]uint64{}
		}
		s.highest = n
		p = Newest
	case s.has(n):
		s.duplicates++
		return n, before, Duplicate
	default:
		s.reordered++
		s.first = min(s.first, n)
		p = Late
	}
	s.mark(n)
	s.unique++
	transit := s.ticks(now) - timestamp
	s.jitter += (math.Abs(float64(int32(transit-s.transit))) - s.jitter) / 16
	s.transit = transit
	return n, before, p
}

// Lost is how many numbers never came.
func (s *Sequence) Lost() int64 {
	if !s.started {
		return 0
	}
	return int64(s.highest-s.first+1) - int64(s.unique)
}

// Missing tells whether any number from lo to hi, which is not above the highest, is known not to have come.
func (s *Sequence) Missing(lo, hi uint64) bool {
	for n := max(lo, s.highest-min(s.highest, window-1)); n <= hi; n++ {
		if !s.has(n) {
			return true
		}
	}
	return hi >= lo && lo+window <= s.highest // forgotten: what came too late is as good as lost
}

// Started tells whether any packet came.
func (s *Sequence) Started() bool { return s.started }

// Highest is the highest number that came, extended like all of them.
func (s *Sequence) Highest() uint64 { return s.highest }

// Reordered is how many packets came after a later one.
func (s *Sequence) Reordered() uint64 { return s.reordered }

// Duplicates is how many packets came more than once, or too late to know.
func (s *Sequence) Duplicates() uint64 { return s.duplicates }

// Jitter is the interarrival jitter as RFC 3550, 6.4.1 defines it.
func (s *Sequence) Jitter() time.Duration {
	return time.Duration(s.jitter / float64(s.clockRate) * float64(time.Second))
}

func (s *Sequence) ticks(now time.Time) uint32 {
	d := now.Sub(s.epoch)
	return uint32(uint64(d/time.Second)*uint64(s.clockRate) + uint64(d%time.Second)*uint64(s.clockRate)/uint64(time.Second))
}

func (s *Sequence) mark(n uint64)     { s.seen[n%window/64] |= 1 << (n % 64) }
func (s *Sequence) clear(n uint64)    { s.seen[n%window/64] &^= 1 << (n % 64) }
func (s *Sequence) has(n uint64) bool { return s.seen[n%window/64]&(1<<(n%64)) != 0 }
