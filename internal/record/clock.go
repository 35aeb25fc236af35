// SPDX-License-Identifier: Apache-2.0

package record

import (
	"slices"
	"time"
)

const (
	// maxReports is how many sender reports are remembered. The median counts, because each is a little wrong.
	maxReports = 9
	// stepped is a change of the peer's clock against ours that says that somebody set it.
	stepped = time.Second
	// absurd is a difference to the time of arrival that says that the reports are of no use: those of a sender whose two
	// clocks have nothing to do with each other.
	absurd = 2 * time.Second
	// reportLimit is how long a stream waits for its first sender report. They come every second.
	reportLimit = 3 * time.Second
	// arrivalWindow is over how long the fastest arrival counts.
	arrivalWindow = 5 * time.Second

	// A time that is off by more than tolerance is corrected by slew, and at once by more than jump.
	tolerance = 4 * time.Millisecond
	slew      = 0.02
	jump      = 400 * time.Millisecond
)

// ntpEpoch is the beginning of NTP's time (RFC 5905) by that of Unix, in seconds.
const ntpEpoch = -2208988800

// clock says when by our clock the peer captured what comes. Sender reports give the time by the peer's clock, the same for
// picture and voice, so that both are together as they were there. Without useful reports the time of arrival counts.
type clock struct {
	began time.Time // the zero of all times
	// ways are by how much later by our clock the newest reports came than they were sent by the peer's. The fastest one
	// counts.
	ways []time.Duration
	set  int // how often somebody set the peer's clock
}

// stream is one run of one sender of the peer.
type stream struct {
	clock *clock
	id    uint64
	rate  int

	begun bool
	first time.Duration // when the first packet came
	last  uint32
	ticks int64 // of last, from the first packet on

	starts []time.Duration // when tick 0 was by the peer's clock, by each of the newest reports, since 1970
	set    int             // how often that clock was set before these reports

	came            bool
	arrival, before time.Duration // when tick 0 would have come with the fastest packet of this window, and of the one before
	since           time.Duration // when this window began

	known  bool
	offset time.Duration // of tick 0, as it is used now
	looked time.Duration
}

// unwrap returns the ticks since the first packet of the stream.
func (s *stream) unwrap(ticks uint32, at time.Time) int64 {
	if !s.begun {
		s.begin(ticks, at)
	}
	s.ticks += int64(int32(ticks - s.last))
	s.last = ticks
	return s.ticks
}

func (s *stream) begin(ticks uint32, at time.Time) {
	s.begun, s.last, s.first = true, ticks, at.Sub(s.clock.began)
}

func (s *stream) duration(ticks int64) time.Duration {
	return time.Duration(float64(ticks) / float64(s.rate) * float64(time.Second))
}

// arrived takes what has come completely.
func (s *stream) arrived(ticks int64, at time.Time) {
	now := at.Sub(s.clock.began)
	start := now - s.duration(ticks)
	if !s.came {
		s.came, s.arrival, s.before, s.since = true, start, start, now
	}
	if now-s.since > arrivalWindow {
		s.before, s.arrival, s.since = s.arrival, start, now
	}
	s.arrival = min(s.arrival, start)
}

// report takes a sender report: what time it was by the peer's clock when the RTP time was that, and when it came.
func (s *stream) report(ntp uint64, ticks uint32, at time.Time) {
	if !s.begun {
		return
	}
	sent := time.Duration(unixOf(ntp))
	way := at.Sub(s.clock.began) - sent
	if n := len(s.clock.ways); n > 0 && (way-s.clock.ways[n-1]).Abs() > stepped {
		s.clock.ways = nil
		s.clock.set++
	}
	s.forget()
	s.clock.ways = appendNewest(s.clock.ways, way)
	s.starts = appendNewest(s.starts, sent-s.duration(s.ticks+int64(int32(ticks-s.last))))
}

// forget forgets reports by a clock that was set since.
func (s *stream) forget() {
	if s.set != s.clock.set {
		s.set, s.starts = s.clock.set, nil
	}
}

func appendNewest(list []time.Duration, d time.Duration) []time.Duration {
	if len(list) == maxReports {
		list = append(list[:0], list[1:]...)
	}
	return append(list, d)
}

// unixOf is an NTP time in Unix nanoseconds.
func unixOf(ntp uint64) int64 {
	seconds, fraction := int64(ntp>>32), int64(ntp&0xffffffff)
	return (seconds+ntpEpoch)*int64(time.Second) + fraction*int64(time.Second)>>32
}

// settled says that no better time is to be expected soon.
func (s *stream) settled(now time.Time) bool {
	return s.known || len(s.starts) > 0 || now.Sub(s.clock.began)-s.first > reportLimit
}

// look brings the offset nearer to what is known.
func (s *stream) look(now time.Time) {
	at := now.Sub(s.clock.began)
	passed := at - s.looked
	s.looked = at
	s.forget()
	want := min(s.arrival, s.before)
	if len(s.starts) > 0 {
		sorted := slices.Sorted(slices.Values(s.starts))
		reported := sorted[len(sorted)/2] + slices.Min(s.clock.ways)
		if (reported - want).Abs() < absurd {
			want = reported
		}
	}
	off := want - s.offset
	switch {
	case !s.known || off.Abs() > jump:
		s.known, s.offset = true, want
	case off.Abs() > tolerance:
		most := time.Duration(slew * float64(passed))
		s.offset += min(max(off, -most), most)
	}
}

// time is when something was captured, by our clock.
func (s *stream) time(ticks int64) time.Duration { return s.offset + s.duration(ticks) }
