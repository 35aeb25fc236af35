// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// ours are the UUIDs of the private scenes in these tests.
var ours = []string{"one", "two"}

// privateOBS is what an OBS knows of scenes.
type privateOBS struct {
	mu      sync.Mutex
	gone    []string            // UUIDs of private scenes that are not there
	private map[string][]string // UUIDs of sources in the private scenes, by UUID; the items' ids are 1, 2, ...
	filters map[string][]string // names of their filters
	main    []string
	refuse  map[string]int // codes for requests about private scenes that are refused
	asked   []string       // what was changed
}

func (o *privateOBS) handle(request string, raw json.RawMessage) (any, *fakeobs.Refusal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var d struct {
		SceneName, SceneUUID, SourceName, SourceUUID, FilterName string
		SceneItemID                                              int
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, &fakeobs.Refusal{Code: 203, Comment: err.Error()}
		}
	}
	uuid := d.SceneUUID
	if uuid == "" {
		uuid = d.SourceUUID
	}
	if uuid != "" && (slices.Contains(o.gone, uuid) || !slices.Contains(ours, uuid)) {
		return nil, &fakeobs.Refusal{Code: CodeNotFound, Comment: "No source was found."}
	}
	if code := o.refuse[request]; code != 0 && uuid != "" {
		return nil, &fakeobs.Refusal{Code: code, Comment: "No."}
	}
	switch request {
	case "GetSceneList":
		return map[string]any{"scenes": o.list()}, nil
	case "GetSceneItemList":
		return map[string]any{"sceneItems": o.items(uuid)}, nil
	case "GetSourceFilterList":
		filters := []any{}
		for _, name := range o.filters[uuid] {
			filters = append(filters, map[string]any{"filterName": name})
		}
		return map[string]any{"filters": filters}, nil
	}
	o.asked = append(o.asked, fmt.Sprintf("%s %s%s %s%s", request, d.SceneName, d.SceneUUID, d.SourceName, d.SourceUUID))
	switch request {
	case "CreateScene":
		o.main = append(o.main, d.SceneName)
	case "RemoveScene":
		o.main = slices.DeleteFunc(o.main, func(name string) bool { return name == d.SceneName })
	case "CreateSceneItem":
		o.private[d.SceneUUID] = append(o.private[d.SceneUUID], d.SourceName+d.SourceUUID)
		return map[string]any{"sceneItemId": len(o.private[d.SceneUUID])}, nil
	case "RemoveSceneItem":
		o.private[uuid][d.SceneItemID-1] = ""
	case "CreateSourceFilter":
		o.filters[uuid] = append(o.filters[uuid], d.FilterName)
	case "RemoveSourceFilter":
		o.filters[uuid] = slices.DeleteFunc(o.filters[uuid], func(name string) bool { return name == d.FilterName })
	}
	return nil, nil
}

func (o *privateOBS) items(uuid string) []any {
	items := []any{}
	for i, source := range o.private[uuid] {
		if source != "" {
			items = append(items, map[string]any{"sceneItemId": i + 1, "sourceName": "name of " + source, "sourceUuid": source})
		}
	}
	return items
}

func (o *privateOBS) list() []any {
	list := []any{}
	for _, name := range o.main {
		list = append(list, map[string]any{"sceneName": name, "sceneUuid": name + " in the list"})
	}
	slices.Reverse(list) // as OBS does
	return list
}

// change is for what happens in OBS.
func (o *privateOBS) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// wantAsked compares the changes since the last call.
func (o *privateOBS) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	o.change(func() {
		if diff := cmp.Diff(want, o.asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		o.asked = nil
	})
}

// view starts the OBS and returns its private scenes and what one sees by way of them.
func (o *privateOBS) view(t *testing.T) (*PrivateScenes, PrivateView) {
	t.Helper()
	if o.private == nil {
		o.private = map[string][]string{}
	}
	if o.filters == nil {
		o.filters = map[string][]string{}
	}
	f := (&fakeobs.Server{Handle: o.handle, Version: "30.2.3"}).Start(t)
	private := NewPrivateScenes(ours)
	return private, private.On(dialFake(t, f, Options{}))
}

