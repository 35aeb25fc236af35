// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// chosenDevice is a sound server with OBS's streams, and the monitoring device that the user chose in OBS.
type chosenDevice struct {
	*playing
	device  string
	gone    bool // the device is not there
	waiting bool // our sink is not ready
}

func (c *chosenDevice) MonitoringDevice(context.Context) (obsctl.MonitoringDevice, error) {
	return obsctl.MonitoringDevice{ID: c.device}, nil
}

func (c *chosenDevice) exists(context.Context, string) (bool, error) { return !c.gone, nil }
func (c *chosenDevice) ready() bool                                  { return !c.waiting }

// TestReturnStreams: off air what OBS monitors plays where the user has it, and never to the peer.
func TestReturnStreams(t *testing.T) {
	for _, tt := range []struct {
		name  string
		with  chosenDevice
		sink  int // what the stream plays to
		quiet bool
		want  []string
	}{
		{name: "to the default sink", sink: ourNumber, want: []string{"1 to speakers"}},
		{name: "to the chosen device", with: chosenDevice{device: "usb.monitor"}, sink: ourNumber, want: []string{"1 to usb"}},
		{name: "the chosen device is gone", with: chosenDevice{device: "usb.monitor", gone: true}, sink: ourNumber, want: []string{"1 to speakers"}},
		{name: "it plays elsewhere", sink: 3},
		{name: "our sink is not ready", with: chosenDevice{waiting: true}, sink: ourNumber},
		{name: "OBS monitors nothing", sink: ourNumber, quiet: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.with
			w.playing = &playing{streams: map[string]pulse.SinkInput{testMic: {Stream: pulse.Stream{Index: 1}, Sink: tt.sink}}}
			e := &ears{obs: &w, sound: &w, seen: &observed{version: obsctl.Version{OBS: obsctl.Semver{Major: 29, Patch: 2}}}}
			if !tt.quiet {
				e.seen.monitored = map[string]obsctl.MonitorType{testMic: obsctl.MonitorOnly}
			}
			if err := e.returnStreams(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(saidTo(tt.want), w.saidTo); diff != "" {
				t.Errorf("the sound server was told (-want +got):\n%s", diff)
			}
		})
	}
}
