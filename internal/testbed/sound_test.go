// SPDX-License-Identifier: Apache-2.0

package testbed_test

import (
	"math"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestToneLevel(t *testing.T) {
	samples := testbed.Tone{Hz: 1000}.Samples(100 * time.Millisecond)
	if got, want := testbed.ToneLevel(samples, 1000), 0.5; math.Abs(got-want) > 0.01 {
		t.Errorf("level of 1 kHz: got %.3f, want %.3f", got, want)
	}
	if got := testbed.ToneLevel(samples, 440); got > 0.01 {
		t.Errorf("level of 440 Hz: got %.3f, want none", got)
	}
}

func TestCheckBursts(t *testing.T) {
	tone := testbed.Tone{Hz: 1000, On: 100 * time.Millisecond, Period: 500 * time.Millisecond}
	const level = 0.05
	for _, test := range []struct {
		name string
		echo time.Duration
		gain float64
		once bool
	}{
		{"alone", 0, 0, true},
		{"inaudible echo", 200 * time.Millisecond, 0.01, true},
		{"echo after the burst", 200 * time.Millisecond, 0.3, false},
		{"echo that touches the burst", 80 * time.Millisecond, 0.3, false},
		{"echo between two bursts", 250 * time.Millisecond, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			samples := tone.Samples(3 * time.Second)
			delay := int(test.echo.Seconds() * testbed.SampleRate)
			for i, s := range tone.Samples(3*time.Second - test.echo) {
				samples[delay+i] += test.gain * s
			}
			if err := testbed.CheckBursts(samples, tone, level); (err == nil) != test.once {
				t.Errorf("heard once: got %v, want %v (%v)", err == nil, test.once, err)
			}
		})
	}
	if err := testbed.CheckBursts(make([]float64, 3*testbed.SampleRate), tone, level); err == nil {
		t.Error("silence passes as a tone")
	}
}

func TestRealTones(t *testing.T) {
	testbed.Need(t)
	p := testbed.NewPulse(t)
	tone := testbed.Tone{Hz: 1000, On: 100 * time.Millisecond, Period: 500 * time.Millisecond}
	p.PlayTone(testbed.MicrophoneSink, tone)
	sound := p.Record(testbed.Microphone, 3*time.Second)
	if err := testbed.CheckBursts(sound, tone, 0.1); err != nil {
		t.Error(err)
	}
	if bursts := testbed.Bursts(sound, 440, 0.02); len(bursts) != 0 {
		t.Errorf("440 Hz: got %v, want none", bursts)
	}
	silence := p.Record(testbed.Headphones+".monitor", 300*time.Millisecond)
	if got := testbed.ToneLevel(silence, 1000); got > 0.001 {
		t.Errorf("1 kHz in the headphones: got level %.3f, want none", got)
	}
}

func TestRealPulseRestart(t *testing.T) {
	testbed.Need(t)
	p := testbed.NewPulse(t)
	p.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 440})
	p.Restart()
	testbed.Await(t, "the tone is back after a restart of PulseAudio", 10*time.Second, func() error {
		if got := testbed.ToneLevel(p.Record(testbed.Microphone, 100*time.Millisecond), 440); got < 0.3 {
			return errLevel(got)
		}
		return nil
	})
}
