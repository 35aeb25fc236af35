// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
)

// named is an OBS with the programme scene Main and an input In, in which names matter.
type named struct {
	scenes map[string][]string // their items
	others []string            // names of inputs and groups
	refuse int                 // the code by which scenes are not made
	stored string
}

// connect starts the OBS and connects to it.
func (n *named) connect(t *testing.T) OBS {
	t.Helper()
	server := (&fakeobs.Server{Handle: n.answer}).Start(t)
	client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: server.Addr().IP.String(), Port: server.Addr().Port}, obsctl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return obsctl.NewPrivateScenes(PrivateScenes()).On(client)
}

type fields map[string]any

func (n *named) answer(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
	var d struct {
		SceneName, SourceName, SlotValue string
		SceneItemID                      int
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &d); err != nil {
			return nil, &fakeobs.Refusal{Code: 400, Comment: err.Error()}
		}
	}
	items, exists := n.scenes[d.SceneName]
	switch request {
	case "GetSceneCollectionList":
		return fields{"currentSceneCollectionName": "C"}, nil
	case "GetVideoSettings":
		return fields{"baseWidth": 640, "baseHeight": 360, "outputWidth": 640, "outputHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1}, nil
	case "GetStudioModeEnabled":
		return fields{"studioModeEnabled": false}, nil
	case "GetSceneList":
		list := []fields{}
		for _, name := range slices.Sorted(maps.Keys(n.scenes)) {
			list = append(list, fields{"sceneName": name})
		}
		return fields{"currentProgramSceneName": "Main", "scenes": list}, nil
	case "GetSourceFilterList":
		return fields{"filters": []fields{}}, nil
	case "GetPersistentData":
		return fields{"slotValue": n.stored}, nil
	case "SetPersistentData":
		n.stored = d.SlotValue
		return nil, nil
	case "CreateScene":
		if n.refuse != 0 {
			return nil, &fakeobs.Refusal{Code: n.refuse}
		}
		if exists || slices.Contains(n.others, d.SceneName) {
			return nil, &fakeobs.Refusal{Code: obsctl.CodeAlreadyExists}
		}
		n.scenes[d.SceneName] = nil
		return nil, nil
	}
	if !exists {
		return nil, &fakeobs.Refusal{Code: obsctl.CodeNotFound}
	}
	switch request {
	case "RemoveScene":
		delete(n.scenes, d.SceneName)
	case "GetSceneItemList":
		list := []fields{}
		for i, source := range items {
			list = append(list, fields{"sceneItemId": i, "sourceName": source, "sceneItemEnabled": true, "sceneItemBlendMode": noBlend,
				"sceneItemTransform": fields{"scaleX": 1, "scaleY": 1, "alignment": whole.Alignment, "boundsType": noBounds}})
		}
		return fields{"sceneItems": list}, nil
	case "CreateSceneItem":
		n.scenes[d.SceneName] = append(items, d.SourceName)
		return fields{"sceneItemId": len(items)}, nil
	case "RemoveSceneItem":
		n.scenes[d.SceneName] = slices.Delete(slices.Clone(items), d.SceneItemID, d.SceneItemID+1)
	default:
		return nil, &fakeobs.Refusal{Code: obsctl.CodeUnknownRequest}
	}
	return nil, nil
}

func begun(t *testing.T) *Feed {
	t.Helper()
	f := New(nil)
	f.Begin(func(context.Context) ([]string, error) { return nil, nil }, func() {})
	return f
}

// Where the user has something called like the scene for the peer, ours has another name, and theirs stays as it is, also
// for a next run of ours.
func TestTakenName(t *testing.T) {
	for _, test := range []struct {
		name   string
		users  []string // items of the user's scene of that name
		others []string
		wanted string
		keep   bool
		want   string
		kept   []string // scenes when we are off air, besides the user's
	}{
		{name: "a scene", users: []string{"In"}, want: "To peer 2"},
		{name: "an empty scene", users: []string{}, want: "To peer 2"},
		{name: "an input", others: []string{"To peer"}, want: "To peer 2"},
		{name: "both", users: []string{"In"}, others: []string{"To peer 2", "To peer 3"}, want: "To peer 4"},
		{name: "the camera shows ours", users: []string{"In"}, wanted: "To peer 2", keep: true, want: "To peer 2", kept: []string{"To peer 2"}},
		{name: "the camera shows the user's", users: []string{"In"}, wanted: "To peer", keep: true, want: "To peer 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			obs := &named{scenes: map[string][]string{"Main": {"In"}}, others: test.others, stored: "{}"}
			client := obs.connect(t)
			before := map[string][]string{"Main": {"In"}}
			if test.users != nil {
				obs.scenes[Scene], before[Scene] = test.users, slices.Clone(test.users)
			}
			f := begun(t)
			if test.wanted != "" {
				f.Want(test.wanted)
			}
			for range 2 {
				for range 2 {
					if err := f.Sync(t.Context(), client); err != nil {
						t.Fatal(err)
					}
				}
				want := map[string][]string{test.want: {"Main"}}
				for name, items := range before {
					want[name] = items
				}
				if diff := cmp.Diff(want, obs.scenes); diff != "" || f.Scene() != test.want {
					t.Fatalf("the scene for the peer is %q (-want +got):\n%s", f.Scene(), diff)
				}
				if f.Ours("C", Scene) && test.users != nil || !f.Ours("C", test.want) {
					t.Errorf("which scene is ours: got %v", f.shared.Load())
				}
				f = begun(t) // a next run
				if test.wanted != "" {
					f.Want(test.wanted)
				}
				if err := f.Remove(t.Context(), client, test.keep); err != nil {
					t.Fatal(err)
				}
				delete(want, test.want)
				for _, name := range test.kept {
					want[name] = nil
				}
				if diff := cmp.Diff(want, obs.scenes, cmp.Transformer("", func(items []string) string { return strings.Join(items, " ") })); diff != "" {
					t.Fatalf("off air (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// Who reports an error of ours names the clean feed: the error itself does not.
func TestErrorsNameTheEdit(t *testing.T) {
	obs := &named{scenes: map[string][]string{"Main": {"In"}}, refuse: 500, stored: "{}"}
	err := begun(t).Sync(t.Context(), obs.connect(t))
	if err == nil || !strings.HasPrefix(err.Error(), `make scene "To peer": `) {
		t.Errorf("got %v, want it to begin with the edit", err)
	}
}
