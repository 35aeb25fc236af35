// SPDX-License-Identifier: Apache-2.0

package lipsync

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// peer sends a picture and a voice in virtual time.
type peer struct {
	sync   *Sync
	random *rand.Rand
	began  time.Time
	ahead  time.Duration // the peer's clock of ours

	videoTakes, audioTakes time.Duration // from the capture to the arrival
	reportTakes            time.Duration // from the sending of a report to its arrival
	jitter                 time.Duration
	audioFast              float64 // the peer's sound card against its clock
	silent                 bool    // no sender reports
	stream                 uint64
	elapsed                time.Duration
	waits                  Waits
}

func newPeer(offset time.Duration) *peer {
	return &peer{
		sync: New(offset), random: rand.New(rand.NewPCG(1, 2)), stream: 1,
		began: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ahead: 1000 * time.Hour,
	}
}

// ntp is a time in the format of RFC 3550.
func ntp(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

func (p *peer) noise(d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}
	return time.Duration(p.random.Int64N(int64(d)))
}

// second plays a second and returns the waits after it.
func (p *peer) second() Waits {
	// Both counters wrap around soon.
	videoTime := func(d time.Duration) uint32 { return 0xffff0000 + uint32(int64(d.Seconds()*90000)) }
	audioTime := func(d time.Duration) uint32 {
		return 0xfff00000 + uint32(int64(d.Seconds()*48000*(1+p.audioFast)))
	}
	video, audio := p.sync.Video(), p.sync.Audio()
	if !p.silent {
		for _, m := range []struct {
			side Medium
			rtp  func(time.Duration) uint32
		}{{video, videoTime}, {audio, audioTime}} {
			late := p.noise(p.jitter)
			m.side.Report(p.stream, ntp(p.began.Add(p.ahead+p.elapsed+late)), m.rtp(p.elapsed), p.began.Add(p.elapsed+late+p.reportTakes))
		}
	}
	for i := range 100 {
		at := p.elapsed + time.Duration(i)*10*time.Millisecond
		audio.Arrived(p.stream, audioTime(at), p.began.Add(at+p.audioTakes+p.noise(p.jitter)))
		if i%3 == 0 {
			video.Arrived(p.stream, videoTime(at), p.began.Add(at+p.videoTakes+p.noise(p.jitter)))
		}
	}
	p.elapsed += time.Second
	p.waits = p.sync.Look(p.began.Add(p.elapsed))
	return p.waits
}

func (p *peer) after(seconds int) Waits {
	for range seconds {
		p.second()
	}
	return p.waits
}

const ms = time.Millisecond

func near(a, b Waits, d time.Duration) bool {
	return (a.Video-b.Video).Abs() <= d && (a.Audio-b.Audio).Abs() <= d
}

func TestTheEarlierOneWaits(t *testing.T) {
	tests := []struct {
		name                   string
		videoTakes, audioTakes time.Duration
		videoOut, audioOut     time.Duration
		offset                 time.Duration
		want                   Waits
	}{
		{"together", 20 * ms, 20 * ms, 30 * ms, 30 * ms, 0, Waits{}},
		{"voice first", 120 * ms, 20 * ms, 30 * ms, 30 * ms, 0, Waits{Audio: 100 * ms}},
		{"picture first", 20 * ms, 60 * ms, 10 * ms, 70 * ms, 0, Waits{Video: 100 * ms}},
		{"at the outputs alone", 20 * ms, 20 * ms, 90 * ms, 40 * ms, 0, Waits{Audio: 50 * ms}},
		{"by hand later", 120 * ms, 20 * ms, 30 * ms, 30 * ms, 40 * ms, Waits{Audio: 140 * ms}},
		{"by hand sooner", 120 * ms, 20 * ms, 30 * ms, 30 * ms, -140 * ms, Waits{Video: 40 * ms}},
		{"more than waits", 900 * ms, 20 * ms, 30 * ms, 30 * ms, 0, Waits{Audio: MostWait}},
		{"reports of no use", 20 * ms, time.Hour, 30 * ms, 30 * ms, 0, Waits{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(tt.offset)
			p.videoTakes, p.audioTakes, p.jitter = tt.videoTakes, tt.audioTakes, 10*ms
			p.sync.Video().Output(tt.videoOut)
			p.sync.Audio().Output(tt.audioOut)
			if got := p.after(20); !near(got, tt.want, 10*ms) {
				t.Errorf("got %v, want %v within 10ms", got, tt.want)
			}
		})
	}
}

func TestNothingIsKnown(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*peer)
	}{
		{"no reports, as of some peers of 2020", func(p *peer) {
			p.silent = true
			p.sync.Video().Output(90 * ms)
			p.sync.Audio().Output(10 * ms)
		}},
		{"no picture yet", func(p *peer) { p.sync.Audio().Output(10 * ms) }},
		{"no voice yet", func(p *peer) { p.sync.Video().Output(90 * ms) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPeer(0)
			p.videoTakes = 300 * ms
			tt.prepare(p)
			if got := p.after(10); got != (Waits{}) {
				t.Errorf("got %v, want no wait", got)
			}
		})
	}
}

