// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestCapturesForbidMonitoring: where OBS cannot be kept from leaving monitored inputs out of the stream, none is monitored
// while an input captures the monitoring device, be it Desktop Audio or one in a scene.
func TestCapturesForbidMonitoring(t *testing.T) {
	const usb = "usb_headset"
	for _, tt := range []struct {
		name              string
		capture, monitors string // devices; "" is one that was never chosen
		safe              bool
	}{
		{"OBS out of the box", "", "", false},
		{"both the default one", "default", "default", false},
		{"the default one by its name", "speakers.monitor", "default", false},
		{"monitoring on the default one by its name", "default", "speakers", false},
		{"another one", "default", usb, true},
		{"another one is captured", usb + ".monitor", "default", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSession(t, Options{}, &fakeobs.Server{Version: "32.0.1", Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
				switch request {
				case "GetProfileParameter":
					return map[string]any{"parameterValue": tt.monitors}, nil
				case "GetInputSettings":
					settings := map[string]any{}
					if tt.capture != "" {
						settings["device_id"] = tt.capture
					}
					return map[string]any{"inputSettings": settings}, nil
				}
				return nil, nil
			}})
			s.seen.inputs = []obsctl.Input{{Name: "Desktop Audio", UnversionedKind: captureKind}, {Name: testMic, UnversionedKind: "pulse_input_capture"}}
			s.seen.special.Desktop = []string{"Desktop Audio"}
			if err := s.viewers.checkCaptures(t.Context(), "speakers"); errors.Is(err, errVoiceRemoved) == tt.safe || s.viewers.safe != tt.safe {
				t.Errorf("got %v, safe %v; want safe %v", err, s.viewers.safe, tt.safe)
			}
		})
	}
}

// TestProbeIsRemovedOffAir: the probe, doctor's too, goes once after each time on air, and when another scene collection is loaded, which
// may have been left with one. Its capture ends before anything of it is removed.
func TestProbeIsRemovedOffAir(t *testing.T) {
	once := []string{"SetInputSettings", "GetSceneList", "GetSceneItemList", "RemoveSceneItem", "RemoveInput"}
	for _, tt := range []struct {
		name, version string
		recording     bool
		loads         bool // another scene collection, afterwards
		want          []string
	}{
		{"OBS that needs none", "31.1.2", false, false, nil},
		{"still recording", "32.2.2", true, false, nil},
		{"off air", "32.2.2", false, false, once},
		{"another collection is loaded", "32.2.2", false, true, slices.Concat(once, once)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			type D = map[string]any
			var asked []string
			s := newTestSession(t, Options{}, &fakeobs.Server{Version: tt.version, Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
				asked = append(asked, request)
				switch request {
				case "GetSceneList":
					return D{"scenes": []D{{"sceneName": "Scene"}}}, nil
				case "GetSceneItemList":
					return D{"sceneItems": []D{{"sourceName": "costream-obs probe", "sceneItemId": 4}}}, nil
				}
				return nil, nil
			}})
			s.seen.recording = tt.recording
			for range 2 {
				if err := s.viewers.resume(t.Context()); err != nil {
					t.Fatal(err)
				}
				if tt.loads {
					s.viewers.note(obsctl.CollectionChanged{})
				}
			}
			if diff := cmp.Diff(tt.want, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// viewersWorld is an OBS that may take monitored inputs out of the stream, and its log.
type viewersWorld struct {
	viewersOBS
	saidTo
	logged   obsctl.Deduplication
	logErr   error
	stubborn bool // it does not stop
}

func (w *viewersWorld) Read() (obsctl.Deduplication, error) { return w.logged, w.logErr }

func (w *viewersWorld) StopDeduplication(context.Context, string) error {
	w.say("stop")
	if !w.stubborn {
		w.logged = obsctl.DeduplicationOff
	}
	return nil
}

// TestKeepVoiceInStream: when OBS is kept from taking monitored inputs out of the stream, and when it is known that it does
// not.
func TestKeepVoiceInStream(t *testing.T) {
	noLog := errors.New("on another machine")
	old, stops, newer := obsctl.Semver{Major: 31}, obsctl.Semver{Major: 32, Patch: 4}, obsctl.Semver{Major: 33}
	unmentioned, on, off := obsctl.DeduplicationUnmentioned, obsctl.DeduplicationOn, obsctl.DeduplicationOff
	stop := []string{"stop"}
	for _, tt := range []struct {
		name     string
		version  obsctl.Semver
		pastOBS  bool
		nothing  bool // is captured from a sink
		kept     bool // before
		logged   obsctl.Deduplication
		logErr   error
		stubborn bool
		done     []string
		safe     bool
	}{
		{name: "older", version: old, safe: true},
		{name: "the microphone goes past OBS", version: stops, pastOBS: true, safe: true},
		{name: "nothing is captured", version: stops, nothing: true, safe: true},
		{name: "on", version: stops, logged: on, done: stop, safe: true},
		{name: "on, and it stays so", version: stops, logged: on, stubborn: true, done: stop},
		{name: "on again", version: stops, kept: true, logged: on, done: stop, safe: true},
		{name: "off", version: stops, logged: off, safe: true},
		{name: "no log", version: stops, logErr: noLog, done: stop, safe: true},
		{name: "newer than what was tried, off", version: newer, logged: off, done: stop, safe: true},
		{name: "newer than what was tried, kept", version: newer, kept: true, logged: off, safe: true},
		{name: "newer than what was tried, no log", version: newer, logErr: noLog, done: stop},
		{name: "newer than what was tried, the log says nothing", version: newer, stubborn: true, done: stop},
		{name: "kept, and off", version: stops, kept: true, logged: off, safe: true},
		{name: "kept, and no log", version: stops, kept: true, logErr: noLog, safe: true},
		{name: "kept, and not mentioned", version: stops, kept: true, logged: unmentioned, safe: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &viewersWorld{logged: tt.logged, logErr: tt.logErr, stubborn: tt.stubborn}
			v := &viewers{obs: w, seen: &observed{version: obsctl.Version{OBS: tt.version}}, ledger: newTestLedger(), log: slog.New(slog.DiscardHandler),
				pastOBS: tt.pastOBS, told: w, kept: tt.kept}
			if !tt.nothing {
				v.seen.inputs = []obsctl.Input{{Name: "Desktop Audio", UnversionedKind: captureKind}}
			}
			err := v.keep(t.Context())
			if (err == nil) != tt.safe || v.safe != tt.safe || err != nil && !errors.Is(err, errVoiceRemoved) {
				t.Errorf("got %v and safe %t, want safe %t", err, v.safe, tt.safe)
			}
			if diff := cmp.Diff(saidTo(tt.done), w.saidTo); diff != "" {
				t.Errorf("OBS was told (-want +got):\n%s", diff)
			}
			if noted := v.ledger.Deduplicates; noted != (len(tt.done) > 0) {
				t.Errorf("noted: got %t, want %t", noted, len(tt.done) > 0)
			}
		})
	}
}
