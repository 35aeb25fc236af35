// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestMuteDoesNotWait: a mute and the end of the stream silence the call while OBS owes the session an answer.
func TestMuteDoesNotWait(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event string
		data  any
	}{
		{"mute", "InputMuteStateChanged", map[string]any{"inputName": "Mic/Aux", "inputMuted": true}},
		{"the stream ends", "StreamStateChanged", map[string]any{"outputActive": false, "outputState": "OBS_WEBSOCKET_OUTPUT_STOPPING"}},
		{"OBS quits", "ExitStarted", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hangs, release := make(chan struct{}), make(chan struct{})
			f := &fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
				if request == "GetInputList" {
					close(hangs)
					<-release
				}
				return nil, nil
			}}
			s := newTestSession(t, Options{When: WhenStreaming, Mics: []string{"Mic/Aux"}}, f)
			t.Cleanup(func() { close(release) })
			ctx, cancel := context.WithCancel(t.Context())
			listening := make(chan struct{})
			go func() {
				defer close(listening)
				s.listen(ctx)
			}()
			t.Cleanup(func() {
				cancel()
				<-listening
			})
			silenced := make(chan struct{}, 1)
			s.mic.gate.reset()
			s.mic.gate.place(true)
			s.mic.gate.meter(nil)
			s.mic.gate.set([]string{"Mic/Aux"}, map[string]bool{"Mic/Aux": false}, map[string]obsctl.MonitorType{"Mic/Aux": obsctl.MonitorAndOutput})
			heard := false
			s.mic.gate.attach(func(silent bool) {
				if !silent {
					heard = true
				} else {
					select {
					case silenced <- struct{}{}:
					default:
					}
				}
			})
			if !heard {
				t.Fatal("the microphone is not heard")
			}

			go func() { _, _ = s.obs.Inputs(ctx) }()
			<-hangs
			f.Event(tt.event, tt.data)
			select {
			case <-silenced:
			case <-time.After(3 * time.Second): // less than a request may take
				t.Error("the peer still hears the microphone while OBS does not answer")
			}
		})
	}
}
