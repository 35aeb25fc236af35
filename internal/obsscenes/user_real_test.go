// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

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

// An input that the user made for the peer gets its own settings back, also under another name.
func TestRealAdoptedSettings(t *testing.T) {
	s := newStage(t)
	own := testbed.D{"is_local_file": true, "local_file": "/nonexistent/friend.mkv", "looping": true, "input": source().Settings["input"]}
	s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": "Peer", "inputKind": "ffmpeg_source", "inputSettings": own})
	s.goTo(onAir)
	settings, err := s.client.InputSettings(s.Context(), "Peer")
	s.must(err)
	if got := settings["local_file"]; got != "" {
		t.Errorf("on air, local_file: got %q, want none", got)
	}
	s.user("SetInputName", testbed.D{"inputName": "Peer", "newInputName": "Friend"})
	s.goTo(onAir)
	s.wantItems(scene, "Friend shown")
	s.goTo(offAir)
	got, err := s.client.InputSettings(s.Context(), "Friend")
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
	settings, err := s.client.InputSettings(s.Context(), "Peer")
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
