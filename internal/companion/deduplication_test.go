// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"encoding/json"
	"errors"
	"testing"

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
			s := newTestSession(Options{})
			s.obs = dialFake(t, &fakeobs.Server{Version: "32.0.1", Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
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
			if err := s.checkCaptures(t.Context(), "speakers"); errors.Is(err, errVoiceRemoved) == tt.safe || s.voiceSafe != tt.safe {
				t.Errorf("got %v, safe %v; want safe %v", err, s.voiceSafe, tt.safe)
			}
		})
	}
}
