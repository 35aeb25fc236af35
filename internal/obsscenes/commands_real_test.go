// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

func TestRealCommands(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	ctx, bare := t.Context(), scenes.Source{Name: "Peer"}
	if _, err := scenes.SetVisible(ctx, s.obs, bare, nil, scenes.Show); !errors.Is(err, scenes.ErrNoPeerSource) {
		t.Errorf("SetVisible without an input: got %v, want ErrNoPeerSource", err)
	}
	if _, err := scenes.Add(ctx, s.obs, bare, nil, scenes.Layouts{}); !errors.Is(err, scenes.ErrNoPeerSource) {
		t.Errorf("Add without an input and a kind: got %v, want ErrNoPeerSource", err)
	}
	if _, err := scenes.Add(ctx, s.obs, source(), []string{"Tow"}, scenes.Layouts{}); !errors.As(err, new(*scenes.UnknownSceneError)) {
		t.Errorf("Add to an unknown scene: got %v, want *UnknownSceneError", err)
	}
	s.wantInputs()
	run := func(what string, f func() ([]scenes.Change, error), want ...string) {
		t.Helper()
		changes, err := f()
		s.must(err)
		got := []string{}
		for _, c := range changes {
			got = append(got, c.Edit.String())
		}
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Fatalf("%s: changes differ (-want +got):\n%s", what, diff)
		}
	}
	add := func(patterns ...string) func() ([]scenes.Change, error) {
		return func() ([]scenes.Change, error) {
			return scenes.Add(ctx, s.obs, source(), patterns, scenes.Layouts{Default: scenes.Layout{Shape: scenes.Full}})
		}
	}
	set := func(eye scenes.Eye, patterns ...string) func() ([]scenes.Change, error) {
		return func() ([]scenes.Change, error) { return scenes.SetVisible(ctx, s.obs, bare, patterns, eye) }
	}
	remove := func(patterns ...string) func() ([]scenes.Change, error) {
		return func() ([]scenes.Change, error) { return scenes.Remove(ctx, s.obs, bare, patterns) }
	}

	run("add", add(), `add "Peer" to scene "Scene"`)
	run("add again", add())
	run("add everywhere", add("*"), `add "Peer" to scene "Two"`)
	run("toggle", set(scenes.Toggle), `hide "Peer" (item 1) in scene "Scene"`, `hide "Peer" (item 1) in scene "Two"`)
	run("show one", set(scenes.Show, "Two"), `show "Peer" (item 1) in scene "Two"`)
	run("toggle with one shown", set(scenes.Toggle), `hide "Peer" (item 1) in scene "Two"`)
	run("toggle back", set(scenes.Toggle), `show "Peer" (item 1) in scene "Scene"`, `show "Peer" (item 1) in scene "Two"`)
	run("show what is shown", set(scenes.Show))

	// On air, what was hidden by hand stays hidden, and what was added is not removed at the end.
	run("hide one", set(scenes.Hide, "Two"), `hide "Peer" (item 1) in scene "Two"`)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	s.wantItems("Two", "Peer hidden")
	s.goTo(offAir)
	s.wantItems(scene, "Peer hidden")
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": 1, "sceneItemTransform": testbed.D{"positionX": 99}})
	run("remove", remove(), `remove "Peer" (item 1) from scene "Scene"`, `remove "Peer" (item 1) from scene "Two"`)
	s.wantInputs()
	run("add back", add(scene), `add "Peer" to scene "Scene"`)
	if x := s.item(scene, "Peer").Transform.X; x != 99 {
		t.Errorf("X after remove and add: got %v, want 99", x)
	}
	run("remove", remove(scene), `remove "Peer" (item 2) from scene "Scene"`)

	// By hand on air: removed stays removed, hidden while away stays hidden when the peer comes.
	s.goTo(waiting)
	run("hide while away", set(scenes.Hide))
	s.goTo(onAir)
	s.wantItems(scene, "Peer hidden")
	run("show", set(scenes.Show), `show "Peer" (item 3) in scene "Scene"`)
	s.goTo(onAir)
	run("remove on air", remove(), `remove "Peer" (item 3) from scene "Scene"`)
	s.goTo(onAir)
	s.wantItems(scene)
	s.goTo(offAir)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
}
