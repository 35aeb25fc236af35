// SPDX-License-Identifier: Apache-2.0

package lipsync

import (
	"slices"
	"time"
)

const (
	// maxReports is how many sender reports are remembered. The middle of them
	// counts, since each is a little wrong: a report says when a packet was
	// written, and the encoder takes now more time, now less.
	maxReports = 9
	// maxSamples is how many packets between two looks count.
	maxSamples = 256
)

// ntpEpoch is the beginning of NTP's time (RFC 5905) by that of Unix, in seconds.
const ntpEpoch = -2208988800

// path is how one medium comes from the peer's camera or microphone to the
// user's eye or ear.
type path struct {
	rate   float64 // of the RTP clock, in Hz
	stream uint64

	reported bool
	last     uint32  // RTP time of the newest report
	ticks    int64   // the same without wrapping, from the first report on
	starts   []int64 // when tick 0 was by the peer's clock, by each report, in Unix nanoseconds

	transits []time.Duration // of the packets since the last look: by our clock minus by the peer's
	output   time.Duration   // from the arrival here to the eye or ear
	known    bool            // output is

	transit  time.Duration   // at the last look, by our clock minus by the peer's
	measured bool            // transit is, and output is known
	ways     []time.Duration // of the newest reports: when they came by our clock minus when they were sent by the peer's
}

// begin forgets what is of another stream, and tells whether it is another.
func (p *path) begin(stream uint64) bool {
	if stream == p.stream {
		return false
	}
	*p = path{rate: p.rate, stream: stream, output: p.output, known: p.known, starts: p.starts[:0], transits: p.transits[:0]}
	return true
}

// report takes a sender report: the RTP time that it was at an NTP time.
func (p *path) report(ntp uint64, rtp uint32) {
	if p.reported {
		p.ticks += int64(int32(rtp - p.last))
	}
	p.reported, p.last = true, rtp
	at := unixOf(ntp)
	if len(p.starts) == maxReports {
		p.starts = append(p.starts[:0], p.starts[1:]...)
	}
	p.starts = append(p.starts, at-p.duration(p.ticks))
}

// unixOf is an NTP time in Unix nanoseconds.
func unixOf(ntp uint64) int64 {
	seconds, fraction := int64(ntp>>32), int64(ntp&0xffffffff)
	return (seconds+ntpEpoch)*int64(time.Second) + fraction*int64(time.Second)>>32
}

// travelled takes when a report came that was sent at an NTP time.
func (p *path) travelled(ntp uint64, at time.Duration) {
	if len(p.ways) == maxReports {
		p.ways = append(p.ways[:0], p.ways[1:]...)
	}
	p.ways = append(p.ways, at-time.Duration(unixOf(ntp)))
}

func (p *path) duration(ticks int64) int64 {
	return int64(float64(ticks) / p.rate * float64(time.Second))
}

// arrived takes a packet that came at a time of our clock, whose zero is anywhere.
func (p *path) arrived(rtp uint32, at time.Duration) {
	if !p.reported || len(p.transits) == maxSamples {
		return
	}
	captured := middle(p.starts) + p.duration(p.ticks+int64(int32(rtp-p.last)))
	p.transits = append(p.transits, at-time.Duration(captured))
}

// latency is the time from the peer's camera or microphone to the eye or ear,
// plus what our clock is ahead of the peer's.
func (p *path) latency() (time.Duration, bool) {
	if len(p.transits) == 0 || !p.known {
		p.measured = false
		return 0, false
	}
	p.transit, p.measured = middle(p.transits), true
	p.transits = p.transits[:0]
	return p.transit + p.output, true
}

// middle is the median.
func middle[T int64 | time.Duration](values []T) T {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
