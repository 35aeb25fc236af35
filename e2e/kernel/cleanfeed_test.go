// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestGuestPairCleanFeed: both have the other in the programme, and OBS's own virtual camera sends it without. The camera
// is told so by the companion when OBS ends, and once more by its scene's name when it starts.
func TestGuestPairCleanFeed(t *testing.T) {
	kind := needGuest(t, "a", "b")
	rootSetup(t, "--yes").check(t, 0, "Done.")
	who, _ := friends(kind)
	const secret = "Secret"
	s := newSide(t, kind, "--private-scenes="+secret, "--name="+who.Name)
	setup := func(args ...string) {
		t.Helper()
		t.Log(s.self.Costream(binary, "", append([]string{"setup", "clean-feed"}, args...)...))
	}
	file := filepath.Join(s.self.OBS.Config, "obs-studio", "basic", "scenes", "Untitled.json")
	restart := func(camera bool) {
		t.Helper()
		mark := s.companion.Mark()
		s.self.OBS.Interrupt()
		s.companion.AwaitSince(mark, e2e.Waiting, airLimit)
		await(t, "the companion writes the collection", pictureLimit, func() error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			var collection struct {
				Camera struct{ Scene string } `json:"virtual-camera"`
			}
			if err := json.Unmarshal(text, &collection); err != nil {
				return err
			}
			got := collection.Camera.Scene
			return orNil((got == cleanfeed.Scene) == camera, "the camera's scene is %q", got)
		})
		s.self.OBS.Start()
		s.companion.AwaitSince(mark, e2e.Ready, readyLimit)
	}
	setup()
	restart(true)
	s.m.at("the camera is set")
	s.goOnAir()
	s.awaitPeer(0)
	await(t, "the peer's programme without ourselves", pictureLimit, func() error { return s.self.SeesClean(s.other) })
	if err := s.self.SeesPeer(s.other); err != nil {
		t.Errorf("our programme does not show the peer: %v", err)
	}
	s.m.at("both see each other")

	// The same colours in another order, in a scene that shows the first one, upside down.
	s.self.OBS.Request("CreateScene", testbed.D{"sceneName": "Turned"}, nil)
	var made struct{ SceneItemID int }
	s.self.OBS.Request("CreateSceneItem", testbed.D{"sceneName": "Turned", "sourceName": testbed.Scene}, &made)
	s.self.OBS.Request("SetSceneItemTransform", testbed.D{"sceneName": "Turned", "sceneItemId": made.SceneItemID, "sceneItemTransform": testbed.D{
		"rotation": 180, "positionX": s.self.Width, "positionY": s.self.Height,
	}}, nil)
	s.self.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": "Turned"}, nil)
	c := s.other.Colours
	s.other.Colours = e2e.Colours{c[3], c[2], c[1], c[0]}
	await(t, "the peer's other scene without ourselves", pictureLimit, func() error { return s.self.SeesClean(s.other) })
	s.m.at("both have switched")

	// A scene that the peer must not see.
	s.self.OBS.Request("CreateScene", testbed.D{"sceneName": secret}, nil)
	s.self.OBS.AddPatch(secret, testbed.Patch{Name: "white", Colour: color.RGBA{255, 255, 255, 255}, Area: image.Rect(0, 0, s.self.Width, s.self.Height)})
	s.m.at("both have a private scene")
	s.self.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": secret}, nil)
	await(t, "the peer's card", pictureLimit, func() error { return s.self.SeesCard(s.other) })
	s.m.at("both are on a break")
	s.self.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": "Turned"}, nil)
	await(t, "the peer is back", pictureLimit, func() error { return s.self.SeesClean(s.other) })
	s.m.at("both are back")

	mark := s.companion.Mark()
	s.self.OBS.StopStream()
	s.companion.AwaitSince(mark, e2e.Ready, airLimit)
	s.cleanOBS()
	s.wantScenes("Turned", testbed.Scene, secret, cleanfeed.Scene)
	setup("--undo")
	restart(false)
	s.wantScenes("Turned", testbed.Scene, secret)
	s.m.at("end")
}

// wantScenes awaits that OBS has these scenes, in any order.
func (s *side) wantScenes(want ...string) {
	s.t.Helper()
	await(s.t, "the scenes off air", pictureLimit, func() error {
		var list struct{ Scenes []struct{ SceneName string } }
		s.self.OBS.Request("GetSceneList", nil, &list)
		got := make(map[string]bool)
		for _, sc := range list.Scenes {
			got[sc.SceneName] = true
		}
		for _, name := range want {
			if !got[name] {
				return orNil(false, "%q is missing in %v", name, got)
			}
		}
		return orNil(len(got) == len(want), "got %v, want %q", got, want)
	})
}
