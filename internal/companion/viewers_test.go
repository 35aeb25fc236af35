// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"encoding/json"
	"errors"
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

// TestProbeIsRemovedOffAir: the probe, doctor's too, goes once after each time on air, with its capture ended before
// anything of it is removed.
func TestProbeIsRemovedOffAir(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		recording     bool
		want          []string
	}{
		{"OBS that needs none", "31.1.2", false, nil},
		{"still recording", "32.2.2", true, nil},
		{"off air", "32.2.2", false, []string{"SetInputSettings", "GetSceneList", "GetSceneItemList", "RemoveSceneItem", "RemoveInput"}},
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
			}
			if diff := cmp.Diff(tt.want, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
