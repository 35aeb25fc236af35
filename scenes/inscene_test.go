// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"errors"
	"strings"
	"testing"
)

// TestEyesOfNothing: a peer that cannot be shown or hidden, because it is in no scene, is said to be in none.
func TestEyesOfNothing(t *testing.T) {
	onAir := func(f *fakeOBS) error { // in no scene, as with --scenes that match none
		_, err := Reconcile(t.Context(), f, "", Desired{Source: device(), Scenes: []string{"Tow"}, Present: true, Visible: true})
		if errors.As(err, new(*UnknownSceneError)) {
			err = nil
		}
		return err
	}
	add := func(f *fakeOBS) error {
		_, err := Add(t.Context(), f, device(), []string{"One"}, Layouts{})
		return err
	}
	remove := func(f *fakeOBS) error {
		_, err := Remove(t.Context(), f, device(), nil)
		return err
	}
	// elsewhere is an input of the peer's that no scene shows.
	elsewhere := func(f *fakeOBS) error {
		f.inputs["Peer"] = &Input{Name: "Peer", Kind: device().Kind, Settings: device().Settings}
		return nil
	}
	for _, tt := range []struct {
		name     string
		before   []func(*fakeOBS) error
		patterns []string
		want     string // in the error; empty for none
	}{
		{name: "a source in no scene", before: []func(*fakeOBS) error{elsewhere}, want: "the peer is in no scene: add it with `costream-obs peer add`"},
		{name: "a source in no scene, on air", before: []func(*fakeOBS) error{elsewhere, onAir}, want: "the peer is in no scene: add it with `costream-obs peer add`"},
		{name: "made for scenes that OBS does not have", before: []func(*fakeOBS) error{onAir}, want: "the peer is in no scene: add it with `costream-obs peer add`"},
		{name: "was there, now for scenes that OBS does not have", before: []func(*fakeOBS) error{add, remove, onAir}, want: "the peer is in no scene: add it with `costream-obs peer add`"},
		{name: "removed on air", before: []func(*fakeOBS) error{elsewhere, onAir, add, remove}, want: "the peer is in no scene: add it with `costream-obs peer add`"},
		{name: "in another scene", before: []func(*fakeOBS) error{add}, patterns: []string{"Two"}, want: "the peer is in no scene that --scene matches: add it there with `costream-obs peer add`"},
		{name: "removed off air, a wish for the next time", before: []func(*fakeOBS) error{elsewhere, add, remove}},
		{name: "there", before: []func(*fakeOBS) error{add}},
	} {
		for name, eye := range map[string]Eye{"show": Show, "hide": Hide, "toggle": Toggle} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				f := newFakeOBS("One", "Two")
				for _, do := range tt.before {
					if err := do(f); err != nil {
						t.Fatal(err)
					}
				}
				changes, err := SetVisible(t.Context(), f, device(), tt.patterns, eye)
				if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrInNoScene) || !strings.Contains(err.Error(), tt.want) || len(changes) > 0) {
					t.Errorf("got %v and error %v, want an error with %q", changes, err, tt.want)
				}
			})
		}
	}
}
