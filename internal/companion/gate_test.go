// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"slices"
	"testing"

	"github.com/costream-obs/costream-obs/obsctl"
)

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
			var silent bool
			g := gate{always: tt.micSource != ""}
			g.attach(func(s bool) { silent = s })
			g.meter(nil)
			g.set(tt.mics, tt.muted)
			if silent != tt.want {
				t.Errorf("silent is %v, want %v", silent, tt.want)
			}
		})
	}
}

// TestGateFollowsMeters: what viewers do not hear the peer does not hear either, which OBS tells of push-to-talk in no
// other way.
func TestGateFollowsMeters(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	level := func(input string, captured, heard float64) obsctl.Levels {
		return obsctl.Levels{{Input: input, Captured: captured, Heard: heard}}
	}
	for _, tt := range []struct {
		name   string
		mics   []string
		levels []obsctl.Levels
		want   bool
	}{
		{"no meters yet", []string{mic}, nil, true},
		{"nothing is said", []string{mic}, []obsctl.Levels{level(mic, 0, 0)}, false},
		{"another input", []string{mic}, []obsctl.Levels{level("Music", 0.5, 0)}, false},
		{"the key is down", []string{mic}, []obsctl.Levels{level(mic, 0.5, 0.5)}, false},
		{"the key is up", []string{mic}, []obsctl.Levels{level(mic, 0.5, 0)}, true},
		{"a pause with the key up", []string{mic}, []obsctl.Levels{level(mic, 0.5, 0), level(mic, 0, 0)}, true},
		{"pressed again", []string{mic}, []obsctl.Levels{level(mic, 0.5, 0), level(mic, 0.5, 0.1)}, false},
		{"one of two", []string{mic, guitar}, []obsctl.Levels{level(mic, 0.5, 0)}, false},
		{"both", []string{mic, guitar}, []obsctl.Levels{level(mic, 0.5, 0), level(guitar, 0.5, 0)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var silent []bool
			g := gate{}
			g.set(tt.mics, map[string]bool{mic: false, guitar: false})
			g.attach(func(s bool) { silent = append(silent, s) })
			for _, l := range tt.levels {
				g.meter(l)
			}
			if len(silent) == 0 || silent[0] != true {
				t.Errorf("before any meter: got %v, want silence", silent)
			} else if got := silent[len(silent)-1]; got != tt.want {
				t.Errorf("silent: got %v, want %v", got, tt.want)
			}
			told := slices.Clone(silent)
			g.detach()
			g.meter(level(mic, 0.5, 0.5))
			if !slices.Equal(silent, told) {
				t.Error("a gate that was detached still decides")
			}
		})
	}
}
