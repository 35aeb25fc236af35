// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/scenes"
)

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
