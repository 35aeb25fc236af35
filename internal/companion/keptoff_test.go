// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// reportingSession is a session of an OBS that streams, and what it reports last.
func reportingSession(t *testing.T, handle func(request string, data json.RawMessage) (any, *fakeobs.Refusal)) (*session, func() control.Report) {
	t.Helper()
	s := newTestSession(t, Options{}, &fakeobs.Server{Version: debian12, Handle: handle})
	s.c.parts = supervisor.New(s.log, func() {})
	s.c.reports = &reporter{out: func(control.Report) {}}
	s.seen.streaming = true
	return s, s.c.reports.current
}

// TestKeptOffTheAir: whatever keeps us off the air while OBS streams is a problem after some time, and no problem before.
func TestKeptOffTheAir(t *testing.T) {
	streams := func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
		if request == "GetStreamStatus" {
			return map[string]any{"outputActive": true}, nil
		}
		return nil, nil
	}
	for _, tt := range []struct {
		name  string
		round func(s *session) error
		want  string
	}{
		{"OBS loads something", func(s *session) error {
			s.seen.changing = true
			return s.round(t.Context())
		}, "going on air: " + errChanging.Error()},
		{"OBS removes something", func(s *session) error {
			s.quietUntil = time.Now().Add(time.Hour)
			return s.round(t.Context())
		}, "going on air: " + errRemoving.Error()},
		{"OBS does not answer", func(s *session) error {
			s.seen.askScene = true // it has no programme
			return s.round(t.Context())
		}, "going on air: OBS does not answer: " + obsctl.ErrNoProgram.Error()},
		{"a step that waits for OBS", func(s *session) error {
			s.steps.try(t.Context(), problem.CleanFeed, func(context.Context) error { return fmt.Errorf("sync: %w", scenes.ErrChanging) })
			s.reportKeptOff(nil)
			return nil
		}, `going on air: the step "clean feed" waits: sync: ` + scenes.ErrChanging.Error()},
		{"a step that fails", func(s *session) error {
			s.steps.try(t.Context(), problem.CleanFeed, func(context.Context) error { return errors.New("no") })
			s.reportKeptOff(nil)
			s.report()
			return nil
		}, "clean feed: no"},
		{"nothing known", func(s *session) error {
			s.reportKeptOff(nil)
			return nil
		}, "going on air: " + errUnknown.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, last := reportingSession(t, streams)
			if err := tt.round(s); err != nil {
				t.Fatal(err)
			}
			if s.steps.problems[problem.OnAir] != nil {
				t.Errorf("at once: got %v", s.steps.problems[problem.OnAir])
			}
			s.keptOff.since = time.Now().Add(-keptOffAfter)
			if err := tt.round(s); err != nil {
				t.Fatal(err)
			}
			r := last()
			if got := strings.Join(r.Problems, "\n"); r.State != control.OnAir || got != tt.want {
				t.Errorf("got %q with the problems %q, want %q with %q", r.State, got, control.OnAir, tt.want)
			}
			s.seen.streaming = false
			s.noteKeptOff(nil)
			if s.steps.problems[problem.OnAir] != nil {
				t.Errorf("off air: got %v", s.steps.problems[problem.OnAir])
			}
		})
	}
}

// TestOutputThatDoesNotStart: OBS does not say that it could not start its stream.
func TestOutputThatDoesNotStart(t *testing.T) {
	colours := obsctl.Colours{Format: "P010", Space: "2100PQ"}
	s, _ := reportingSession(t, func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
		var asked struct{ ParameterName string }
		_ = json.Unmarshal(data, &asked)
		value := map[string]string{"ColorFormat": colours.Format, "ColorSpace": colours.Space}[asked.ParameterName]
		return map[string]any{"parameterValue": value}, nil
	})
	check := func(what, want string) {
		t.Helper()
		got := ""
		if err := s.keptOff.checkOutput(t.Context()); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	check("nothing begun", "")
	s.note(obsctl.StreamState{Phase: obsctl.Starting})
	check("begun", "")
	s.seen.streamBegins = time.Now().Add(-outputAfter)
	const stuck = "OBS began to start its stream, but it does not run: look into OBS's window for the reason"
	check("HDR", stuck+"; most encoders cannot take OBS's colours, P010 with Rec. 2100 (PQ): in OBS open Settings, Advanced, and choose NV12 and Rec. 709")
	colours = obsctl.Colours{Format: "NV12", Space: "709"}
	check("usual colours", stuck)
	s.seen.streamBegins = time.Now().Add(-outputUntil)
	check("long ago", "")
	s.seen.streamBegins = time.Now().Add(-outputAfter)
	s.keptOff.when = WhenRecording
	check("the recording counts", "")
	s.keptOff.when = WhenStreaming
	s.note(obsctl.StreamState{Phase: obsctl.Started})
	check("started", "")
}
