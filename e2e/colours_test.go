// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"image"
	"image/color"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealOutputColours: in whatever colours OBS sends to its viewers, what goes to the peer has the right ones, and where
// OBS cannot stream in them a ready costream-obs says what to choose. HDR is refused.
func TestRealOutputColours(t *testing.T) {
	testbed.Need(t)
	orange := color.RGBA{0xe0, 0x80, 0x20, 0xff}
	for _, tt := range []struct {
		format, space string
		problem       string // of a stream that OBS does not start; empty where it does
		refused       bool   // by costream-obs, whatever puts it on air
	}{
		{"I444", "709", "", false},
		{"RGB", "sRGB", "", false},
		{"P010", "709", "P010 with Rec. 709", false},
		{"P010", "2100PQ", "P010 with Rec. 2100 (PQ)", true},
	} {
		t.Run(tt.format+" "+tt.space, func(t *testing.T) {
			area := image.Rect(0, 0, 640, 360)
			obs := testbed.StartOBS(t, testbed.OBSOptions{
				ColourFormat: tt.format, ColourSpace: tt.space,
				Patches: []testbed.Patch{{Name: "orange", Colour: orange, Area: area}},
			})
			run := func(args ...string) *e2e.Companion {
				state := t.TempDir()
				return e2e.StartCompanion(t, binary, "costream-obs", append(obs.Env(), "XDG_STATE_HOME="+state, "XDG_DATA_HOME="+state),
					append(args, "--listen="+testbed.LoopbackAddress(t), "--peer="+testbed.LoopbackAddress(t), "--route=portable")...)
			}
			if tt.refused {
				always := run("--when=always")
				always.AwaitProblem(e2e.OnAir, tt.problem+", cannot be sent to your friend: in OBS open Settings, Advanced, and choose NV12", airLimit)
				always.Stop()
			} else if err := testbed.CheckRegion(obs.Screenshot(testbed.Scene), area, orange, 3); err != nil {
				t.Errorf("what the portable route sends: %v", err)
			}
			obs.StreamTo(testbed.NewRTMP(t))
			companion := run()
			companion.Await(e2e.Ready, readyLimit)
			if tt.problem == "" {
				obs.StartStream()
				companion.Await(e2e.OnAir, airLimit)
				companion.AwaitProblem(e2e.OnAir, "nothing arrives from", reasonLimit+5*time.Second)
				return
			}
			obs.Request("StartStream", nil, nil)
			companion.AwaitProblem(e2e.Ready, tt.problem+": in OBS open Settings, Advanced, and choose NV12", airLimit)
		})
	}
}
