// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

func TestRealOnAirAndOff(t *testing.T) {
	s := newStage(t)
	s.addScene("Other")
	s.goTo(offAir)
	s.wantInputs()
	s.goTo(waiting)
	s.wantItems(scene, "Peer hidden")
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	want := scenes.Layout{}.Place(scenes.Size{W: 640, H: 360}, scenes.Picture{})
	if diff := cmp.Diff(want, s.item(scene, "Peer").Transform); diff != "" {
		t.Errorf("transform differs (-want +got):\n%s", diff)
	}
	s.goTo(waiting)
	s.wantItems(scene, "Peer hidden")
	s.goTo(onAir)
	s.wantItems("Other")
	s.goTo(offAir)
	s.wantItems(scene)
	s.wantInputs()

	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Other"})
	s.goTo(onAir)
	s.wantItems(scene)
	s.wantItems("Other", "Peer shown")
}

// What the user did to our item is there again after the item was away.
func TestRealUsersTouchStays(t *testing.T) {
	s := newStage(t)
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Overlay", "inputKind": "color_source_v3"})
	s.goTo(onAir)
	s.wantItems(scene, "Overlay shown", "Peer shown")
	id := s.item(scene, "Peer").ID
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemTransform": testbed.D{
		"positionX": 12, "positionY": 34, "rotation": 15, "boundsType": "OBS_BOUNDS_NONE", "scaleX": 0.5, "scaleY": 0.25, "cropLeft": 7, "cropBottom": 3}})
	s.user("SetSceneItemIndex", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemIndex": 0})
	s.user("SetSceneItemLocked", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemLocked": true})
	want := s.item(scene, "Peer")
	for range 2 {
		s.goTo(offAir)
		s.wantItems(scene, "Overlay shown")
		s.goTo(onAir)
		s.wantItems(scene, "Peer shown", "Overlay shown")
		got := s.item(scene, "Peer")
		want.ID = got.ID
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("item after it was added again differs (-want +got):\n%s", diff)
		}
	}

	s.setEnabled(scene, s.item(scene, "Peer").ID, false)
	s.goTo(waiting)
	s.goTo(onAir)
	s.wantItems(scene, "Peer hidden", "Overlay shown")
	s.goTo(offAir)
	s.goTo(onAir)
	s.wantItems(scene, "Peer hidden", "Overlay shown")
	s.setEnabled(scene, s.item(scene, "Peer").ID, true)
	s.goTo(onAir)
	s.goTo(offAir)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown", "Overlay shown")
}

// A placeholder that the user shows by hand stays until the peer comes.
func TestRealShownWhileAway(t *testing.T) {
	s := newStage(t)
	s.goTo(waiting)
	s.setEnabled(scene, s.item(scene, "Peer").ID, true)
	s.goTo(waiting)
	s.wantItems(scene, "Peer shown")
	s.goTo(onAir)
	s.goTo(waiting)
	s.wantItems(scene, "Peer hidden")
}

func TestRealUserPlaced(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	s.addScene("Three")
	s.makePeer(scene, "Peer")
	s.place("Two", "Peer", true)
	s.place("Two", "Peer", true)
	s.place("Two", "Peer", false)
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Three"})
	s.goTo(offAir)
	s.wantItems(scene, "Peer shown")
	s.goTo(waiting)
	s.wantItems(scene, "Peer hidden")
	s.wantItems("Two", "Peer hidden", "Peer hidden", "Peer hidden")
	for range 2 {
		s.goTo(onAir)
		s.wantItems(scene, "Peer shown")
		s.wantItems("Two", "Peer shown", "Peer shown", "Peer hidden")
		s.wantItems("Three")
		s.goTo(offAir)
		s.wantItems(scene, "Peer hidden")
		s.wantItems("Two", "Peer hidden", "Peer hidden", "Peer hidden")
	}
	// Arranging it off air says nothing about the next stream.
	id := s.item(scene, "Peer").ID
	s.setEnabled(scene, id, true)
	s.goTo(offAir)
	s.wantItems(scene, "Peer shown")
	s.setEnabled(scene, id, false)
	s.goTo(offAir)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
}

