// SPDX-License-Identifier: Apache-2.0

package obsctl_test

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// What somebody else does to the items of a scene is seen, although OBS is not asked each time which item is the only one.
func TestRealEye(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{})
	c, ctx := findAndDial(t, obs), t.Context()
	check(t, c.CreateScene(ctx, "Second"))
	id, err := c.CreateInput(ctx, "Second", "Green", "color_source_v3", map[string]any{"width": 100, "height": 50}, true)
	if err != nil {
		t.Fatal(err)
	}
	scene := "Second"
	want := func(when string, want obsctl.ItemEye) {
		t.Helper()
		for range 2 {
			b := c.Batch()
			eye := b.Eye(scene, "Green", id)
			check(t, b.Do(ctx))
			if eye.Err != nil || eye.Value != want {
				t.Errorf("%s: got %+v, want %+v", when, *eye, want)
			}
		}
	}
	heard := func(is func(obsctl.Event) bool) {
		t.Helper()
		for limit := time.After(10 * time.Second); ; {
			select {
			case e := <-c.Events():
				if is(e) {
					return
				}
			case <-limit:
				t.Fatal("no event within 10 s")
			}
		}
	}
	added := func(e obsctl.Event) bool { _, is := e.(obsctl.SceneItemAdded); return is }
	removed := func(e obsctl.Event) bool { _, is := e.(obsctl.SceneItemRemoved); return is }
	heard(added)
	want("alone", obsctl.ItemEye{Sole: true, Enabled: true})
	obs.Request("SetSceneItemEnabled", testbed.D{"sceneName": "Second", "sceneItemId": id, "sceneItemEnabled": false}, nil)
	want("hidden", obsctl.ItemEye{Sole: true})

	var copied struct {
		ID int `json:"sceneItemId"`
	}
	obs.Request("DuplicateSceneItem", testbed.D{"sceneName": "Second", "sceneItemId": id}, &copied)
	heard(added)
	want("with a copy", obsctl.ItemEye{})
	obs.Request("SetSceneItemIndex", testbed.D{"sceneName": "Second", "sceneItemId": copied.ID, "sceneItemIndex": 0}, nil)
	heard(func(e obsctl.Event) bool { _, is := e.(obsctl.SceneItemsMoved); return is })
	want("with a copy below it", obsctl.ItemEye{})
	obs.Request("RemoveSceneItem", testbed.D{"sceneName": "Second", "sceneItemId": copied.ID}, nil)
	heard(removed)
	want("without the copy", obsctl.ItemEye{Sole: true})

	// Another scene takes the name of the first, with an item that has the same id.
	obs.Request("SetSceneName", testbed.D{"sceneName": "Second", "newSceneName": "Third"}, nil)
	heard(func(e obsctl.Event) bool { _, is := e.(obsctl.SceneRenamed); return is })
	want("under its scene's old name", obsctl.ItemEye{})
	check(t, c.CreateScene(ctx, "Second"))
	other, err := c.CreateInput(ctx, "Second", "Blue", "color_source_v3", map[string]any{"width": 100, "height": 50}, true)
	if err != nil || other != id {
		t.Fatalf("the first item of the new scene: got id %d and error %v, want %d as in the other scene", other, err, id)
	}
	want("in another scene of the old name", obsctl.ItemEye{Enabled: true})
	scene = "Third"
	want("under its scene's new name", obsctl.ItemEye{Sole: true})
	check(t, c.RemoveSceneItem(ctx, "Third", id))
	want("removed a moment ago", obsctl.ItemEye{})
}
