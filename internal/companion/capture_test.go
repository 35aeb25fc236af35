// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		s.capture.noteRecording(step.recording)
		for input, since := range s.capture.unrecorded {
			s.capture.unrecorded[input] = since.Add(-step.later)
		}
		s.capture.looked = time.Now() // the sound server is not asked again
		err := s.capture.checkRecording(t.Context())
		if (err != nil) != (step.want != "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: got error %v, want one that contains %q", step.name, err, step.want)
		}
	}
}

// lostCapture is an OBS under which the sound server was restarted.
type lostCapture struct {
	saidTo
	came      bool // the sound server was restarted
	recording map[string]bool
	current   string
	all       []string
}

func (l *lostCapture) capturesOf(context.Context, int) (map[string]bool, error) {
	return l.recording, nil
}

func (l *lostCapture) restarted() bool { return l.came }
func (l *lostCapture) revived()        { l.came = false }

func (l *lostCapture) Collections(context.Context) (string, []string, error) {
	return l.current, l.all, nil
}

func (l *lostCapture) SetCollection(_ context.Context, name string) error {
	l.say("to %s", name)
	l.current = name
	return nil
}

func (l *lostCapture) CreateCollection(_ context.Context, name string) error {
	l.say("new %s", name)
	l.current, l.all = name, append(l.all, name)
	return nil
}

// TestReviveCapture: an OBS that captures nothing after a restart of the sound server loads the user's collection again,
// once, and no other OBS does.
func TestReviveCapture(t *testing.T) {
	const mic = "pulse_input_capture"
	for _, tt := range []struct {
		name      string
		came      bool
		kind      string
		recording map[string]bool
		all       []string
		want      []string
	}{
		{name: "no restart", kind: mic},
		{name: "it captures", came: true, kind: mic, recording: map[string]bool{testMic: true}},
		{name: "nothing to capture", came: true, kind: "ffmpeg_source"},
		{name: "lost", came: true, kind: mic, want: []string{"new " + tempCollection, "to " + testCollection}},
		{name: "lost Desktop Audio", came: true, kind: captureKind, want: []string{"new " + tempCollection, "to " + testCollection}},
		{name: "lost, and ours is left", came: true, kind: mic, all: []string{tempCollection}, want: []string{"to " + tempCollection, "to " + testCollection}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &lostCapture{came: tt.came, recording: tt.recording, current: testCollection, all: tt.all}
			c := &capture{obs: l, sound: l, seen: &observed{inputs: []obsctl.Input{{Name: testMic, UnversionedKind: tt.kind}}},
				ledger: newTestLedger(), log: slog.New(slog.DiscardHandler)}
			for range 2 {
				if err := c.revive(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(saidTo(tt.want), l.saidTo); diff != "" {
				t.Errorf("OBS was told (-want +got):\n%s", diff)
			}
			if c.ledger.Collection != "" {
				t.Errorf("the user's collection is still noted: %q", c.ledger.Collection)
			}
		})
	}
}

// TestLeaveTempCollection: after a crash in between the next run brings the user's collection back, and leaves one that the
// user chose meanwhile.
func TestLeaveTempCollection(t *testing.T) {
	for _, tt := range []struct {
		name, noted, current string
		want                 []string
	}{
		{"nothing noted", "", testCollection, nil},
		{"still on ours", testCollection, tempCollection, []string{"to " + testCollection}},
		{"the user chose another", testCollection, "Morning", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := &lostCapture{current: tt.current}
			c := &capture{obs: l, sound: l, seen: new(observed), ledger: newTestLedger(), log: slog.New(slog.DiscardHandler)}
			c.ledger.Collection = tt.noted
			if err := c.leaveTempCollection(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(saidTo(tt.want), l.saidTo); diff != "" {
				t.Errorf("OBS was told (-want +got):\n%s", diff)
			}
			if c.ledger.Collection != "" {
				t.Errorf("the user's collection is still noted: %q", c.ledger.Collection)
			}
		})
	}
}
