// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of many scenes only those are looked at that matter: where the peer is or is to be, and what is shown there.
func TestLookAtWhatMatters(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("S%d", i))
	}
	f := newFakeOBS(append(names, "Group")...)
	f.scene("Group").Group = true
	f.inputs["Peer"] = &Input{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11"}}
	f.put("S3", "Peer", true)
	f.put("S10", "S11", true)
	f.put("S11", "S12", true)
	f.put("S20", "S21", true)
	toggle := func(patterns ...string) func() error {
		return func() error {
			_, err := SetVisible(t.Context(), f, device(), patterns, Toggle)
			return err
		}
	}
	onAir := func(patterns ...string) func() error {
		return func() error {
			_, err := Reconcile(t.Context(), f, "1", Desired{Source: device(), Scenes: patterns, Present: true, Visible: true})
			return err
		}
	}
	for _, tt := range []struct {
		name string
		do   func() error
		want []string
	}{
		// S0 is the programme.
		{"toggle", toggle(), []string{"S0", "S3"}},
		{"on air where the peer is", onAir(), []string{"S0", "S3"}},
		{"on air in another scene", onAir("S10"), []string{"S0", "S10", "S11", "S12", "S3"}},
		{"toggle when that is remembered", toggle("S3"), []string{"S0", "S3"}},
		{"renamed", func() error {
			f.scene("S10").Name = "Ten"
			return onAir("Ten")()
		}, []string{"S0", "S11", "S12", "S3", "Ten"}},
		{"in a group", func() error {
			f.put("Group", "Peer", true)
			f.put("S20", "Group", true)
			f.scene("S20").Items[1].Group = true
			return toggle()()
		}, func() []string {
			all := []string{"Group", "Ten"}
			for _, name := range names {
				if name != "S10" {
					all = append(all, name)
				}
			}
			slices.Sort(all)
			return all
		}()},
	} {
		f.looked = nil
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		slices.Sort(f.looked)
		if diff := cmp.Diff(tt.want, f.looked); diff != "" {
			t.Errorf("%s: looked at others (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, sc := range f.scenes {
		for _, it := range sc.Items {
			if it.Source == "Peer" && it.Enabled {
				t.Errorf("the peer is shown in %q after the toggle, want it hidden", sc.Name)
			}
		}
	}
}

// Where the memory knows the peer's one item in a scene, a toggle looks at the eye of that item alone.
func TestToggleLooksAtEyes(t *testing.T) {
	names := []string{"S0", "S1", "S2", "S3"}
	for _, tt := range []struct {
		name   string
		do     func(f *fakeOBS)
		looked []string // besides the programme, S0
	}{
		{"nothing else happened", func(*fakeOBS) {}, nil},
		{"hidden by the user", func(f *fakeOBS) { f.scene("S1").Items[0].Enabled = false }, nil},
		{"a second item above", func(f *fakeOBS) { f.put("S1", "Peer", true) }, []string{"S1"}},
		{"a second item below", func(f *fakeOBS) {
			f.put("S1", "Peer", true)
			slices.Reverse(f.scene("S1").Items)
		}, []string{"S1"}},
		{"another item instead", func(f *fakeOBS) {
			f.put("S1", "Peer", true)
			f.remove("S1", 1)
		}, []string{"S1"}},
		{"deleted", func(f *fakeOBS) { f.remove("S1", 1) }, []string{"S1"}},
		{"renamed", func(f *fakeOBS) { f.scene("S1").Name = "One" }, []string{"One"}},
		{"an edit that was broken off", func(f *fakeOBS) {
			f.remember(t, func(c *CollectionMemory) { c.Scenes["S1"].Items[1].Pending = true })
		}, []string{"S1"}},
		{"an item that is being added", func(f *fakeOBS) {
			f.remember(t, func(c *CollectionMemory) { c.Scenes["S1"].Adding = true })
		}, []string{"S1"}},
		{"another name", func(f *fakeOBS) { f.renameInput("Peer", "Friend") }, nil},
		{"a second input", func(f *fakeOBS) {
			f.inputs["Peer 2"] = &Input{Name: "Peer 2", Kind: "v4l2_input", Settings: map[string]any{MarkKey: markMade}}
			f.put("S2", "Peer 2", true)
		}, names[1:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeOBS(names...)
			if _, err := Add(t.Context(), f, device(), []string{"*"}, Layouts{}); err != nil {
				t.Fatal(err)
			}
			tt.do(f)
			f.looked = nil
			if _, err := SetVisible(t.Context(), f, device(), nil, Toggle); err != nil {
				t.Fatal(err)
			}
			slices.Sort(f.looked)
			want := append([]string{"S0"}, tt.looked...)
			slices.Sort(want)
			if diff := cmp.Diff(want, f.looked); diff != "" {
				t.Errorf("looked at others (-want +got):\n%s", diff)
			}
			f.wantEyes(t, false)
			if _, err := SetVisible(t.Context(), f, device(), nil, Toggle); err != nil {
				t.Fatal(err)
			}
			f.wantEyes(t, true)
		})
	}
}

// What the user moved before a toggle stays where it is after it, although the toggle did not look.
func TestMovedBeforeToggle(t *testing.T) {
	f := newFakeOBS("S0", "S1")
	on := Desired{Source: device(), Scenes: []string{"*"}, Present: true, Visible: true}
	reconcile := func(d Desired) {
		t.Helper()
		if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
			t.Fatal(err)
		}
	}
	reconcile(on)
	moved := Transform{X: 5, Y: 7, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsNone}
	f.scene("S1").Items[0].Transform = moved
	for range 2 {
		if _, err := SetVisible(t.Context(), f, device(), nil, Toggle); err != nil {
			t.Fatal(err)
		}
	}
	reconcile(on)
	reconcile(Desired{Source: device()})
	reconcile(on)
	if got := f.scene("S1").Items[0]; got.Transform != moved || !got.Enabled {
		t.Errorf("got %+v, want it shown at %+v", got, moved)
	}
}

// What is stored after a toggle that fails in part is what happened, and the memory is stored although it failed at first.
func TestToggleFails(t *testing.T) {
	hide := func(t *testing.T, failAt int) (m Memory, calls int, err error) {
		f := newFakeOBS("S0", "S1")
		if _, err := Add(t.Context(), f, device(), []string{"*"}, Layouts{}); err != nil {
			t.Fatal(err)
		}
		f.writes = nil
		f.failAt = failAt
		_, err = SetVisible(t.Context(), f, device(), nil, Hide)
		if err := json.Unmarshal(f.memory, &m); err != nil {
			t.Fatal(err)
		}
		return m, len(f.writes), err
	}
	good, calls, err := hide(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	// The last call stores the memory, the one before hides the peer in S1.
	if m, _, err := hide(t, calls); err != nil || !cmp.Equal(m, good) {
		t.Errorf("not stored at first: got %+v and error %v, want %+v", m, err, good)
	}
	m, _, err := hide(t, calls-1)
	if err == nil {
		t.Error("not hidden: got no error")
	}
	for scene, failed := range map[string]bool{"S0": false, "S1": true} {
		if im := m.Collections["C"].item(scene, 1); !im.Hidden || im.Enabled != failed || im.Pending != failed {
			t.Errorf("not hidden in S1: of %s is remembered %+v", scene, im)
		}
	}
}

// remember changes what is remembered.
func (f *fakeOBS) remember(t *testing.T, change func(c *CollectionMemory)) {
	t.Helper()
	var m Memory
	if err := json.Unmarshal(f.memory, &m); err != nil {
		t.Fatal(err)
	}
	change(m.Collections["C"])
	var err error
	if f.memory, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
}

func (f *fakeOBS) renameInput(old, name string) {
	in := f.inputs[old]
	delete(f.inputs, old)
	in.Name = name
	f.inputs[name] = in
	for _, sc := range f.scenes {
		for i := range sc.Items {
			if sc.Items[i].Source == old {
				sc.Items[i].Source = name
			}
		}
	}
}

// wantEyes checks whether the peer is shown everywhere or nowhere.
func (f *fakeOBS) wantEyes(t *testing.T, shown bool) {
	t.Helper()
	for _, sc := range f.scenes {
		for _, it := range sc.Items {
			if in := f.inputs[it.Source]; in != nil && it.Enabled != shown {
				t.Errorf("%s in %q is shown: got %t, want %t", it.Source, sc.Name, it.Enabled, shown)
			}
		}
	}
}
