// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// TestAllScenes: a source is put into the scenes that lack it, and taken out of all, each of its items.
func TestAllScenes(t *testing.T) {
	type D = map[string]any
	names := []string{"One", "Two", "Three"}
	scenes := map[string][]string{"One": {"Camera"}, "Two": {"Voice", "Camera", "Voice"}, "Three": nil}
	full := ""
	server := &fakeobs.Server{Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
		var asked struct {
			SceneName, SourceName string
			SceneItemID           int
		}
		_ = json.Unmarshal(data, &asked)
		items := scenes[asked.SceneName]
		switch request {
		case "GetSceneList":
			list := []D{}
			for _, name := range names {
				list = append(list, D{"sceneName": name})
			}
			return D{"scenes": list}, nil
		case "GetSceneItemId":
			if !slices.Contains(items, asked.SourceName) {
				return nil, &fakeobs.Refusal{Code: CodeNotFound}
			}
		case "GetSceneItemList":
			list := []D{}
			for id, source := range items {
				list = append(list, D{"sourceName": source, "sceneItemId": id})
			}
			return D{"sceneItems": list}, nil
		case "CreateSceneItem":
			if asked.SceneName == full {
				return nil, &fakeobs.Refusal{Code: CodeRequestFailed, Comment: "It is full."}
			}
			scenes[asked.SceneName] = append(items, asked.SourceName)
			return D{"sceneItemId": len(items)}, nil
		case "RemoveSceneItem":
			items[asked.SceneItemID] = ""
		}
		return D{"sceneItemId": 0}, nil
	}}
	c := dialFake(t, server.Start(t), Options{})
	has := func(want string) {
		t.Helper()
		var got []string
		for _, name := range names {
			got = append(got, fmt.Sprint(name, scenes[name]))
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("scenes (-want +got):\n%s", diff)
		}
	}
	without, err := c.ScenesWithout(t.Context(), names, "Voice")
	if diff := cmp.Diff([]string{"One", "Three"}, without); diff != "" || err != nil {
		t.Errorf("scenes without it: error %v (-want +got):\n%s", err, diff)
	}
	if err := c.AddToScenes(t.Context(), without, "Voice"); err != nil {
		t.Error(err)
	}
	has("One[Camera Voice] Two[Voice Camera Voice] Three[Voice]")
	if err := c.RemoveFromScenes(t.Context(), "Voice"); err != nil {
		t.Error(err)
	}
	has("One[Camera ] Two[ Camera ] Three[]")

	full = "Three"
	if err, want := c.AddToScenes(t.Context(), names, "Voice"), `"Voice" in scene "Three": OBS refused CreateSceneItem: It is full (code 702)`; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
