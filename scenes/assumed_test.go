// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"encoding/json"
	"testing"
)

// TestAssumedCollection: a toggle does not ask OBS for the name of its collection while all is as it is remembered, and
// asks before it changes anything otherwise.
func TestAssumedCollection(t *testing.T) {
	src := FromDevice("Peer", "/dev/video11")
	prepare := func(t *testing.T) *fakeOBS {
		f := newFakeOBS("A", "B")
		if _, err := Add(t.Context(), f, src, []string{"*"}, Layouts{}); err != nil {
			t.Fatal(err)
		}
		for _, eye := range []Eye{Hide, Show} { // after which all is remembered
			if _, err := SetVisible(t.Context(), f, src, nil, eye); err != nil {
				t.Fatal(err)
			}
		}
		return f
	}
	for _, tt := range []struct {
		name    string
		meet    func(f *fakeOBS) // what happens before the toggle
		assumed string
		asks    bool
	}{
		{"as remembered", func(*fakeOBS) {}, "C", false},
		{"the user hid it in a scene", func(f *fakeOBS) { f.item("B", 1).Enabled = false }, "C", true},
		{"the user deleted an item", func(f *fakeOBS) { f.remove("B", 1) }, "C", true},
		{"nothing is remembered of it", func(*fakeOBS) {}, "Another", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := prepare(t)
			tt.meet(f)
			f.assumed = tt.assumed
			if _, err := SetVisible(t.Context(), f, src, nil, Toggle); err != nil {
				t.Fatal(err)
			}
			if asked := f.assumed == ""; asked != tt.asks {
				t.Errorf("asked for the collection: %t, want %t", asked, tt.asks)
			}
			for _, sc := range f.scenes {
				for _, it := range sc.Items {
					if it.Enabled {
						t.Errorf("the peer is shown in scene %q", sc.Name)
					}
				}
			}
			var m Memory
			if err := json.Unmarshal(f.memory, &m); err != nil {
				t.Fatal(err)
			}
			if names := m.Names(); len(names) != 1 || names[0] != "C" {
				t.Errorf("remembered of the collections %q, want C alone", names)
			}
		})
	}

	t.Run("only what is about eyes", func(t *testing.T) {
		f := prepare(t)
		f.assumed = "C"
		if _, err := Remove(t.Context(), f, src, nil); err != nil {
			t.Fatal(err)
		}
		if f.assumed != "" {
			t.Error("did not ask for the collection")
		}
	})

	// The collection is a copy of the remembered one: the wish is noted in the wrong place, and is mended there by the next
	// look, which finds the eyes as they were.
	t.Run("in a copy", func(t *testing.T) {
		f := prepare(t)
		f.assumed = "C" // while it is a copy
		if _, err := SetVisible(t.Context(), f, src, nil, Hide); err != nil {
			t.Fatal(err)
		}
		for _, scene := range []string{"A", "B"} {
			f.item(scene, 1).Enabled = true // back in C, where nobody hid it
		}
		f.assumed = ""
		state, err := Status(t.Context(), f, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, spot := range state.Spots {
			if spot.Hidden || !spot.Enabled {
				t.Errorf("got %+v, want it shown and not hidden by the user", spot)
			}
		}
	})
}
