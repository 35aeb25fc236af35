// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestOneCauseIsReportedOnce: what fails because no sound server answers is one problem, and what another problem explains is
// none.
func TestOneCauseIsReportedOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		failed map[problem.Code]error
		want   []problem.Code
	}{
		{"no sound server", map[problem.Code]error{
			problem.Captures: fmt.Errorf("reading: %w", pulse.ErrNoServer), problem.PeerVoice: errors.New("sink"), problem.MonitoredInputs: pulse.ErrHangs,
			problem.PeerSource: errors.New("locked"),
		}, []problem.Code{problem.PeerSource, problem.SoundServer}},
		{"the source that another step needs", map[problem.Code]error{problem.PeerSource: errors.New("no"), problem.PeerMute: errors.New("no")}, []problem.Code{problem.PeerSource}},
		{"two causes", map[problem.Code]error{problem.PeerSource: errors.New("no"), problem.Level: errors.New("silent")}, []problem.Code{problem.PeerSource, problem.Level}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, last := reportingSession(t, func(string, json.RawMessage) (any, *fakeobs.Refusal) { return nil, nil })
			for code, err := range tt.failed {
				s.steps.try(t.Context(), code, func(context.Context) error { return err })
			}
			s.report()
			if diff := cmp.Diff(tt.want, last().Codes); diff != "" {
				t.Errorf("reported (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrongMicrophoneIsReportedOffAir: a name of --mic that OBS does not have is a problem before the stream starts.
func TestWrongMicrophoneIsReportedOffAir(t *testing.T) {
	s, last := reportingSession(t, func(string, json.RawMessage) (any, *fakeobs.Refusal) { return nil, nil })
	s.c.o.ControlSocket = filepath.Join(t.TempDir(), "socket") // The lock on the scenes is beside it.
	s.seen.chosen, s.seen.inputs = []string{"Mic"}, []obsctl.Input{{Name: testMic, UnversionedKind: "pulse_input_capture"}}
	s.source.screen, s.picture.screen = newDisplay("", "", s.c.parts, s.c.wakeUp, s.log), new(outputsWorld)
	s.c.routes.devices, s.c.routes.portable, s.c.routes.configured = new(devices), new(portable), control.RoutePortable
	s.goOff(t.Context())
	s.report()
	if got := last(); !slices.Contains(got.Codes, problem.Microphone) {
		t.Errorf("got the problems %q %q, want %s", got.Codes, got.Problems, problem.Microphone)
	}
}
