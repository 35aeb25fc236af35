// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	for _, part := range []string{`no scene is called "Nowhere"`, `scene collection "Untitled"`, `"Scene"`, `"Game 1"`, `"Game 2"`} {
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

// Off air, OBS's scene collection file is what it was, but for counters of OBS's own. A Media Source of the user's that
// has the peer's name is none of ours.
func TestRealFileAsBefore(t *testing.T) {
	s := newStage(t)
	s.addScene("Two")
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Peer", "inputKind": source().Kind,
		"inputSettings": testbed.D{"is_local_file": true, "local_file": "/nowhere/intro.mp4"}})
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Overlay", "inputKind": "color_source_v3"})
	read := func() map[string]any {
		s.tb.Interrupt()
		text, err := os.ReadFile(filepath.Join(s.tb.Config, "obs-studio/basic/scenes/Untitled.json"))
		s.must(err)
		collection, err := testbed.ParseCollection(text)
		s.must(err)
		s.tb.Start()
		s.connect()
		return collection
	}
	before := read()
	s.goTo(waiting)
	s.wantItems(scene, "Peer shown", "Overlay shown", "Peer 2 hidden")
	s.goTo(onAir)
	s.wantItems(scene, "Peer shown", "Overlay shown", "Peer 2 shown")
	s.goTo(offAir)
	s.wantItems(scene, "Peer shown", "Overlay shown")
	s.wantInputs("Peer")
	if diff := cmp.Diff(before, read()); diff != "" {
		t.Errorf("scene collection differs (-before +after):\n%s", diff)
	}
}
