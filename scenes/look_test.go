// SPDX-License-Identifier: Apache-2.0

package scenes

import (
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
		{"toggle when that is remembered", toggle("S3"), []string{"S0", "S10", "S3"}},
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
