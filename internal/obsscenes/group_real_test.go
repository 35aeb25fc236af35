// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/scenes"
)

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
			delete(holder, "source_uuid") // counts before the name from OBS 30 on
			holder["bounds_type"] = 0
			settings["items"] = []any{holder}
			collection["groups"] = []any{map[string]any{
				"id": "group", "versioned_id": "group", "name": "Group", "enabled": true,
				"settings": map[string]any{"custom_size": true, "cx": 640, "cy": 360, "id_counter": settings["id_counter"], "items": items},
			}}
		}
	})
}
