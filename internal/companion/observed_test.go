// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/obsctl"
)

// newTestSession is a session with a fake OBS that it has not asked anything. The OBS knows nothing where there is no server.
func newTestSession(t *testing.T, o Options, server *fakeobs.Server) *session {
	t.Helper()
	if server == nil {
		server = &fakeobs.Server{}
	}
	if o.ControlSocket == "" {
		o.ControlSocket = filepath.Join(t.TempDir(), "control.sock") // The lock on OBS's scenes is beside it.
	}
	c := &Companion{o: o, log: slog.New(slog.DiscardHandler), wake: make(chan struct{}, 1), feed: cleanfeed.New(nil)}
	c.breaks.changed = c.wakeUp
	return c.newSession(dialFake(t, server))
}

func TestOnAirFollowsItsTrigger(t *testing.T) {
	stream := func(p obsctl.OutputPhase) obsctl.Event { return obsctl.StreamState{Phase: p} }
	record := func(p obsctl.OutputPhase) obsctl.Event { return obsctl.RecordState{Phase: p} }
	for _, tt := range []struct {
		name   string
		when   Trigger
		events []obsctl.Event
		want   bool
	}{
		{"nothing yet", WhenStreaming, nil, false},
		{"still connecting", WhenStreaming, []obsctl.Event{stream(obsctl.Starting)}, false},
		{"started", WhenStreaming, []obsctl.Event{stream(obsctl.Starting), stream(obsctl.Started)}, true},
		{"the server went away", WhenStreaming, []obsctl.Event{stream(obsctl.Started), stream(obsctl.Reconnecting)}, true},
		{"stopping", WhenStreaming, []obsctl.Event{stream(obsctl.Started), stream(obsctl.Stopping)}, false},
		{"recording is another trigger", WhenStreaming, []obsctl.Event{record(obsctl.Started)}, false},
		{"recording", WhenRecording, []obsctl.Event{record(obsctl.Started)}, true},
		{"paused", WhenRecording, []obsctl.Event{record(obsctl.Started), record(obsctl.Paused)}, true},
		{"recording stopped", WhenRecording, []obsctl.Event{record(obsctl.Started), record(obsctl.Stopped)}, false},
		{"virtual camera", WhenVirtualCam, []obsctl.Event{obsctl.VirtualCamState{Active: true}}, true},
		{"virtual camera off", WhenVirtualCam, []obsctl.Event{obsctl.VirtualCamState{Active: true}, obsctl.VirtualCamState{}}, false},
		{"always", WhenAlways, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSession(t, Options{When: tt.when}, nil)
			for _, ev := range tt.events {
				s.note(ev)
			}
			if got := s.wantOnAir(); got != tt.want {
				t.Errorf("on air is %v, want %v", got, tt.want)
			}
		})
	}
}

// TestEndOfOutput: an output that OBS says has stopped is not believed to be active, until OBS says that it has started.
func TestEndOfOutput(t *testing.T) {
	s := newTestSession(t, Options{}, nil)
	for _, tt := range []struct {
		phase obsctl.OutputPhase
		ended bool
	}{{obsctl.Started, false}, {obsctl.Stopping, true}, {obsctl.Stopped, true}, {obsctl.Starting, false}, {obsctl.Started, false}} {
		s.note(obsctl.StreamState{Phase: tt.phase})
		s.note(obsctl.RecordState{Phase: tt.phase})
		for _, at := range []time.Time{s.seen.streamEnds, s.seen.recordEnds} {
			if got := time.Since(at) < stopLimit; got != tt.ended {
				t.Errorf("after %v: ended is %v, want %v", tt.phase, got, tt.ended)
			}
		}
	}
}

func TestMuteEventReachesTheState(t *testing.T) {
	s := newTestSession(t, Options{Mics: []string{"Mic"}}, nil)
	s.seen.muted = map[string]bool{"Mic": false}
	s.note(obsctl.MuteChanged{Input: "Mic", Muted: true})
	if !s.mic.gate.allClosed() {
		t.Error("the peer still hears a microphone that was muted")
	}
}

