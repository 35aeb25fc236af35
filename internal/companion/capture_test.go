// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// TestDeadMicrophone: a microphone of the sound server that OBS does not record for some seconds is a problem.
func TestDeadMicrophone(t *testing.T) {
	const mic, music, alsa = "Mic/Aux", "Music", "ALSA"
	s := newTestSession(t, Options{Mics: []string{mic, alsa}}, nil)
	s.seen.inputs = []obsctl.Input{
		{Name: mic, UnversionedKind: "pulse_input_capture"},
		{Name: music, UnversionedKind: "pulse_input_capture"}, // no microphone
		{Name: alsa, UnversionedKind: "alsa_input_capture"},   // not by the sound server
	}
	for _, step := range []struct {
		name      string
		recording map[string]bool
		later     time.Duration
		want      string
	}{
		{"recorded", map[string]bool{mic: true}, 0, ""},
		{"just gone", nil, 0, ""},
		{"gone for some seconds", nil, recordWithin, `"Mic/Aux"`},
		{"back", map[string]bool{mic: true}, 0, ""},
		{"gone again", nil, recordWithin / 2, ""},
	} {
		s.noteRecording(step.recording)
		for input, since := range s.unrecorded {
			s.unrecorded[input] = since.Add(-step.later)
		}
		s.capturesLooked = time.Now() // the sound server is not asked again
		err := s.checkRecording(t.Context())
		if (err != nil) != (step.want != "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: got error %v, want one that contains %q", step.name, err, step.want)
		}
	}
}
