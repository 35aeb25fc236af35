// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealShare: what Alice shares reaches Bob and both of their viewers once, its left side at Bob's left and its right side at
// his right, as long as Alice's viewers hear it; her Desktop Audio, in which Bob's voice is, does not. Off air everything is as
// it was.
func TestRealShare(t *testing.T) {
	testbed.Need(t)
	share(t, e2e.Alice(), e2e.Bob())
}

// TestRealSharePipeWire does the same where the sound server is PipeWire.
func TestRealSharePipeWire(t *testing.T) {
	testbed.Need(t)
	alice, bob := e2e.Alice(), e2e.Bob()
	alice.PipeWire, bob.PipeWire = true, true
	share(t, alice, bob)
}

func share(t *testing.T, alice, bob e2e.PersonOptions) {
	t.Helper()
	const music, mic, desktop, quiet = "Music", "Mic/Aux", "Desktop Audio", "Quiet"
	burst := func(hz float64) testbed.Tone {
		return testbed.Tone{Hz: hz, On: 200 * time.Millisecond, Period: time.Second}
	}
	left, right := burst(2200), burst(3100)
	p := newFriends(t, alice, bob)
	p.alice.PairWith(binary, p.bob)
	set := func(request string, data testbed.D) { p.alice.OBS.Request(request, data, nil) }
	set("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": music, "inputKind": "ffmpeg_source",
		"inputSettings": testbed.D{"local_file": testbed.StereoFile(t, left, right, 10*time.Second), "looping": true}})
	set("CreateScene", testbed.D{"sceneName": quiet})
	p.aliceC = p.alice.Run(binary, p.bob, "--share=Mus*,"+desktop)
	p.runBob(t)
	p.bobC.Await(e2e.Ready, readyLimit)
	p.aliceC.AwaitProblem(e2e.Ready, `your friend does not hear "Desktop Audio", which --share names: it captures what you hear`, readyLimit)
	p.goOnAir(t)

	hearsMusic := func() error {
		l, r := p.bob.Pulse.RecordStereo(testbed.Headphones+".monitor", listen)
		return errors.Join(
			testbed.CheckBursts(l, left, audible), testbed.CheckBursts(r, right, audible),
			hearsNone(l, right.Hz), hearsNone(r, left.Hz),
		)
	}
	testbed.Await(t, "Bob hears Alice's music in stereo, once", voiceLimit, hearsMusic)
	p.awaitVoices(t)
	if got := p.aliceC.Last().Shared; !slices.Equal(got, []string{music}) {
		t.Errorf("Alice's costream-obs says that she shares %q, want %q", got, music)
	}
	for _, who := range []struct {
		channel *testbed.RTMP
		name    string
	}{{p.alice.Channel, "Alice's viewers"}, {p.bob.Channel, "Bob's viewers"}} {
		testbed.Await(t, who.name+" hear it once", voiceLimit, func() error {
			sound := who.channel.Sound(who.channel.Recordings()[0])
			sound = sound[max(0, len(sound)-5*testbed.SampleRate):]
			return errors.Join(testbed.CheckBursts(sound, left, audible/2), testbed.CheckBursts(sound, right, audible/2))
		})
	}
	if err := hearsNone(p.alice.Pulse.Record(testbed.Headphones+".monitor", listen), left.Hz); err != nil {
		t.Errorf("Alice gets her own music back: %v", err)
	}
	testbed.Await(t, "Alice's doctor finds all in order", voiceLimit, func() error {
		for _, line := range p.alice.Doctor(binary, "--only=audio.monitor.peer,audio.monitor.inputs,audio.place") {
			if !strings.HasPrefix(line, "ok ") {
				return errors.New(line)
			}
		}
		return nil
	})

	silent := func(what string) {
		t.Helper()
		if err := p.bob.HearsNot(left.Hz, listen); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		testbed.Await(t, "Bob hears Alice's voice: "+what, voiceLimit, func() error { return p.bob.HearsOnly(p.alice, listen) })
	}
	set("SetInputMute", testbed.D{"inputName": music, "inputMuted": true})
	silent("the music is muted")
	set("SetInputMute", testbed.D{"inputName": music, "inputMuted": false})
	testbed.Await(t, "Bob hears the music again", voiceLimit, hearsMusic)

	set("SetCurrentProgramScene", testbed.D{"sceneName": quiet})
	// Until the transition ends it is in the programme, and a busy OBS draws that late.
	testbed.Await(t, "the transition ends", pictureLimit, func() error {
		var answer struct{ VideoActive bool }
		p.alice.OBS.Request("GetSourceActive", testbed.D{"sourceName": music}, &answer)
		if answer.VideoActive {
			return errors.New("the music is in the programme")
		}
		return nil
	})
	silent("the music is not in the programme")
	set("SetCurrentProgramScene", testbed.D{"sceneName": testbed.Scene})
	testbed.Await(t, "Bob hears the music that is in the programme again", voiceLimit, hearsMusic)

	set("SetInputMute", testbed.D{"inputName": mic, "inputMuted": true})
	if err := p.bob.HearsNot(p.alice.Voice.Hz, listen); err != nil {
		t.Errorf("the microphone is muted beside music: %v", err)
	}
	testbed.Await(t, "Bob hears the music without Alice's voice", voiceLimit, hearsMusic)

	p.alice.OBS.StopStream()
	for _, input := range []string{music, mic} {
		testbed.Await(t, "the monitoring of "+input+" is off again", offAirLimit, func() error {
			var answer struct{ MonitorType string }
			p.alice.OBS.Request("GetInputAudioMonitorType", testbed.D{"inputName": input}, &answer)
			if answer.MonitorType != "OBS_MONITORING_TYPE_NONE" {
				return errors.New(answer.MonitorType)
			}
			return nil
		})
	}
}

// audible is the least amplitude of a burst that counts; those played have 0.5. What the viewers get is mixed to mono, where one
// side alone has half of it.
const audible = 0.1

// hearsNone returns an error when a tone is in a sound.
func hearsNone(sound []float64, hz float64) error {
	if found := testbed.Bursts(sound, hz, 0.03); len(found) > 0 {
		return fmt.Errorf("%d bursts of %.0f Hz, the first at level %.3f, want none", len(found), hz, found[0].Level)
	}
	return nil
}