// What changes later is followed slowly, and what stays is left alone.
func TestSlowly(t *testing.T) {
	p := newPeer(0)
	p.videoTakes, p.audioTakes = 100*ms, 20*ms
	p.sync.Video().Output(0)
	p.sync.Audio().Output(0)
	if got, want := p.after(20), (Waits{Audio: 80 * ms}); !near(got, want, tolerance) {
		t.Fatalf("got %v, want %v", got, want)
	}
	steady := p.waits
	p.jitter = 3 * ms
	if got := p.after(30); got != steady {
		t.Errorf("a little jitter: got %v, want %v as before", got, steady)
	}
	p.jitter, p.videoTakes = 0, 200*ms
	for range 20 {
		before := p.waits.Audio
		if got := p.second().Audio - before; got < 0 || got > slew+ms {
			t.Fatalf("got a step of %v, want at most %v", got, slew)
		}
	}
	if want := (Waits{Audio: 180 * ms}); !near(p.waits, want, tolerance) {
		t.Errorf("got %v in the end, want %v", p.waits, want)
	}
	// The peer starts again, with other timestamps.
	p.stream, p.began = 2, p.began.Add(time.Hour)
	if got, want := p.after(5), (Waits{Audio: 180 * ms}); !near(got, want, tolerance) {
		t.Errorf("after a restart: got %v, want %v", got, want)
	}
}

// The peer's sound card and its clock differ by 200 ppm for 3 hours.
func TestDriftOfThePeersSoundCard(t *testing.T) {
	for _, fast := range []float64{200e-6, -200e-6} {
		p := newPeer(0)
		p.videoTakes, p.audioTakes, p.audioFast = 100*ms, 20*ms, fast
		p.sync.Video().Output(0)
		p.sync.Audio().Output(0)
		for range 3 * 3600 / 10 {
			p.after(10)
			if want := (Waits{Audio: 80 * ms}); !near(p.waits, want, 2*tolerance) {
				t.Fatalf("%+.0f ppm, after %v: got %v, want %v", fast*1e6, p.elapsed, p.waits, want)
			}
		}
	}
}

// TestClockSet has the system's clock set while a peer is seen and heard, between the arrivals of its picture and its voice.
func TestClockSet(t *testing.T) {
	began := time.Now()
	s := New(0)
	s.Video().Output(0)
	s.Audio().Output(0)
	for _, m := range []Medium{s.Video(), s.Audio()} {
		m.Report(1, ntp(began), 0, began)
	}
	var waits Waits
	for second := range 10 {
		at := began.Add(time.Duration(second) * time.Second)
		set := at
		if second > 0 {
			set = testbed.ClockSet(t, at, time.Duration(second)*100*time.Millisecond)
		}
		s.Video().Arrived(1, uint32(90000*second), at)
		s.Audio().Arrived(1, uint32(48000*second), set)
		waits = s.Look(set)
	}
	if waits != (Waits{}) {
		t.Errorf("got %+v, want none", waits)
	}
}

// After a break the wait becomes what it must be at once, since there is nothing to hear the change in. Until that is known it
// stays as it was.
func TestAfterABreak(t *testing.T) {
	begin := func() *peer {
		p := newPeer(0)
		p.videoTakes, p.audioTakes = 100*ms, 20*ms
		p.sync.Video().Output(0)
		p.sync.Audio().Output(0)
		if got, want := p.after(10), (Waits{Audio: 80 * ms}); !near(got, want, tolerance) {
			t.Fatalf("got %v, want %v", got, want)
		}
		return p
	}
	tests := []struct {
		name  string
		pause func(*peer)
	}{
		{"of the peer", func(p *peer) { p.stream = 2 }},
		{"of ours", func(p *peer) {
			// What comes meanwhile is taken in afterwards, the voice before the picture.
			const stopped = 10 * time.Second
			wakes := p.began.Add(p.elapsed + stopped)
			for i := range 100 {
				at := p.elapsed + time.Duration(i)*30*ms
				p.sync.Audio().Arrived(p.stream, 0xfff00000+uint32(int64(at.Seconds()*48000)), wakes)
				p.sync.Video().Arrived(p.stream, 0xffff0000+uint32(int64(at.Seconds()*90000)), wakes.Add(700*ms))
			}
			p.elapsed += stopped
			if got, want := p.sync.Look(wakes.Add(700*ms)), (Waits{Audio: 80 * ms}); !near(got, want, tolerance) {
				t.Errorf("at waking: got %v, want %v", got, want)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := begin()
			tt.pause(p)
			p.videoTakes = 320 * ms
			for range enough - 1 {
				if got, want := p.second(), (Waits{Audio: 80 * ms}); !near(got, want, tolerance) {
					t.Errorf("soon after it: got %v, want %v", got, want)
				}
			}
			if got, want := p.second(), (Waits{Audio: 300 * ms}); !near(got, want, tolerance) {
				t.Errorf("after it: got %v, want %v", got, want)
			}
		})
	}
}

// TestLatency holds that the latency is known although the peer's clock is a thousand hours ahead.
func TestLatency(t *testing.T) {
	p := newPeer(0)
	if _, _, seen, heard := p.sync.Latency(0); seen || heard {
		t.Error("latencies are known before anything came")
	}
	p.videoTakes, p.audioTakes, p.reportTakes, p.jitter = 120*ms, 70*ms, 50*ms, 4*ms
	p.sync.Video().Output(30 * ms)
	if _, known := p.sync.Apart(); known {
		t.Error("what lies between picture and voice is known before anything came")
	}
	p.sync.Audio().Output(60 * ms)
	p.after(20)
	video, audio, seen, heard := p.sync.Latency(50 * ms)
	apart, known := p.sync.Apart()
	if !seen || !heard || !known {
		t.Fatalf("got known %v, %v, %v, want all", seen, heard, known)
	}
	for _, got := range []struct {
		name      string
		got, want time.Duration
	}{
		{"picture to the arrival", video.Transit, 120 * ms},
		{"picture", video.Total(), 150 * ms},
		{"voice to the arrival", audio.Transit, 70 * ms},
		{"voice", audio.Total(), 150 * ms},
		{"between them", apart, 0},
	} {
		if (got.got - got.want).Abs() > 5*ms {
			t.Errorf("%s: got %v, want %v", got.name, got.got, got.want)
		}
	}
}