// An input that the user made gets its own settings back, also under another name.
func TestRealAdoptedSettings(t *testing.T) {
	s := newStage(t)
	own := testbed.D{"is_local_file": true, "local_file": "/nonexistent/friend.mkv", "looping": true}
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Peer", "inputKind": "ffmpeg_source", "inputSettings": own})
	s.goTo(onAir)
	settings, err := s.obs.InputSettings(s.Context(), "Peer")
	s.must(err)
	if got := settings["local_file"]; got != "" {
		t.Errorf("on air, local_file: got %q, want none", got)
	}
	s.user("SetInputName", testbed.D{"inputName": "Peer", "newInputName": "Friend"})
	s.goTo(onAir)
	s.wantItems(scene, "Friend shown")
	s.goTo(offAir)
	got, err := s.obs.InputSettings(s.Context(), "Friend")
	s.must(err)
	want := map[string]any(own)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings off air differ (-want +got):\n%s", diff)
	}
}

func TestRealRenamed(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	s.user("SetInputName", testbed.D{"inputName": "Peer", "newInputName": "Anna"})
	s.user("SetSceneName", testbed.D{"sceneName": scene, "newSceneName": "Stage"})
	s.goTo(waiting)
	s.wantItems("Stage", "Anna hidden")
	s.goTo(onAir)
	s.wantItems("Stage", "Anna shown")
	s.goTo(offAir)
	s.wantItems("Stage")
	s.wantInputs()
	s.goTo(onAir)
	s.wantItems("Stage", "Anna shown")
	s.goTo(offAir)
	s.wantInputs()

	// Another name in the configuration wins over an old renaming.
	s.desired.Source.Name = "Friend"
	s.goTo(onAir)
	s.wantItems("Stage", "Friend shown")
}

// A name that something else has is left to it.
func TestRealNameTaken(t *testing.T) {
	s := newStage(t)
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Peer", "inputKind": "color_source_v3"})
	s.addScene("Peer 2")
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown", "Peer 3 shown")
	s.goTo(offAir)
	s.wantItems(scene, "Peer shown")
}

// Copies that the user makes of our item stay, and so does the pair of them.
func TestRealCopied(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	s.goTo(onAir)
	id := s.item(scene, "Peer").ID
	s.user("DuplicateSceneItem", testbed.D{"sceneName": scene, "sceneItemId": id})
	s.user("DuplicateSceneItem", testbed.D{"sceneName": scene, "sceneItemId": id, "destinationSceneName": "Two"})
	for range 2 {
		s.goTo(waiting)
		s.wantItems(scene, "Peer hidden", "Peer hidden")
		s.wantItems("Two", "Peer hidden")
		s.goTo(onAir)
		s.wantItems(scene, "Peer shown", "Peer shown")
		s.wantItems("Two", "Peer shown")
		s.goTo(offAir)
		s.wantItems(scene, "Peer hidden")
		s.wantItems("Two", "Peer hidden")
	}
}

// A duplicate of the input, which OBS makes by "Paste (Duplicate)", is the peer as well.
func TestRealDuplicateInput(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	settings, err := s.obs.InputSettings(s.Context(), "Peer")
	s.must(err)
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Copy", "inputKind": source().Kind, "inputSettings": settings})
	s.goTo(waiting)
	s.wantItems(scene, "Peer hidden", "Copy hidden")
	s.goTo(offAir)
	s.wantItems(scene, "Copy hidden")
	s.wantInputs("Copy")
	// The remaining input serves for our item as well.
	s.goTo(onAir)
	s.wantItems(scene, "Copy shown", "Copy shown")
	s.goTo(offAir)
	s.wantItems(scene, "Copy hidden")
}

// What the user deletes on air is gone for this time on air.
func TestRealDeleted(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	s.user("RemoveSceneItem", testbed.D{"sceneName": scene, "sceneItemId": s.item(scene, "Peer").ID})
	s.goTo(onAir)
	s.wantItems(scene)
	s.goTo(waiting)
	s.goTo(onAir)
	s.wantItems(scene)
	s.goTo(offAir)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
}

