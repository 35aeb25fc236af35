// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
)

// TestRealMovedStreams: where another program moves a stream at the sound server, the friend hears nothing instead of what
// they should not, and the user is told when that goes on.
func TestRealMovedStreams(t *testing.T) {
	testbed.Need(t)
	p := newPair(t)
	p.goOnAir(t)
	p.awaitVoices(t)
	const music = 2000 // Hz
	moveVoice := func() {
		t.Helper()
		p.bob.Pulse.Pactl("move-source-output", strconv.Itoa(voiceStream(t, p.bob.Pulse)), testbed.Headphones+".monitor")
	}
	hearsNot := func(hz float64) error { return p.alice.HearsNot(hz, listen) }

	// What Bob hears is Alice.
	moveVoice()
	if err := hearsNot(p.alice.Voice.Hz); err != nil {
		t.Errorf("Alice hears herself when Bob's recording stream was moved: %v", err)
	}
	testbed.Await(t, "Alice hears Bob again", voiceLimit, func() error { return p.alice.HearsOnly(p.bob, listen) })

	stop := p.bob.Pulse.PlayTone("costream_topeer", testbed.Tone{Hz: music})
	p.bobC.AwaitProblem(e2e.OnAirWithPeer, "plays into costream_topeer", voiceLimit)
	if err := hearsNot(music); err != nil {
		t.Errorf("Alice hears another program of Bob's: %v", err)
	}
	stop()
	testbed.Await(t, "Alice hears Bob when that has ended", voiceLimit, func() error { return p.alice.HearsOnly(p.bob, listen) })

	// As often as it is put back.
	testbed.Await(t, "Bob is told", voiceLimit, func() error {
		for _, problem := range p.bobC.Last().Problems {
			if problem != "" {
				return nil
			}
		}
		moveVoice()
		return errors.New("no problem yet")
	})
	p.bobC.AwaitProblem(e2e.OnAirWithPeer, "has moved the recording stream of costream-obs to "+testbed.Headphones+".monitor", voiceLimit)
	if err := hearsNot(p.alice.Voice.Hz); err != nil {
		t.Errorf("Alice hears herself when Bob's recording stream is moved again and again: %v", err)
	}
	finds := func(word string) error {
		found := p.bob.Doctor(binary, "--only=audio.place")
		if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, word) }) {
			return fmt.Errorf("got %q", found)
		}
		return nil
	}
	if err := finds("fail audio.place: At the sound server, the recording stream of costream-obs is on " + testbed.Headphones + ".monitor."); err != nil {
		t.Errorf("Bob's doctor: %v", err)
	}
	p.bob.Pulse.Pactl("move-source-output", strconv.Itoa(voiceStream(t, p.bob.Pulse)), "costream_topeer.monitor")
	testbed.Await(t, "Bob's doctor finds all in its place", voiceLimit, func() error { return finds("ok audio.place") })
}

// voiceStream is the number of the stream that a costream-obs records what it sends from.
func voiceStream(t *testing.T, pulse *testbed.Pulse) int {
	t.Helper()
	return streamNumber(t, pulse, "source-outputs", map[string]string{media.StreamProperty: media.StreamVoice})
}

// monitoringStream is the number of the stream by which OBS plays an input that it monitors.
func monitoringStream(t *testing.T, pulse *testbed.Pulse, input string) int {
	t.Helper()
	return streamNumber(t, pulse, "sink-inputs", map[string]string{"application.name": "OBS", "media.name": input})
}

// streamNumber awaits a stream with these properties.
func streamNumber(t *testing.T, pulse *testbed.Pulse, kind string, properties map[string]string) int {
	t.Helper()
	number := -1
	testbed.Await(t, fmt.Sprintf("one of %s with %v", kind, properties), 10*time.Second, func() error {
		var streams []struct {
			Index      int
			Properties map[string]string
		}
		if err := json.Unmarshal([]byte(pulse.Pactl("-f", "json", "list", kind)), &streams); err != nil {
			return err
		}
		for _, s := range streams {
			both := maps.Clone(s.Properties)
			maps.Copy(both, properties)
			if maps.Equal(both, s.Properties) {
				number = s.Index
				return nil
			}
		}
		return errors.New("there is none")
	})
	return number
}
