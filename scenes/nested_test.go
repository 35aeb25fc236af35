// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A scene that shows the peer through another one is not said to lack it, whatever the command.
func TestCommandsInNestedScenes(t *testing.T) {
	setUp := func(t *testing.T) *fakeOBS {
		t.Helper()
		f := newFakeOBS("Inner", "Middle", "Outer", "Off", "Empty")
		if _, err := Add(t.Context(), f, device(), []string{"Inner"}, Layouts{}); err != nil {
			t.Fatal(err)
		}
		f.put("Middle", "Inner", true)
		f.put("Outer", "Middle", true)
		f.put("Off", "Inner", false)
		return f
	}
	layout := Layout{Shape: Full}
	commands := map[string]func(f *fakeOBS, scene string) ([]Change, error){
		"arrange": func(f *fakeOBS, scene string) ([]Change, error) {
			return Arrange(t.Context(), f, device(), []string{scene}, layout)
		},
		"use": func(f *fakeOBS, scene string) ([]Change, error) {
			return Use(t.Context(), f, device(), []string{scene}, Saved{Canvas: hd})
		},
		"restore": func(f *fakeOBS, scene string) ([]Change, error) {
			return Restore(t.Context(), f, device(), []string{scene}, Layouts{})
		},
		"save": func(f *fakeOBS, scene string) ([]Change, error) {
			_, err := Save(t.Context(), f, device(), scene)
			return nil, err
		},
		"hide": func(f *fakeOBS, scene string) ([]Change, error) {
			return SetVisible(t.Context(), f, device(), []string{scene}, Hide)
		},
		"remove": func(f *fakeOBS, scene string) ([]Change, error) {
			return Remove(t.Context(), f, device(), []string{scene})
		},
	}
	for name, command := range commands {
		for scene, want := range map[string]string{"Middle": "Inner", "Outer": "Inner", "Off": "", "Empty": ""} {
			t.Run(name+" "+scene, func(t *testing.T) {
				changes, err := command(setUp(t), scene)
				got := ""
				var nested *NestedError
				if errors.As(err, &nested) {
					got = nested.Through
				}
				for _, ch := range changes {
					if keep, ok := ch.Edit.(KeepLook); ok {
						got = keep.Through
					}
				}
				if got != want {
					t.Errorf("got %q (%v, %v), want %q to be named", got, changes, err, want)
				}
			})
		}
	}

	t.Run("status", func(t *testing.T) {
		for _, tt := range []struct {
			patterns []string
			want     []Nesting
		}{
			{nil, []Nesting{{"Middle", "Inner"}, {"Outer", "Inner"}}},
			{[]string{"Outer"}, []Nesting{{"Outer", "Inner"}}},
			{[]string{"Inner", "Off"}, nil},
		} {
			state, err := Status(t.Context(), setUp(t), device(), tt.patterns)
			if diff := cmp.Diff(tt.want, state.Nested); err != nil || diff != "" {
				t.Errorf("%q: %v (-want +got):\n%s", tt.patterns, err, diff)
			}
		}
	})

	t.Run("all scenes", func(t *testing.T) {
		if changes, err := SetVisible(t.Context(), setUp(t), device(), nil, Hide); err != nil || len(changes) != 1 {
			t.Errorf("hide: got %v and %v, want one change and no error", changes, err)
		}
		if changes, err := Remove(t.Context(), setUp(t), device(), []string{"*"}); err != nil || len(changes) != 1 {
			t.Errorf("remove: got %v and %v, want one change and no error", changes, err)
		}
	})
}
