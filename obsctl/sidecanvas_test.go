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

// canvasOBS is what OBS 32.1 knows of scenes: those on its main canvas, and those on another one.
type canvasOBS struct {
	mu     sync.Mutex
	side   string            // UUID of the other canvas; empty: there is none
	width  int               // of the other canvas; the main one's is 640
	scenes map[string]string // names, by UUID, of the scenes on the other canvas
	main   []string
	refuse map[string]int // codes for requests that are refused on the other canvas
	asked  []string       // what was changed
}

func (o *canvasOBS) handle(request string, raw json.RawMessage) (any, *fakeobs.Refusal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var d struct{ CanvasUUID, SceneName, SceneUUID, SourceName, SourceUUID string }
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, &fakeobs.Refusal{Code: 203, Comment: err.Error()}
		}
	}
	if d.CanvasUUID != "" && d.CanvasUUID != o.side {
		return nil, &fakeobs.Refusal{Code: CodeNotFound, Comment: "No canvas was found."}
	}
	if code := o.refuse[request]; code != 0 && d.CanvasUUID+d.SceneUUID != "" {
		return nil, &fakeobs.Refusal{Code: code, Comment: "No."}
	}
	switch request {
	case "GetCanvasList":
		return map[string]any{"canvases": o.canvases()}, nil
	case "GetSceneList":
		return map[string]any{"scenes": o.list(d.CanvasUUID)}, nil
	}
	o.asked = append(o.asked, fmt.Sprintf("%s %s%s%s%s", request, d.SceneName, d.SceneUUID, d.SourceName, d.SourceUUID))
	uuid := d.SceneName + " aside"
	switch {
	case request == "CreateScene" && d.CanvasUUID != "":
		o.scenes[uuid] = d.SceneName
		return map[string]any{"sceneUuid": uuid}, nil
	case request == "CreateScene":
		o.main = append(o.main, d.SceneName)
	case request == "RemoveScene":
		delete(o.scenes, d.SceneUUID)
		o.main = slices.DeleteFunc(o.main, func(name string) bool { return name == d.SceneName })
	}
	return nil, nil
}

func (o *canvasOBS) canvases() []any {
	canvas := func(name, uuid string, main bool, width int) map[string]any {
		return map[string]any{"canvasName": name, "canvasUuid": uuid, "canvasFlags": map[string]any{"MAIN": main},
			"canvasVideoSettings": map[string]any{"baseWidth": width, "baseHeight": 360}}
	}
	list := []any{canvas("Main", "main", true, 640), canvas("somebody's", "another", false, 640)}
	if o.side != "" {
		list = append(list, canvas("ours", o.side, false, o.width))
	}
	return list
}

func (o *canvasOBS) list(canvas string) []any {
	list := []any{}
	if canvas != "" {
		for uuid, name := range o.scenes {
			list = append(list, map[string]any{"sceneName": name, "sceneUuid": uuid, "sceneIndex": nil})
		}
		return list
	}
	for _, name := range o.main {
		list = append(list, map[string]any{"sceneName": name, "sceneUuid": name + " in the list"})
	}
	slices.Reverse(list) // as OBS does
	return list
}

