// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	testCollection = "Evening"
	testMic        = "Mic/Aux"
	debian12       = "29.0.2"

	monitorOff       = "OBS_MONITORING_TYPE_NONE"
	monitorOnly      = "OBS_MONITORING_TYPE_MONITOR_ONLY"
	monitorAndOutput = "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"
	mute             = "mute"
)

// monitoring is what an OBS was told of its microphone, in turn: the type of monitoring, and mute.
type monitoring struct {
	mu   sync.Mutex
	now  string // the type
	told []string
}

func (m *monitoring) want(t *testing.T, told ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if diff := cmp.Diff(told, m.told); diff != "" {
		t.Errorf("what OBS was told (-want +got):\n%s", diff)
	}
}

// dialFake starts a fake OBS and connects to it.
func dialFake(t *testing.T, server *fakeobs.Server) *obsctl.Client {
	t.Helper()
	addr := server.Start(t).Addr()
	client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: addr.IP.String(), Port: addr.Port, Enabled: true}, obsctl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// onAirWithFake is a session on air whose microphone is monitored. Its OBS, of that version, calls asked before it answers.
func onAirWithFake(t *testing.T, version string, asked func(request string)) (*session, *monitoring) {
	t.Helper()
	type D = map[string]any
	m := &monitoring{now: monitorAndOutput}
	s := newTestSession(t, Options{}, &fakeobs.Server{Version: version, Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
		asked(request)
		m.mu.Lock()
		defer m.mu.Unlock()
		switch request {
		case "SetInputAudioMonitorType":
			var set struct{ MonitorType string }
			_ = json.Unmarshal(data, &set)
			m.now, m.told = set.MonitorType, append(m.told, set.MonitorType)
			return nil, nil
		case "SetInputMute":
			m.told = append(m.told, mute)
			return nil, nil
		case "GetStreamStatus":
			return D{"outputActive": true}, nil
		case "GetSceneList":
			return D{"currentProgramSceneName": "Scene"}, nil
		case "GetSceneCollectionList":
			return D{"currentSceneCollectionName": testCollection}, nil
		case "GetVideoSettings":
			return D{"baseWidth": 640, "baseHeight": 360, "outputWidth": 640, "outputHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1}, nil
		case "GetInputList":
			return D{"inputs": []D{{"inputName": testMic}}}, nil
		case "GetSpecialInputs":
			return D{"mic1": testMic}, nil
		case "GetInputAudioMonitorType":
			return D{"monitorType": m.now}, nil
		case "GetInputMute":
			return D{"inputMuted": false}, nil
		}
		return nil, nil
	}})
	s.seen.all()
	s.seen.collection = testCollection
	s.seen.monitored = map[string]obsctl.MonitorType{testMic: obsctl.MonitorAndOutput}
	return s, m
}

// TestStopBetweenQuestions: whichever question to OBS a Ctrl-C catches, what we changed is given back.
func TestStopBetweenQuestions(t *testing.T) {
	for _, caught := range []string{
		"GetStreamStatus", "GetSceneList", "GetSceneCollectionList", "GetVideoSettings",
		"GetInputList", "GetSpecialInputs", "GetInputAudioMonitorType", "GetInputMute",
	} {
		t.Run(caught, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			s, monitoring := onAirWithFake(t, debian12, func(request string) {
				if request == caught {
					stop()
				}
			})
			s.ledger.noteMonitor(testCollection, testMic, obsctl.MonitorOnly)
			before := s.seen.monitored
			if err := s.observe(ctx); ctx.Err() == nil {
				t.Fatalf("OBS was not asked: got %v", err)
			}
			if diff := cmp.Diff(before, s.seen.monitored); diff != "" {
				t.Errorf("what is monitored (-want +got):\n%s", diff)
			}
			if err := s.mic.unmonitor(t.Context()); err != nil {
				t.Fatal(err)
			}
			monitoring.want(t, monitorOnly)
		})
	}
}

// TestStopWhileMonitoringIsReset: a microphone that the user monitors is not left without that.
func TestStopWhileMonitoringIsReset(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, monitoring := onAirWithFake(t, debian12, func(request string) {
		if request == "SetInputAudioMonitorType" {
			stop()
		}
	})
	if err := s.mic.toggleMonitor(ctx, testMic); err == nil {
		t.Error("it was not stopped")
	}
	if err := s.mic.unmonitor(t.Context()); err != nil {
		t.Fatal(err)
	}
	monitoring.want(t, monitorOff, monitorAndOutput)
}

// TestChangesAreSavedInTheEnd: what OBS keeps for the next run is put right as soon as that works, once.
func TestChangesAreSavedInTheEnd(t *testing.T) {
	var saved atomic.Int32
	s, _ := onAirWithFake(t, debian12, func(request string) {
		if request == "SetPersistentData" {
			saved.Add(1)
		}
	})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	s.ledger.noteMonitor(testCollection, testMic, obsctl.MonitorOff)
	if err := s.ledger.save(stopped); err == nil || saved.Load() != 0 {
		t.Fatalf("saving with a context that has ended: got %v and %d requests", err, saved.Load())
	}
	for range 2 {
		if err := s.ledger.saveUnsaved(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := saved.Load(); got != 1 {
		t.Errorf("OBS was asked %d times to save, want once", got)
	}
}
