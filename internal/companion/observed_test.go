// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// newTestSession is a session that has not asked OBS anything.
func newTestSession(o Options) *session {
	c := &Companion{o: o, wake: make(chan struct{}, 1)}
	return &session{c: c, log: slog.New(slog.DiscardHandler), tries: make(map[string]*attempt)}
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
			s := newTestSession(Options{When: tt.when})
			for _, ev := range tt.events {
				s.note(ev)
			}
			if got := s.wantAir(); got != tt.want {
				t.Errorf("on air is %v, want %v", got, tt.want)
			}
		})
	}
}

// TestEndOfOutput: an output that OBS says has stopped is not believed to be active, until OBS says that it has started.
func TestEndOfOutput(t *testing.T) {
	s := newTestSession(Options{})
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

func TestPeerHearsNoMutedMicrophone(t *testing.T) {
	for _, tt := range []struct {
		name      string
		mics      []string
		micSource string
		muted     map[string]bool
		want      bool
	}{
		{"open", []string{"Mic"}, "", map[string]bool{"Mic": false}, false},
		{"muted", []string{"Mic"}, "", map[string]bool{"Mic": true}, true},
		{"one of two is open", []string{"Mic", "Guitar"}, "", map[string]bool{"Mic": true, "Guitar": false}, false},
		{"unknown counts as muted", []string{"Mic"}, "", nil, true},
		{"none at all", nil, "", nil, true},
		{"past OBS, which knows none", nil, "alsa_input.usb", nil, false},
		{"past OBS, but muted there", []string{"Mic"}, "alsa_input.usb", map[string]bool{"Mic": true}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSession(Options{Mics: tt.mics, MicSource: tt.micSource})
			s.seen.muted = tt.muted
			if got := s.allMuted(); got != tt.want {
				t.Errorf("muted is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMuteEventReachesTheState(t *testing.T) {
	s := newTestSession(Options{Mics: []string{"Mic"}})
	s.seen.muted = map[string]bool{"Mic": false}
	s.note(obsctl.MuteChanged{Input: "Mic", Muted: true})
	if !s.allMuted() {
		t.Error("the peer still hears a microphone that was muted")
	}
}

// TestStopBetweenQuestions: whichever question to OBS a Ctrl-C catches, what we changed is given back.
func TestStopBetweenQuestions(t *testing.T) {
	const collection, mic = "Evening", "Mic/Aux"
	type D = map[string]any
	answers := map[string]any{
		"GetStreamStatus":          D{"outputActive": true},
		"GetSceneList":             D{"currentProgramSceneName": "Scene"},
		"GetSceneCollectionList":   D{"currentSceneCollectionName": collection},
		"GetVideoSettings":         D{"baseWidth": 640, "baseHeight": 360, "outputWidth": 640, "outputHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1},
		"GetInputList":             D{"inputs": []D{{"inputName": mic}}},
		"GetSpecialInputs":         D{"mic1": mic},
		"GetInputAudioMonitorType": D{"monitorType": "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"},
		"GetInputMute":             D{"inputMuted": true},
	}
	for caught := range answers {
		t.Run(caught, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			told := make(chan string, 2)
			obs := (&fakeobs.Server{Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
				switch request {
				case caught:
					stop()
				case "SetInputAudioMonitorType":
					told <- string(data)
				}
				return answers[request], nil
			}}).Start(t)
			at := obsctl.Endpoint{Host: obs.Addr().IP.String(), Port: obs.Addr().Port, Enabled: true}
			client, err := obsctl.Dial(t.Context(), at, obsctl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()

			s := newTestSession(Options{})
			s.obs = client
			s.seen.all()
			s.seen.collection = collection
			s.seen.monitored = map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput}
			s.changes.noteMonitor(collection, mic, obsctl.MonitorOnly)
			if err := s.observe(ctx); ctx.Err() == nil {
				t.Fatalf("OBS was not asked: got %v", err)
			}
			if diff := cmp.Diff(map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput}, s.seen.monitored); diff != "" {
				t.Errorf("what is monitored (-want +got):\n%s", diff)
			}
			if err := s.unmonitor(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(told)
			var got []string
			for request := range told {
				got = append(got, request)
			}
			want := []string{`{"inputName":"Mic/Aux","monitorType":"OBS_MONITORING_TYPE_MONITOR_ONLY"}`}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what OBS was told (-want +got):\n%s", diff)
			}
		})
	}
}