// TestRetryBelongsToItsStep: what failed off air and is not tried on air is neither due for ever nor shown there.
func TestRetryBelongsToItsStep(t *testing.T) {
	s := newTestSession(t, Options{}, nil)
	fails := func(context.Context) error { return errors.New("no scene is called \"Typo\"") }
	s.steps.try(t.Context(), problem.Scenes, fails)
	s.steps.forgetUntried()
	if s.steps.nextTry() == nil || s.steps.problems[problem.Scenes] == nil {
		t.Fatal("a step that failed will not be tried again")
	}
	s.steps.try(t.Context(), problem.MonitoredInputs, func(context.Context) error { return nil })
	s.steps.forgetUntried()
	if s.steps.nextTry() != nil || len(s.steps.problems) > 0 {
		t.Errorf("a step that is not tried any more is due; problems: %v", s.steps.problems)
	}
}

// TestLoadingCollection: until OBS says that it has loaded a collection nothing is done to it, however often everything is
// to be asked again, unless that takes too long to be true.
func TestLoadingCollection(t *testing.T) {
	for _, over := range []obsctl.Event{obsctl.CollectionChanged{Name: "Evening"}, obsctl.ProfileChanged{}, nil} {
		s := newTestSession(t, Options{}, nil)
		s.note(obsctl.CollectionChanging{})
		s.seen.all()
		if !s.seen.changing {
			t.Error("OBS loads a collection, and it is taken to be loaded")
		}
		if over != nil {
			s.note(over)
		} else {
			s.seen.changingFrom = time.Now().Add(-obsctl.LoadLimit)
			s.seen.all()
		}
		if s.seen.changing {
			t.Errorf("after %v: it is taken to load still", over)
		}
	}
}

// TestOwnScenesAreNoNews: that the clean feed makes a scene, or that another scene is the programme, calls for no look at
// all scenes; what the user does to them does.
func TestOwnScenesAreNoNews(t *testing.T) {
	s := newTestSession(t, Options{}, nil)
	s.seen.collection = "C"
	s.c.feed.Cleaned("C", map[string]string{"To peer: A": "A"})
	server := &fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
		return map[string]any{"currentSceneCollectionName": "Another"}, nil
	}}
	if err := s.c.feed.Remove(t.Context(), obsctl.NewPrivateScenes(cleanfeed.PrivateScenes()).On(dialFake(t, server)), false); err != nil {
		t.Fatal(err)
	}
	s.note(obsctl.ScenesChanged{Names: []string{"A", "B"}})
	for _, tt := range []struct {
		name string
		ev   obsctl.Event
		hint string
		want bool // nothing is looked at
	}{
		{"our scene", obsctl.ScenesChanged{Scene: "To peer: A"}, "", true},
		{"the list with it", obsctl.ScenesChanged{Names: []string{"A", "To peer: A", "B"}}, "", true},
		{"our scene goes, as when OBS quits", obsctl.ScenesChanged{Scene: "To peer: A", Removed: true}, "", false},
		{"a scene of the user's", obsctl.ScenesChanged{Scene: "To peer: B"}, "", false},
		{"the list with it", obsctl.ScenesChanged{Names: []string{"A", "B", "To peer: B"}}, "", false},
		{"that is gone", obsctl.ScenesChanged{Names: []string{"A", "B"}}, "", false},
		{"another programme", obsctl.ProgramScene{Name: "B"}, "", true},
		{"another programme in studio mode", obsctl.ProgramScene{Name: "A"}, "viewers see the change later", false},
		{"an eye", obsctl.SceneItemEnabled{Scene: "A", ID: 1}, "", false},
	} {
		s.seen.scenesLooked, s.source.hint = true, tt.hint
		s.note(tt.ev)
		if s.seen.scenesLooked != tt.want {
			t.Errorf("%s: the scenes need no look: got %t, want %t", tt.name, s.seen.scenesLooked, tt.want)
		}
	}
}

// TestLooksTakeAShare: what takes long is not done again at each tick.
func TestLooksTakeAShare(t *testing.T) {
	for _, tt := range []struct {
		took, since time.Duration
		want        bool
	}{
		{10 * time.Millisecond, slowTick, false},
		{500 * time.Millisecond, slowTick, true},
		{500 * time.Millisecond, 7 * slowTick, false},
	} {
		s := newTestSession(t, Options{}, nil)
		s.seen.scenesLooked, s.source.arrangedIn, s.source.arrangedAt = true, tt.took, time.Now().Add(-tt.since)
		if s.tick(); s.seen.scenesLooked != tt.want || !s.seen.askInputs {
			t.Errorf("after a look of %v, %v ago: got no look %t, want %t", tt.took, tt.since, s.seen.scenesLooked, tt.want)
		}
	}
}
