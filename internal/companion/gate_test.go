// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"slices"
	"testing"
	"time"

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
			g.reset()
			g.attach(func(s bool) { silent = s })
			g.meter(nil)
			g.place(true)
			g.set(tt.mics, tt.muted, nil)
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
			g.reset()
			g.place(true)
			g.set(tt.mics, map[string]bool{mic: false, guitar: false}, nil)
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

// TestGateKeepsShut: of several inputs those are not monitored that the viewers do not hear.
func TestGateKeepsShut(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	for _, tt := range []struct {
		name   string
		mics   []string
		levels obsctl.Levels
		want   []string
	}{
		{"both are heard", []string{mic, guitar}, obsctl.Levels{{Input: mic, Captured: 0.5, Heard: 0.5}}, nil},
		{"one is not", []string{mic, guitar}, obsctl.Levels{{Input: guitar, Captured: 0.5}}, []string{guitar}},
		{"another input", []string{mic, guitar}, obsctl.Levels{{Input: "Music", Captured: 0.5}}, nil},
		{"the only one", []string{mic}, obsctl.Levels{{Input: mic, Captured: 0.5}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g gate
			g.set(tt.mics, map[string]bool{mic: false, guitar: false}, nil)
			g.meter(tt.levels)
			if got := g.keptShut(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestGateHoldsAllForOne: several microphones reach the peer as one sound, so that all are silent while one that is closed
// to the viewers may still be in it.
func TestGateHoldsAllForOne(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	both := map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput, guitar: obsctl.MonitorAndOutput}
	for _, tt := range []struct {
		name   string
		hazard bool
		act    func(g *gate)
		want   bool
	}{
		{"both open", true, func(*gate) {}, false},
		{"one muted where OBS silences it", false, func(g *gate) { g.mute(mic, true) }, false},
		{"one muted where OBS monitors it", true, func(g *gate) { g.mute(mic, true) }, true},
		{"and unmuted", true, func(g *gate) { g.mute(mic, true); g.mute(mic, false) }, false},
		{"a key is up", false, func(g *gate) { g.meter(obsctl.Levels{{Input: mic, Captured: 0.5}}) }, true},
		{"not monitored any more, but on its way", true, func(g *gate) {
			g.mute(mic, true)
			g.set([]string{mic, guitar}, map[string]bool{mic: true, guitar: false}, map[string]obsctl.MonitorType{guitar: obsctl.MonitorAndOutput})
		}, true},
		{"another input is muted", true, func(g *gate) { g.mute("Music", true) }, false},
		{"a stream was moved", true, func(g *gate) { g.place(false) }, true},
		{"the stream ends", true, func(g *gate) { g.end() }, true},
		{"after that", true, func(g *gate) { g.end(); g.mute(mic, false); g.place(true) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var silent bool
			g := gate{hazard: tt.hazard}
			g.reset()
			g.attach(func(s bool) { silent = s })
			g.meter(nil)
			g.place(true)
			g.set([]string{mic, guitar}, map[string]bool{mic: false, guitar: false}, both)
			tt.act(&g)
			if silent != tt.want {
				t.Errorf("silent: got %v, want %v", silent, tt.want)
			}
			g.detach()
		})
	}
}

// TestGateOpensAgain: when what is on its way has come, the other microphones are heard without anything else happening.
func TestGateOpensAgain(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	opened := make(chan struct{}, 1)
	g := gate{hazard: true}
	g.reset()
	g.attach(func(silent bool) {
		if !silent {
			select {
			case opened <- struct{}{}:
			default:
			}
		}
	})
	g.meter(nil)
	g.place(true)
	mics, muted := []string{mic, guitar}, map[string]bool{mic: true, guitar: false}
	g.set(mics, muted, map[string]obsctl.MonitorType{mic: obsctl.MonitorAndOutput, guitar: obsctl.MonitorAndOutput})
	select {
	case <-opened:
		t.Fatal("it is open while a muted microphone is monitored")
	default:
	}
	g.set(mics, muted, map[string]obsctl.MonitorType{guitar: obsctl.MonitorAndOutput})
	select {
	case <-opened:
	case <-time.After(5 * time.Second):
		t.Error("it stays closed")
	}
	g.detach()
}
