// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What has the peer's name and kind but neither our mark nor our device is the user's: it stays as it is, and ours takes
// another name.
func TestStrangers(t *testing.T) {
	socket := Source{Name: "Peer", Kind: "ffmpeg_source", Settings: map[string]any{"is_local_file": false, "input": "tcp://127.0.0.1:4000"}}
	for _, tt := range []struct {
		name     string
		source   Source
		stranger map[string]any
		memory   CollectionMemory
	}{
		{"a camera", device(), map[string]any{"device_id": "/dev/video0"}, CollectionMemory{}},
		{"a new camera", device(), map[string]any{}, CollectionMemory{}},
		{"a media file", socket, map[string]any{"is_local_file": true, "local_file": "/home/anna/intro.mp4"}, CollectionMemory{}},
		{"a stream", socket, map[string]any{"is_local_file": false, "input": "rtmp://example.net/anna"}, CollectionMemory{}},
		{"with the name that ours had last time", socket, map[string]any{"is_local_file": true}, CollectionMemory{Input: "Peer", Asked: "Peer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeOBS("A", "B")
			f.inputs["Peer"] = &Input{Name: "Peer", Kind: tt.source.Kind, Settings: maps.Clone(tt.stranger)}
			f.put("A", "Peer", true)
			f.put("B", "Peer", true)
			before := world(f)
			if err := f.SaveMemory(t.Context(), remembering(tt.memory)); err != nil {
				t.Fatal(err)
			}
			d := Desired{Source: tt.source}
			for _, state := range []struct{ present, visible bool }{{true, false}, {true, true}, {true, false}, {false, false}} {
				d.Present, d.Visible, d.Over = state.present, state.visible, !state.present
				report, err := Reconcile(t.Context(), f, "1", d)
				if err != nil {
					t.Fatal(err)
				}
				if d.Present {
					if in := f.inputs["Peer 2"]; report.Input != "Peer 2" || in == nil || in.Settings[MarkKey] != markMade {
						t.Errorf("%+v: got the peer source %q and the input %+v, want one of ours called %q", state, report.Input, in, "Peer 2")
					}
					peers, err := Peers(t.Context(), f, tt.source)
					if diff := cmp.Diff([]string{"Peer 2"}, peers); diff != "" || err != nil {
						t.Errorf("inputs that show the peer: error %v (-want +got):\n%s", err, diff)
					}
				}
				for scene, id := range map[string]int{"A": 1, "B": 1} {
					if it := f.item(scene, id); it == nil || !it.Enabled {
						t.Fatalf("%+v: the user's item in %s: got %+v, want it shown", state, scene, it)
					}
				}
				if diff := cmp.Diff(tt.stranger, f.inputs["Peer"].Settings); diff != "" {
					t.Fatalf("%+v: the user's settings (-want +got):\n%s", state, diff)
				}
			}
			if diff := cmp.Diff(before, world(f)); diff != "" {
				t.Errorf("after the time on air (-before +after):\n%s", diff)
			}
			if _, err := SetVisible(t.Context(), f, Source{Name: "Peer", Settings: device().Settings}, nil, Hide); err != nil && !errors.Is(err, ErrNoPeerSource) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, world(f)); diff != "" {
				t.Errorf("after `peer hide` (-before +after):\n%s", diff)
			}
		})
	}
}

// An input that is the peer's no more gets back the eye that we closed, and no other.
func TestGiveBack(t *testing.T) {
	f := newFakeOBS("A", "B")
	f.inputs["Cam"] = &Input{Name: "Cam", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11"}}
	f.put("A", "Cam", true)
	f.put("B", "Cam", false)
	reconcile := func(d Desired) {
		t.Helper()
		for range 2 {
			if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
				t.Fatal(err)
			}
		}
	}
	eyes := func(want string) {
		t.Helper()
		got := ""
		for _, name := range []string{"A", "B"} {
			if f.item(name, 1).Enabled {
				got += name
			}
		}
		if got != want {
			t.Fatalf("shown: got it in %q, want %q", got, want)
		}
	}
	reconcile(Desired{Source: device(), Present: true, Visible: true})
	eyes("A")
	reconcile(Desired{Source: device(), Over: true})
	eyes("")

	f.inputs["Cam"].Settings["device_id"] = "/dev/video0"
	// Who does not know which kind the peer source has cannot know whether it is one.
	reconcile(Desired{Source: Source{Name: "Peer"}})
	eyes("")
	reconcile(Desired{Source: device()})
	eyes("A")
	f.item("A", 1).Enabled = false
	reconcile(Desired{Source: device()})
	eyes("")
}
