// SPDX-License-Identifier: Apache-2.0

// Package lipsync computes how long a peer's voice or picture must wait so that
// both are seen and heard together.
//
// For each of them it computes the latency from the peer's camera or microphone
// to the user's eye or ear. The sender reports say when a packet was captured,
// and the caller says how long it takes after its arrival. The two machines'
// clocks may differ, because the difference is in both latencies. The package is
// only arithmetic: it reads no clock, delays nothing and knows no media.
package lipsync

import (
	"slices"
	"sync"
	"time"
)

const (
	// MostWait is the longest wait that is asked for. It is more than any delay of
	// OBS's that was measured, and bounds what the waiting packets hold.
	MostWait = 400 * time.Millisecond
	// absurd is a difference that says that the reports are of no use: those of a
	// sender whose two clocks have nothing to do with each other.
	absurd = 2 * time.Second
	// looks is how many differences the middle is taken of, and enough how many it
	// takes to begin.
	looks  = 5
	enough = 3
	// tolerance is the change that is not worth one.
	tolerance = 4 * time.Millisecond
	// slew is by how much the wait changes in a second. A voice that is played
	// 2 % slower for that is hardly heard to be.
	slew = 20 * time.Millisecond
	// standstill is a time between two looks in which this process must have been
	// stopped, as with the whole machine.
	standstill = 3 * time.Second
)

// Waits are how long each medium must wait beyond what it takes. One of them is
// always 0.
type Waits struct {
	Video, Audio time.Duration
}

// Sync is the controller of one peer. Its methods may be called from any
// goroutine.
type Sync struct {
	mu           sync.Mutex
	began        time.Time // when the first packet arrived, which is the zero of our clock
	offset       time.Duration
	video, audio path
	differences  []time.Duration
	wait         time.Duration // of the voice; negative for the picture
	begun        bool
	last         time.Time
}

// Medium is the side of a Sync for one medium.
type Medium struct {
	sync *Sync
	path *path
}

// New makes a controller of a peer of whom nothing is known yet. With a positive
// offset the voice comes by that much later than it should by all that is known,
// with a negative one sooner.
func New(offset time.Duration) *Sync {
	return &Sync{offset: offset, video: path{rate: 90000}, audio: path{rate: 48000}}
}

// Video is the picture's side.
func (s *Sync) Video() Medium { return Medium{s, &s.video} }

// Audio is the voice's side.
func (s *Sync) Audio() Medium { return Medium{s, &s.audio} }

// Report takes the newest sender report of a stream: the NTP time in the format
// of RFC 3550, the RTP time of what was captured then, and when the report came.
func (m Medium) Report(stream uint64, ntp uint64, rtp uint32, at time.Time) {
	m.sync.mu.Lock()
	defer m.sync.mu.Unlock()
	if m.sync.began.IsZero() {
		m.sync.began = at
	}
	m.begin(stream)
	m.path.report(ntp, rtp)
	m.path.travelled(ntp, at.Sub(m.sync.began))
}

// Arrived takes the RTP time of a packet, and when it came. Of a picture it
// should be the packet that completes it.
func (m Medium) Arrived(stream uint64, rtp uint32, at time.Time) {
	m.sync.mu.Lock()
	defer m.sync.mu.Unlock()
	if m.sync.began.IsZero() {
		m.sync.began = at
	}
	m.begin(stream)
	m.path.arrived(rtp, at.Sub(m.sync.began))
}

// begin notes the stream that something is of. With another one there was a break,
// in which the wait may have become another, and after which it need not change
// slowly.
func (m Medium) begin(stream uint64) {
	if m.path.begin(stream) {
		m.sync.again()
	}
}

// Latency is what the way of one medium took at the last Look.
type Latency struct {
	Transit time.Duration // from the peer's camera or microphone to the arrival here
	Output  time.Duration // from there to the eye or ear, without the wait
	Wait    time.Duration
}

// Total is from the peer's camera or microphone to the eye or ear.
func (l Latency) Total() time.Duration { return l.Transit + l.Output + l.Wait }

// Latency returns the latency of both media, as far as it is known. To know by how
// much the two clocks differ it needs the time that a packet takes from the peer to
// here: half of the round-trip time, if both ways take equally long.
func (s *Sync) Latency(network time.Duration) (video, audio Latency, seen, heard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Both media come from one clock, and the fastest report was held up least.
	fastest := append(slices.Clone(s.video.ways), s.audio.ways...)
	if len(fastest) == 0 {
		return video, audio, false, false
	}
	ahead := slices.Min(fastest) - network
	of := func(p *path, wait time.Duration) (Latency, bool) {
		return Latency{Transit: p.transit - ahead, Output: p.output, Wait: wait}, p.measured
	}
	video, seen = of(&s.video, max(-s.wait, 0))
	audio, heard = of(&s.audio, max(s.wait, 0))
	return video, audio, seen, heard
}

// Apart is by how much later the picture is seen than the voice is heard, as far as
// that is known. It needs no clock.
func (s *Sync) Apart() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.video.transit + s.video.output - s.audio.transit - s.audio.output - s.wait, s.video.measured && s.audio.measured
}

// again works the wait out anew. Until it is known the old one stays.
func (s *Sync) again() { s.begun, s.differences = false, s.differences[:0] }

// Output says how long the medium takes from its arrival to the eye or ear, not
// counting the wait.
func (m Medium) Output(latency time.Duration) {
	m.sync.mu.Lock()
	defer m.sync.mu.Unlock()
	m.path.output, m.path.known = latency, true
}

// Look works the waits out anew, once a second or so. As long as not all is
// known, as with a peer who sends no reports, they stay as they are: 0 at first.
func (s *Sync) Look(now time.Time) Waits {
	s.mu.Lock()
	defer s.mu.Unlock()
	video, seen := s.video.latency()
	audio, heard := s.audio.latency()
	elapsed := now.Sub(s.last)
	if elapsed > standstill && !s.last.IsZero() {
		// What has come since waited for us, and not on its way.
		seen = false
		s.again()
	}
	s.last = now
	if seen && heard {
		s.compare(video-audio+s.offset, elapsed)
	}
	return Waits{Video: max(-s.wait, 0), Audio: max(s.wait, 0)}
}

// compare takes by how much the picture comes later than the voice.
func (s *Sync) compare(difference, elapsed time.Duration) {
	if len(s.differences) == looks {
		s.differences = append(s.differences[:0], s.differences[1:]...)
	}
	s.differences = append(s.differences, difference)
	if len(s.differences) < enough {
		return
	}
	want := middle(s.differences)
	switch {
	case want.Abs() > absurd:
		want = 0
	case want.Abs() > MostWait:
		want = min(max(want, -MostWait), MostWait)
	}
	if !s.begun {
		s.begun, s.wait = true, want
		return
	}
	if (want - s.wait).Abs() <= tolerance {
		return
	}
	step := min(time.Duration(float64(slew)*elapsed.Seconds()), 2*slew)
	s.wait += min(max(want-s.wait, -step), step)
}
