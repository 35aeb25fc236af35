// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealUnheardMicrophone: who sees OBS's meter move and is not heard all the same is told so, and who is muted is not.
func TestRealUnheardMicrophone(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, e2e.Alice(), testbed.NewDisplay(t))
	nobody := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(t)}
	const mic, guitar = "Mic/Aux", "Guitar"
	alice.Pulse.Pactl("load-module", "module-null-sink", "sink_name=strings", "rate=48000")
	alice.OBS.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": guitar, "inputKind": "pulse_input_capture",
		"inputSettings": testbed.D{"device_id": "strings.monitor"}}, nil)
	companion := alice.Run(binary, nobody, "--when=always", "--mic="+mic, "--mic="+guitar)
	companion.Await(e2e.OnAir, airLimit)
	const told = "your friend does not hear "
	volume := func(input, value string) {
		t.Helper()
		alice.Pulse.Pactl("set-sink-input-volume", strconv.Itoa(monitoringStream(t, alice.Pulse, input)), value)
	}
	isTold := func(report e2e.Report) error {
		if all := strings.Join(report.Problems, "; "); strings.Contains(all, told) {
			return errors.New(all)
		}
		return nil
	}
	// A stream that OBS opens anew, as when its delay has grown, has its own volume again.
	await := func(input, percent, word string) {
		t.Helper()
		testbed.Await(t, "Alice is told: "+word, voiceLimit, func() error {
			volume(input, percent)
			all := strings.Join(companion.Last().Problems, "; ")
			if told := strings.Contains(all, word); told != (percent == "0") {
				return fmt.Errorf("problems: %q", all)
			}
			return nil
		})
	}

	await(mic, "0", told+`"Mic/Aux": what OBS plays of it is muted, or has a volume of 0`)
	await(mic, "100%", told)

	// Only the guitar sounds, the other microphone being muted; then only that.
	alice.OBS.Request("SetInputMute", testbed.D{"inputName": mic, "inputMuted": true}, nil)
	alice.Pulse.PlayTone("strings", testbed.Tone{Hz: 660})
	await(guitar, "0", told+`"Guitar"`)
	await(guitar, "100%", told)
	alice.OBS.Request("SetInputMute", testbed.D{"inputName": guitar, "inputMuted": true}, nil)
	// That nothing is said can only be seen by waiting.
	mark := companion.Mark()
	time.Sleep(10 * time.Second)
	for _, report := range companion.Since(mark) {
		if err := isTold(report); err != nil {
			t.Errorf("with both muted: %v", err)
		}
	}

	// What is recorded sounds all the time, so that the guitar has to be listened to alone.
	alice.Pulse.PlayTone(testbed.MicrophoneSink, testbed.Tone{Hz: 440})
	for _, input := range []string{mic, guitar} {
		alice.OBS.Request("SetInputMute", testbed.D{"inputName": input, "inputMuted": false}, nil)
	}
	await(guitar, "0", told+`"Guitar"`)
}
