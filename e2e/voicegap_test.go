// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealPeerVoiceStays: the viewers go on hearing the friend, and once, when another sink becomes the default, which OBS
// does not follow, and when Desktop Audio is muted or captures another device. In one of a few rounds the voice is missing
// from the stream for no more than 100 ms: more in some is the machine's load.
func TestRealPeerVoiceStays(t *testing.T) {
	testbed.Need(t)
	const (
		desktop = "Desktop Audio"
		usb     = "usb"
		loud    = 0.15 // Alice speaks with 0.3, and twice as loud where she is heard twice
		most    = 100 * time.Millisecond
		rounds  = 5
	)
	alice := e2e.Alice()
	alice.Voice = testbed.Tone{Hz: alice.Voice.Hz, Volume: 0.3}
	p := newFriends(t, alice, e2e.Bob())
	p.bob.Pulse.Pactl("load-module", "module-null-sink", "sink_name="+usb, "rate=48000")
	p.runAlice(t)
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.goOnAir(t)

	stream := func() []float64 {
		files := p.bob.Channel.Recordings()
		if len(files) == 0 {
			return nil
		}
		return p.bob.Channel.Sound(files[len(files)-1])
	}
	// steady returns when the last seconds of the stream have Alice throughout, once.
	steady := func() (length int) {
		t.Helper()
		const last = 3 * testbed.SampleRate
		testbed.Await(t, "Bob's viewers hear Alice without a break", voiceLimit, func() error {
			sound := stream()
			if length = len(sound); length < last {
				return fmt.Errorf("%d samples", length)
			}
			if longest := longestGap(sound[length-last:], alice.Voice.Hz, loud); longest > 0 {
				return fmt.Errorf("a gap of %v", longest)
			}
			if level := testbed.ToneLevel(sound[length-last:], alice.Voice.Hz); level > 0.45 {
				return fmt.Errorf("she is heard with %.2f, want 0.3", level)
			}
			return nil
		})
		return length
	}
	mute := func(muted bool) {
		p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": desktop, "inputMuted": muted}, nil)
	}
	steps := []struct {
		name string
		do   func()
	}{
		{"another sink becomes the default", func() { p.bob.Pulse.Pactl("set-default-sink", usb) }},
		{"the first one again", func() { p.bob.Pulse.Pactl("set-default-sink", testbed.Headphones) }},
		{"Desktop Audio captures another device", func() {
			p.bob.OBS.Request("SetInputSettings", testbed.D{"inputName": desktop, "inputSettings": testbed.D{"device_id": usb + ".monitor"}}, nil)
		}},
		{"and the default one again", func() {
			p.bob.OBS.Request("SetInputSettings", testbed.D{"inputName": desktop, "inputSettings": testbed.D{"device_id": "default"}}, nil)
		}},
		{"Desktop Audio is muted", func() { mute(true) }},
		{"and unmuted", func() { mute(false) }},
	}
	from := steady()
	late := make(map[string]time.Duration) // steps that have been too late in each round, with the gap of the last
	for round := range rounds {
		for _, step := range steps {
			step.do()
			before := from
			from = steady()
			longest := longestGap(stream()[before-testbed.SampleRate:], alice.Voice.Hz, loud)
			t.Logf("%s: the longest gap in Alice's voice is %v", step.name, longest)
			if _, was := late[step.name]; longest > most && (round == 0 || was) {
				late[step.name] = longest
			} else {
				delete(late, step.name)
			}
		}
		if len(late) == 0 {
			return
		}
	}
	t.Errorf("gaps of more than %v in Alice's voice in each of %d rounds: %v", most, rounds, late)
}

// longestGap is the longest time without a tone.
func longestGap(sound []float64, hz, level float64) (longest time.Duration) {
	var end time.Duration
	for _, b := range testbed.Bursts(sound, hz, level) {
		longest = max(longest, b.At-end-20*time.Millisecond) // what Bursts does not tell apart
		end = b.At + b.Length
	}
	return max(longest, time.Duration(len(sound))*time.Second/testbed.SampleRate-end-20*time.Millisecond, 0)
}
