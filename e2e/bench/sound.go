// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"os"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// The voice is a short tone now and then, so far apart that none is taken for the next one.
var ticks = testbed.Tone{Hz: 1000, Volume: 0.8, On: 20 * time.Millisecond, Period: 900 * time.Millisecond}

const (
	// onset is the level from which on something is heard, of 32768, and quiet the pause that must be before it.
	onset = 6000
	quiet = 100 * time.Millisecond
	// longestDelay is what a tick may take: one that takes longer is none.
	longestDelay = 800 * time.Millisecond
)

// sound is a sound server with a mouth, the sink that a microphone stands behind, and an ear, the one that is listened to.
type sound struct {
	pulse      *testbed.Pulse
	mouth, ear *recorder
}

func newSound(tb testbed.TB) *sound {
	s := &sound{pulse: testbed.NewPulse(tb)}
	s.mouth = s.record(tb, testbed.MicrophoneSink+".monitor")
	s.ear = s.record(tb, testbed.Headphones+".monitor")
	s.pulse.PlayTone(testbed.MicrophoneSink, ticks)
	return s
}

// record listens to a source as long as tb lives.
func (s *sound) record(tb testbed.TB, source string) *recorder {
	r := &recorder{quiet: int(quiet.Seconds() * testbed.SampleRate)}
	testbed.Start(tb, testbed.Command{
		Name: "pacat --record", Path: "pacat",
		Args: []string{"--record", "--device=" + source, "--client-name=bench", "--raw", "--format=s16le", "--rate=48000", "--channels=1",
			"--latency-msec=10", "--process-time-msec=5"},
		Env: append(os.Environ(), s.pulse.Env()...), Stdout: r, Measures: true,
	})
	return r
}

// delays are those from mouth to ear of the ticks in a window.
func (s *sound) delays(from, to time.Time) []time.Duration {
	var out []time.Duration
	heard := s.ear.onsets()
	for _, said := range s.mouth.onsets() {
		if said.Before(from) || said.After(to) {
			continue
		}
		for _, h := range heard {
			if d := h.Sub(said); d > 0 && d < longestDelay {
				out = append(out, d)
				break
			}
		}
	}
	return out
}

// recorder notes when sounds begin in the 16 bit samples that are written to it. What it is told in one piece has ended
// when it is told; both recorders of a sound have the same delay of their own, which so drops out.
type recorder struct {
	quiet int // samples of the pause before a sound

	mu     sync.Mutex
	rest   []byte
	silent int // samples since the last loud one
	begins []time.Time
}

func (r *recorder) Write(b []byte) (int, error) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	data := append(r.rest, b...)
	samples := len(data) / 2
	for i := range samples {
		level := int(int16(binary.LittleEndian.Uint16(data[2*i:])))
		if level < onset && level > -onset {
			r.silent++
			continue
		}
		if r.silent >= r.quiet {
			r.begins = append(r.begins, now.Add(-time.Duration(samples-i)*time.Second/testbed.SampleRate))
		}
		r.silent = 0
	}
	r.rest = append(r.rest[:0], data[2*samples:]...)
	return len(b), nil
}

func (r *recorder) onsets() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.begins...)
}