func wantScenes(t *testing.T, v PrivateView, want ...string) {
	t.Helper()
	got, err := v.Scenes(t.Context())
	if err != nil {
		t.Fatalf("Scenes: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scenes (-want +got):\n%s", diff)
	}
}

func settle(t *testing.T, v PrivateView, want bool) {
	t.Helper()
	if got, err := v.Settle(t.Context()); err != nil || got != want {
		t.Errorf("Settle: got private %t, %v, want %t", got, err, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func wantSource(t *testing.T, private *PrivateScenes, want SourceID) {
	t.Helper()
	if diff := cmp.Diff(want, private.Source(want.Name)); diff != "" {
		t.Errorf("what %q means (-want +got):\n%s", want.Name, diff)
	}
}

// TestPrivateScenes: private scenes are named by their UUIDs, all else by name.
func TestPrivateScenes(t *testing.T) {
	o := &privateOBS{main: []string{"Scene", "A"}}
	private, v := o.view(t)
	settle(t, v, true)
	o.wantAsked(t)

	ctx := t.Context()
	noError(t, v.CreateScene(ctx, "A"))
	noError(t, v.CreateScene(ctx, "B"))
	for _, at := range [][2]string{{"A", "B"}, {"B", "red"}, {"Scene", "red"}} {
		b := v.Batch()
		_, err := one(ctx, b, b.CreateSceneItem(at[0], at[1], true).Answer)
		noError(t, err)
	}
	b := v.Batch()
	told := []*Answer[Nothing]{
		b.SetItemTransform("A", ItemID(1), Transform{}),
		b.SetItemEnabled("A", ItemID(1), true),
		b.SetItemIndex("A", ItemID(1), 0),
		b.SetItemBlendMode("A", ItemID(1), "OBS_BLEND_NORMAL"),
		b.CreateFilter("B", Filter{Name: "grey"}),
		b.SetFilterSettings("B", "grey", nil),
		b.SetFilterEnabled("B", "grey", true),
		b.RemoveFilter("B", "grey"),
	}
	noError(t, b.Do(ctx))
	for _, answer := range told {
		noError(t, answer.Err)
	}
	o.wantAsked(t, "CreateSceneItem one two", "CreateSceneItem two red", "CreateSceneItem Scene red",
		"SetSceneItemTransform one ", "SetSceneItemEnabled one ", "SetSceneItemIndex one ", "SetSceneItemBlendMode one ",
		"CreateSourceFilter  two", "SetSourceFilterSettings  two", "SetSourceFilterEnabled  two", "RemoveSourceFilter  two")

	items, err := v.SceneItems(ctx, "A")
	noError(t, err)
	if len(items) != 1 || items[0].Source != "B" {
		t.Errorf("items of A: got %+v, want B by the name that we gave it", items)
	}
	wantScenes(t, v, "Scene", "A", "B")
	noError(t, v.RemoveSceneItem(ctx, "A", 1))
	noError(t, v.RemoveScene(ctx, "A"))
	noError(t, v.RemoveScene(ctx, "B"))
	o.wantAsked(t, "RemoveSceneItem one ", "RemoveSceneItem two ")
	wantScenes(t, v, "Scene", "A")
	wantSource(t, private, SourceID{Name: "A"})
}

// TestPrivateLeft: what an earlier run left in the private scenes is seen, and taken out.
func TestPrivateLeft(t *testing.T) {
	o := &privateOBS{private: map[string][]string{"two": {"red", "blue"}}, filters: map[string][]string{"one": {"grey"}}}
	_, v := o.view(t)
	left, err := v.Private(t.Context())
	noError(t, err)
	if len(left) != 2 || left[0].Source != "name of red" {
		t.Errorf("in the private scenes: got %+v, want red and blue", left)
	}
	o.wantAsked(t)
	settle(t, v, true)
	o.wantAsked(t, "RemoveSourceFilter  one", "RemoveSceneItem two ", "RemoveSceneItem two ")
	if left, err := v.Private(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("in the private scenes: got %+v, %v, want nothing", left, err)
	}
}

// TestPrivateUnused: where there are no private scenes, or not enough, the user's list gets the scenes.
func TestPrivateUnused(t *testing.T) {
	tests := []struct {
		name   string
		obs    *privateOBS
		listed bool
	}{
		{"none", &privateOBS{gone: ours}, false},
		{"not wanted", &privateOBS{private: map[string][]string{"one": {"old"}}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			private, v := tt.obs.view(t)
			private.SetListed(tt.listed)
			settle(t, v, false)
			noError(t, v.CreateScene(t.Context(), "A"))
			wantScenes(t, v, "A")
			wantSource(t, private, SourceID{Name: "A"})
			if left := tt.obs.items("one"); len(left) > 0 {
				t.Errorf("in a private scene: %v, want nothing", left)
			}
		})
	}
	t.Run("used up", func(t *testing.T) {
		o := &privateOBS{}
		private, v := o.view(t)
		settle(t, v, true)
		for _, name := range []string{"A", "B", "C"} {
			noError(t, v.CreateScene(t.Context(), name))
		}
		wantScenes(t, v, "C", "A", "B")
		wantSource(t, private, SourceID{Name: "C"})
		noError(t, v.RemoveScene(t.Context(), "A"))
		noError(t, v.CreateScene(t.Context(), "D"))
		wantSource(t, private, SourceID{"D", "one"})
		o.wantAsked(t, "CreateScene C ")
	})
}

// TestPrivateOldOBS: an OBS that takes no UUIDs is not asked about any.
func TestPrivateOldOBS(t *testing.T) {
	f := (&fakeobs.Server{Version: "30.0.2"}).Start(t)
	v := NewPrivateScenes(ours).On(dialFake(t, f, Options{}))
	settle(t, v, false)
	if left, err := v.Private(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("in the private scenes: got %+v, %v, want nothing", left, err)
	}
	noError(t, v.CreateScene(t.Context(), "A"))
	if diff := cmp.Diff([]string{"CreateScene"}, f.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestPrivateGone: a private scene that goes is replaced, by the user's list when there are no others; when they are back
// they are used from the next Settle on.
func TestPrivateGone(t *testing.T) {
	o := &privateOBS{main: []string{"Scene"}}
	private, v := o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	goes := func(uuids ...string) {
		t.Helper()
		o.change(func() { o.gone = uuids })
		if _, err := v.SceneItems(t.Context(), "A"); !IsCode(err, CodeNotFound) {
			t.Errorf("items of a scene that is gone: got %v, want code %d", err, CodeNotFound)
		}
		wantScenes(t, v, "Scene")
		noError(t, v.CreateScene(t.Context(), "A"))
		wantScenes(t, v, "Scene", "A")
	}
	goes("one")
	wantSource(t, private, SourceID{"A", "two"})
	goes(ours...)
	wantSource(t, private, SourceID{Name: "A"})
	o.change(func() { o.gone, o.main = nil, []string{"Scene"} })
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	wantSource(t, private, SourceID{"A", "one"})
}

// TestPrivateRefused: private scenes into which OBS refuses to put something are not used again.
func TestPrivateRefused(t *testing.T) {
	o := &privateOBS{refuse: map[string]int{"CreateSceneItem": CodeRequestFailed}}
	private, v := o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	b := v.Batch()
	if _, err := one(t.Context(), b, b.CreateSceneItem("A", "red", true).Answer); !IsCode(err, CodeRequestFailed) {
		t.Errorf("CreateSceneItem: got %v, want code %d", err, CodeRequestFailed)
	}
	noError(t, v.CreateScene(t.Context(), "A"))
	wantSource(t, private, SourceID{Name: "A"})
	settle(t, v, false)

	// That something is gone says nothing about them.
	o = &privateOBS{refuse: map[string]int{"CreateSceneItem": CodeNotFound}}
	_, v = o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	b = v.Batch()
	if _, err := one(t.Context(), b, b.CreateSceneItem("A", "red", true).Answer); !IsCode(err, CodeNotFound) {
		t.Errorf("CreateSceneItem: got %v, want code %d", err, CodeNotFound)
	}
	settle(t, v, true)
}
