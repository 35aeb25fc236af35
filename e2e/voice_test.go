// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// secondOfSound is long enough for a burst of each voice.
const secondOfSound = 1500 * time.Millisecond

// TestRealVoices: a muted microphone is not heard, what the user monitors does not reach the peer
// and is back off air, what is for the user's own ears alone reaches nobody else, and without Desktop
// Audio the peer comes into the stream by an input of ours.
func TestRealVoices(t *testing.T) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	const desktop, mic = "Desktop Audio", "Mic/Aux"
	monitorType := func(input string) string {
		var answer struct{ MonitorType string }
		p.bob.OBS.Request("GetInputAudioMonitorType", testbed.D{"inputName": input}, &answer)
		return answer.MonitorType
	}
	awaitMonitor := func(input, want string) {
		t.Helper()
		testbed.Await(t, "the monitoring of "+input, offAirLimit, func() error {
			if got := monitorType(input); got != want {
				return fmt.Errorf("got %s, want %s", got, want)
			}
			return nil
		})
	}
	// Bob monitors his Desktop Audio, and mutes it: his stream would go without it.
	p.bob.OBS.Request("SetInputAudioMonitorType", testbed.D{"inputName": desktop, "monitorType": "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"}, nil)
	const alerts, beep = "Alerts", 2000 // Hz
	p.bob.Pulse.Pactl("load-module", "module-null-sink", "sink_name="+alerts, "rate=48000")
	p.bob.Pulse.PlayTone(alerts, testbed.Tone{Hz: beep})
	p.bob.OBS.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": alerts, "inputKind": "pulse_input_capture",
		"inputSettings": testbed.D{"device_id": alerts + ".monitor"}}, nil)
	p.bob.OBS.Request("SetInputAudioMonitorType", testbed.D{"inputName": alerts, "monitorType": "OBS_MONITORING_TYPE_MONITOR_ONLY"}, nil)
	p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": desktop, "inputMuted": true}, nil)
	p.runAlice(t)
	p.runBob(t)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.goOnAir(t)
	awaitMonitor(desktop, "OBS_MONITORING_TYPE_NONE")
	awaitMonitor(mic, "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT")
	p.awaitVoices(t)
	testbed.Await(t, "Bob's viewers hear both, each once", voiceLimit, func() error { return p.bob.ChannelCarries(p.alice, 5*time.Second) })

	awaitMonitor(alerts, "OBS_MONITORING_TYPE_MONITOR_ONLY")
	stream := p.bob.Channel.Sound(p.bob.Channel.Recordings()[0])
	for who, sound := range map[string][]float64{
		"Bob's viewers": stream[len(stream)/2:], "Alice": p.alice.Pulse.Record(testbed.Headphones+".monitor", secondOfSound),
	} {
		if level := testbed.ToneLevel(sound, beep); level > 0.01 {
			t.Errorf("%s hear what is for Bob's ears alone: level %.3f", who, level)
		}
	}
	if level := testbed.ToneLevel(p.bob.Pulse.Record(testbed.Headphones+".monitor", secondOfSound), beep); level < 0.1 {
		t.Errorf("Bob does not hear his alerts: level %.3f", level)
	}

	hears := func() error {
		sound := p.alice.Pulse.Record(testbed.Headphones+".monitor", secondOfSound)
		if got := testbed.Bursts(sound, p.bob.Voice.Hz, 0.05); len(got) > 0 {
			return fmt.Errorf("%d bursts of Bob's voice", len(got))
		}
		return nil
	}
	p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": mic, "inputMuted": true}, nil)
	testbed.Await(t, "Alice does not hear a muted Bob", 5*time.Second, hears)
	p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": mic, "inputMuted": false}, nil)
	testbed.Await(t, "Alice hears Bob again", voiceLimit, func() error { return p.alice.HearsOnly(p.bob, listen) })

	// "Starting soon" is over: Desktop Audio carries Alice now, too.
	heardFromNow := func(how string) {
		t.Helper()
		sound := func() int { return len(p.bob.Channel.Sound(p.bob.Channel.Recordings()[0])) }
		from := sound() + testbed.SampleRate // one way may follow the other meanwhile
		testbed.Await(t, "Bob's viewers hear both once, by "+how, voiceLimit, func() error {
			if sound() < from+5*testbed.SampleRate {
				return errors.New("the stream has not gone on for long enough")
			}
			return p.bob.ChannelCarries(p.alice, 5*time.Second)
		})
	}
	p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": desktop, "inputMuted": false}, nil)
	heardFromNow("Desktop Audio")
	p.bob.OBS.Request("SetInputMute", testbed.D{"inputName": desktop, "inputMuted": true}, nil)
	heardFromNow("the input")

	p.bob.OBS.StopStream()
	awaitMonitor(desktop, "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT")
	awaitMonitor(mic, "OBS_MONITORING_TYPE_NONE")
	testbed.Await(t, "the input for the peer's voice is gone", offAirLimit, func() error {
		var answer struct{ Inputs []struct{ InputName string } }
		p.bob.OBS.Request("GetInputList", nil, &answer)
		for _, in := range answer.Inputs {
			if in.InputName == "Peer audio" {
				return errors.New("it is still there")
			}
		}
		return nil
	})
}