// change is for what happens in OBS.
func (o *canvasOBS) change(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// wantAsked compares the changes since the last call.
func (o *canvasOBS) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	o.change(func() {
		if diff := cmp.Diff(want, o.asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		o.asked = nil
	})
}

// view starts the OBS and returns the canvas "ours" and what one sees by way of it.
func (o *canvasOBS) view(t *testing.T) (*SideCanvas, SideView) {
	t.Helper()
	if o.scenes == nil {
		o.scenes = map[string]string{}
	}
	f := (&fakeobs.Server{Handle: o.handle, Knows: []string{"GetCanvasList"}}).Start(t)
	side := NewSideCanvas("ours")
	return side, side.On(dialFake(t, f, Options{}))
}

func wantScenes(t *testing.T, v SideView, want ...string) {
	t.Helper()
	got, err := v.Scenes(t.Context())
	if err != nil {
		t.Fatalf("Scenes: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scenes (-want +got):\n%s", diff)
	}
}

func settle(t *testing.T, v SideView, want bool) {
	t.Helper()
	if got, err := v.Settle(t.Context()); err != nil || got != want {
		t.Errorf("Settle: got aside %t, %v, want %t", got, err, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestSideScenes: scenes on the canvas are named by their UUIDs, all else by name.
func TestSideScenes(t *testing.T) {
	o := &canvasOBS{side: "s", width: 640, main: []string{"Scene", "A"}, scenes: map[string]string{"old": "A"}}
	side, v := o.view(t)
	noError(t, v.Look(t.Context()))
	if diff := cmp.Diff(SourceID{"A", "old"}, side.Source("A")); diff != "" {
		t.Errorf("after a look (-want +got):\n%s", diff)
	}
	o.wantAsked(t)
	settle(t, v, true)
	o.wantAsked(t, "RemoveScene old")

	ctx := t.Context()
	noError(t, v.CreateScene(ctx, "A"))
	noError(t, v.CreateScene(ctx, "B"))
	for _, at := range [][2]string{{"A", "B"}, {"B", "red"}, {"Scene", "red"}} {
		_, err := v.CreateSceneItem(ctx, at[0], at[1], true)
		noError(t, err)
	}
	noError(t, v.SetItemTransform(ctx, "A", 1, Transform{}))
	noError(t, v.SetItemEnabled(ctx, "A", 1, true))
	noError(t, v.SetItemIndex(ctx, "A", 1, 0))
	noError(t, v.SetItemBlendMode(ctx, "A", 1, "OBS_BLEND_NORMAL"))
	noError(t, v.RemoveSceneItem(ctx, "A", 1))
	noError(t, v.CreateFilter(ctx, "B", Filter{Name: "grey"}))
	noError(t, v.SetFilterSettings(ctx, "B", "grey", nil))
	noError(t, v.SetFilterEnabled(ctx, "B", "grey", true))
	noError(t, v.RemoveFilter(ctx, "B", "grey"))
	_, err := v.SceneItems(ctx, "A")
	noError(t, err)
	_, err = v.SceneItems(ctx, "Scene")
	noError(t, err)
	_, err = v.Filters(ctx, "B")
	noError(t, err)
	wantScenes(t, v, "Scene", "A", "B")
	noError(t, v.RemoveScene(ctx, "A"))
	o.wantAsked(t, "CreateScene A", "CreateScene B",
		"CreateSceneItem A asideB aside", "CreateSceneItem B asidered", "CreateSceneItem Scenered",
		"SetSceneItemTransform A aside", "SetSceneItemEnabled A aside", "SetSceneItemIndex A aside",
		"SetSceneItemBlendMode A aside", "RemoveSceneItem A aside",
		"CreateSourceFilter B aside", "SetSourceFilterSettings B aside", "SetSourceFilterEnabled B aside", "RemoveSourceFilter B aside",
		"GetSceneItemList A aside", "GetSceneItemList Scene", "GetSourceFilterList B aside", "RemoveScene A aside")
	// Another connection knows them once it has asked.
	wantScenes(t, v, "Scene", "A", "B")
	if diff := cmp.Diff([]SourceID{{Name: "A"}, {"B", "B aside"}}, []SourceID{side.Source("A"), side.Source("B")}); diff != "" {
		t.Errorf("what names mean (-want +got):\n%s", diff)
	}
}

// TestSideUnfit: where the canvas cannot be used the user's list gets the scenes, and the canvas is emptied.
func TestSideUnfit(t *testing.T) {
	tests := []struct {
		name   string
		obs    *canvasOBS
		listed bool
	}{
		{"none", &canvasOBS{}, false},
		{"another size", &canvasOBS{side: "s", width: 320, scenes: map[string]string{"old": "A"}}, false},
		{"not wanted", &canvasOBS{side: "s", width: 640, scenes: map[string]string{"old": "A"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			side, v := tt.obs.view(t)
			side.SetListed(tt.listed)
			settle(t, v, false)
			noError(t, v.CreateScene(t.Context(), "A"))
			wantScenes(t, v, "A")
			if got := side.Source("A"); got.UUID != "" || len(tt.obs.scenes) > 0 {
				t.Errorf("on the canvas: %v; A is %+v, want nothing there", tt.obs.scenes, got)
			}
		})
	}
}

// TestSideOldOBS: an OBS that does not know canvases is not asked about them.
func TestSideOldOBS(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	v := NewSideCanvas("ours").On(dialFake(t, f, Options{}))
	settle(t, v, false)
	noError(t, v.CreateScene(t.Context(), "A"))
	if diff := cmp.Diff([]string{"CreateScene"}, f.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestSideGone: a canvas that goes takes its scenes with it; another one of its name is used from then on, or the list.
func TestSideGone(t *testing.T) {
	o := &canvasOBS{side: "s", width: 640, main: []string{"Scene"}}
	side, v := o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	o.change(func() { o.side, o.scenes = "t", map[string]string{} })
	wantScenes(t, v, "Scene")
	noError(t, v.CreateScene(t.Context(), "A"))
	if got := side.Source("A").UUID; got == "" {
		t.Error("A is not on the new canvas")
	}
	o.change(func() { o.side, o.scenes = "", map[string]string{} })
	wantScenes(t, v, "Scene")
	noError(t, v.CreateScene(t.Context(), "A"))
	wantScenes(t, v, "Scene", "A")
	if got := side.Source("A").UUID; got != "" {
		t.Errorf("A has the UUID %q, want it in the list", got)
	}
	o.change(func() { o.side, o.main = "u", []string{"Scene"} })
	settle(t, v, true)
}

// TestSideRefused: a canvas on which OBS refuses to make something is not used again.
func TestSideRefused(t *testing.T) {
	o := &canvasOBS{side: "s", width: 640, refuse: map[string]int{"CreateScene": CodeRequestFailed}}
	_, v := o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	wantScenes(t, v, "A")
	settle(t, v, false)

	o = &canvasOBS{side: "s", width: 640, refuse: map[string]int{"CreateSceneItem": CodeRequestFailed}}
	side, v := o.view(t)
	settle(t, v, true)
	noError(t, v.CreateScene(t.Context(), "A"))
	if _, err := v.CreateSceneItem(t.Context(), "A", "red", true); !IsCode(err, CodeRequestFailed) {
		t.Errorf("CreateSceneItem: got %v, want code %d", err, CodeRequestFailed)
	}
	noError(t, v.CreateScene(t.Context(), "A"))
	if got := side.Source("A").UUID; got != "" {
		t.Errorf("A has the UUID %q, want it in the list", got)
	}
	settle(t, v, false)
	if len(o.scenes) > 0 {
		t.Errorf("left on the canvas: %v", o.scenes)
	}

	// What is there already, or any more, says nothing about the canvas.
	for _, code := range []int{CodeAlreadyExists, CodeNotFound} {
		o = &canvasOBS{side: "s", width: 640, refuse: map[string]int{"CreateScene": code}}
		_, v = o.view(t)
		settle(t, v, true)
		if err := v.CreateScene(t.Context(), "A"); !IsCode(err, code) {
			t.Errorf("CreateScene: got %v, want code %d", err, code)
		}
		settle(t, v, true)
	}
}