func TestRealPatterns(t *testing.T) {
	s := newStage(t)
	for _, name := range []string{"Game 1", "Game 2", "Talk/Chat", "Cam [1]", "Frame"} {
		s.addScene(name)
	}
	s.place("Frame", "Game 1", true)
	s.desired.Scenes = []string{"Game*", "*/Chat", "Cam [1]", "Frame"}
	s.goTo(onAir)
	s.wantItems(scene)
	for _, name := range []string{"Game 1", "Game 2", "Talk/Chat", "Cam [1]"} {
		s.wantItems(name, "Peer shown")
	}
	s.wantItems("Frame", "Game 1 shown") // shows the peer through Game 1 already

	s.addScene("Game 3")
	s.goTo(onAir)
	s.wantItems("Game 3", "Peer shown")
	s.desired.Scenes = []string{"Game 1", "Nowhere"}
	_, err := s.reconcile()
	var unknown *scenes.UnknownSceneError
	if !errors.As(err, &unknown) {
		t.Fatalf("error: got %v, want an *UnknownSceneError", err)
	}
	for _, part := range []string{`no scene is called "Nowhere"`, `scene collection "Untitled"`, `"Scene", "Game 1", "Game 2"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not contain %q", err, part)
		}
	}
	s.wantItems("Game 1", "Peer shown")
	s.wantItems("Game 3")
	s.goTo(offAir)
	s.wantItems("Game 1")
	s.wantInputs()
}

func TestRealCollectionSwitched(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": s.item(scene, "Peer").ID,
		"sceneItemTransform": testbed.D{"positionX": 5, "positionY": 6}})
	s.goTo(onAir)

	s.user("CreateSceneCollection", testbed.D{"sceneCollectionName": "Second"})
	s.wantItems(scene)
	if r := s.goTo(onAir); r.Collection != "Second" {
		t.Errorf("collection: got %q, want Second", r.Collection)
	}
	s.wantItems(scene, "Peer shown")
	if x := s.item(scene, "Peer").Transform.X; x == 5 {
		t.Errorf("the place from the other collection came along")
	}

	s.user("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": "Untitled"})
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	if x := s.item(scene, "Peer").Transform.X; x != 5 {
		t.Errorf("X back in the first collection: got %v, want 5", x)
	}
	s.goTo(offAir)
	s.wantItems(scene)

	// What was left in the second collection goes when it is loaded.
	s.user("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": "Second"})
	s.wantItems(scene, "Peer shown")
	s.goTo(offAir)
	s.wantItems(scene)
}

// The two unsaved ways to lose an item, OBS's crash and the user's hand, are told apart.
func TestRealOBSKilled(t *testing.T) {
	s := newStage(t)
	s.addScene("Own")
	s.makePeer("Own", "Peer")
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Own"})
	s.tb.Restart() // OBS saves its scenes
	s.connect()
	s.desired.Scenes = []string{scene, "Own"}
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	s.tb.Kill()
	s.tb.Start()
	s.connect()
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	s.wantItems("Own", "Peer shown")
	s.tb.Kill()
	s.tb.Start()
	s.connect()
	s.goTo(offAir)
	s.wantItems(scene)
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
	s.wantItems("Own", "Peer shown")
}

// A process that starts again finds in OBS what the one before did.
func TestRealMemoryOutlivesUs(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	s.connect()
	s.goTo(onAir)
	s.goTo(offAir)
	s.wantItems(scene)
	s.goTo(onAir)
	s.tb.Restart()
	s.connect()
	s.wantItems(scene, "Peer shown")
	s.goTo(offAir)
	s.wantItems(scene)

	s.user("SetPersistentData", testbed.D{"realm": "OBS_WEBSOCKET_DATA_REALM_GLOBAL", "slotName": Slot, "slotValue": "{broken"})
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown")
}

func TestRealCanvasChanged(t *testing.T) {
	s := newStage(t)
	s.desired.Layouts.Default.Shape = scenes.SideBySide
	s.goTo(onAir)
	s.user("SetVideoSettings", testbed.D{"baseWidth": 500, "baseHeight": 800})
	s.goTo(onAir)
	want := scenes.Layout{Shape: scenes.SideBySide}.Place(scenes.Size{W: 500, H: 800}, scenes.Picture{})
	if diff := cmp.Diff(want, s.item(scene, "Peer").Transform); diff != "" {
		t.Errorf("transform on the new canvas differs (-want +got):\n%s", diff)
	}
	s.desired.Layouts.Default.Shape = scenes.Full
	s.goTo(onAir)
	if got := s.item(scene, "Peer").Transform; got.BoundsW != 500 || got.BoundsH != 800 {
		t.Errorf("full layout: got %vx%v, want 500x800", got.BoundsW, got.BoundsH)
	}
}

func TestRealGroup(t *testing.T) {
	s := newStage(t)
	s.makePeer(scene, "Peer")
	s.makeGroup()
	s.wantItems(scene, "Group shown [Peer shown]")
	s.goTo(waiting)
	s.wantItems(scene, "Group shown [Peer hidden]")
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer shown]")
	inGroup := s.items("Group", true)[0].ID
	s.setEnabled("Group", inGroup, false)
	s.goTo(waiting)
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer hidden]")
	changes, err := scenes.SetVisible(t.Context(), s.obs, scenes.Source{Name: "Peer"}, []string{scene}, scenes.Show)
	if err != nil || len(changes) != 1 {
		t.Fatalf("SetVisible: got %v and error %v, want one change", changes, err)
	}
	s.wantItems(scene, "Group shown [Peer shown]")
	s.goTo(offAir)
	s.wantItems(scene, "Group shown [Peer hidden]")

	s.desired.Scenes = []string{"*"}
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer shown]")
	state, err := scenes.Status(t.Context(), s.obs, scenes.Source{Name: "Peer"}, nil)
	s.must(err)
	want := scenes.State{Collection: "Untitled", Input: "Peer", Kind: "ffmpeg_source", Spots: []scenes.Spot{
		{Scene: scene, Group: "Group", Item: inGroup, Input: "Peer", Enabled: true, Programme: true}}}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Errorf("Status differs (-want +got):\n%s", diff)
	}
	if _, err := scenes.Remove(t.Context(), s.obs, scenes.Source{Name: "Peer"}, nil); !errors.Is(err, scenes.ErrInGroup) {
		t.Errorf("Remove: got %v, want ErrInGroup", err)
	}
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer shown]")
}

// Our item that the user moved into a group of his cannot be put back there, so it stays.
func TestRealMovedIntoGroup(t *testing.T) {
	s := newStage(t)
	s.goTo(onAir)
	s.makeGroup()
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer shown]")
	s.goTo(offAir)
	s.wantItems(scene, "Group shown [Peer hidden]")
	s.goTo(onAir)
	s.wantItems(scene, "Group shown [Peer shown]")
}

// makeGroup moves all items of the first scene into a group, which no request can do.
func (s *stage) makeGroup() {
	s.Helper()
	s.editCollection(func(collection map[string]any) {
		for _, raw := range collection["sources"].([]any) {
			src := raw.(map[string]any)
			if src["name"] != scene {
				continue
			}
			settings := src["settings"].(map[string]any)
			items := settings["items"].([]any)
			text, err := json.Marshal(items[0])
			s.must(err)
			var holder map[string]any
			s.must(json.Unmarshal(text, &holder))
			settings["id_counter"] = settings["id_counter"].(float64) + 1
			holder["name"], holder["id"] = "Group", settings["id_counter"]
			holder["bounds_type"] = 0
			settings["items"] = []any{holder}
			collection["groups"] = []any{map[string]any{
				"id": "group", "versioned_id": "group", "name": "Group", "enabled": true,
				"settings": map[string]any{"custom_size": true, "cx": 640, "cy": 360, "id_counter": settings["id_counter"], "items": items},
			}}
		}
	})
}

func TestRealStudioMode(t *testing.T) {
	s := newStage(t)
	s.addScene("Inner")
	s.addScene("Elsewhere")
	s.place(scene, "Inner", true)
	s.goTo(offAir)
	s.user("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true})
	// OBS, when it turns studio mode on, sets a preview scene of its own a moment later.
	testbed.Await(s, "the preview scene", 5*time.Second, func() error {
		if got := s.user("GetCurrentPreviewScene", nil)["currentPreviewSceneName"]; got != "Elsewhere" {
			s.user("SetCurrentPreviewScene", testbed.D{"sceneName": "Elsewhere"})
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
	active := func(input string) bool {
		return s.user("GetSourceActive", testbed.D{"sourceName": input})["videoActive"] == true
	}
	wait := func(state string, want string) {
		t.Helper()
		if r := s.goTo(state); r.NeedsTransition != want {
			t.Errorf("%s: NeedsTransition %q, want %q", state, r.NeedsTransition, want)
		}
	}

	wait(waiting, "")
	wait(onAir, scene)
	s.wantItems(scene, "Inner shown", "Peer shown")
	if active("Peer") {
		t.Errorf("the peer is in the programme before the transition: NeedsTransition is not needed")
	}
	if preview := s.user("GetCurrentPreviewScene", nil)["currentPreviewSceneName"]; preview != "Elsewhere" {
		t.Errorf("preview scene: got %v, want it untouched", preview)
	}
	wait(offAir, scene)

	// A nested scene is not copied into the programme: it changes at once.
	s.desired.Scenes = []string{"Inner", "Elsewhere"}
	wait(onAir, "")
	s.wantItems("Inner", "Peer shown")
	if !active("Peer") {
		t.Errorf("the peer in a nested scene is not in the programme: NeedsTransition is missing")
	}
	wait(offAir, "")
	changes, err := scenes.Add(t.Context(), s.obs, source(), nil, scenes.Layouts{Default: scenes.Layout{Shape: scenes.Full}})
	if err != nil || len(changes) != 1 || !changes[0].NeedsTransition {
		t.Errorf("Add in studio mode: got %+v and error %v, want one change that needs a transition", changes, err)
	}
}

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

// The device tells a v4l2 input whatever it is called, and a change of route leaves nothing behind.
func TestRealDeviceInput(t *testing.T) {
	s := newStage(t)
	media := s.desired.Source
	device := scenes.Source{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "buffering": false}}
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "My friend", "inputKind": device.Kind,
		"inputSettings": testbed.D{"device_id": "/dev/video11"}})
	s.desired.Source = device
	s.goTo(onAir)
	s.wantItems(scene, "My friend shown")
	s.goTo(offAir)
	s.user("RemoveInput", testbed.D{"inputName": "My friend"})
	s.awaitFree("My friend")

	s.goTo(onAir)
	s.wantItems(scene, "My friend shown")
	s.desired.Source = media // as after a crash and a start with another --route
	s.goTo(onAir)
	s.wantItems(scene, "My friend shown")
	s.wantInputs("My friend")
}

// Off air, OBS's scene collection file is what it was, but for counters of OBS's own.
func TestRealFileAsBefore(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	s.makePeer("Two", "Friend's picture")
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Overlay", "inputKind": "color_source_v3"})
	read := func() (out map[string]any) {
		s.tb.Interrupt()
		text, err := os.ReadFile(filepath.Join(s.tb.Config, "obs-studio/basic/scenes/Untitled.json"))
		s.must(err)
		s.must(json.Unmarshal(text, &out))
		slices.SortFunc(out["sources"].([]any), func(a, b any) int {
			return strings.Compare(a.(map[string]any)["name"].(string), b.(map[string]any)["name"].(string))
		})
		for _, raw := range out["sources"].([]any) {
			// The next id of an item only grows.
			delete(raw.(map[string]any)["settings"].(map[string]any), "id_counter")
		}
		s.tb.Start()
		s.connect()
		return out
	}
	before := read()
	s.goTo(onAir)
	s.goTo(offAir)
	s.wantInputs("Friend's picture")
	if diff := cmp.Diff(before, read()); diff != "" {
		t.Errorf("scene collection differs (-before +after):\n%s", diff)
	}
}
