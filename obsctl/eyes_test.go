// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// eyeOBS is an OBS with items of the peer in one scene.
type eyeOBS struct {
	mu     sync.Mutex
	items  []int // lowest first; all are shown
	during func()
}

func (o *eyeOBS) handle(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var asked struct {
		Item   int `json:"sceneItemId"`
		Offset int `json:"searchOffset"`
	}
	if err := json.Unmarshal(data, &asked); err != nil {
		return nil, &fakeobs.Refusal{Code: 400}
	}
	switch request {
	case "GetSceneItemId":
		if len(o.items) == 0 {
			return nil, &fakeobs.Refusal{Code: 600}
		}
		id := o.items[0]
		if asked.Offset < 0 {
			id = o.items[len(o.items)-1]
		}
		return map[string]any{"sceneItemId": id}, nil
	case "GetSceneItemEnabled":
		if o.during != nil {
			o.during()
		}
		for _, id := range o.items {
			if id == asked.Item {
				return map[string]any{"sceneItemEnabled": true}, nil
			}
		}
		return nil, &fakeobs.Refusal{Code: 600}
	}
	return nil, nil
}

// set makes OBS have other items.
func (o *eyeOBS) set(during func(), items ...int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.during, o.items = during, items
}

// eyes asks for item 3 of the peer in scene A, and returns how many requests that took.
func eyes(t *testing.T, f *fakeobs.Server, c *Client) (eye ItemEye, requests int) {
	t.Helper()
	before := len(f.Requests())
	b := c.Batch()
	answer := b.Eye("A", "Peer", 3)
	if err := b.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answer.Err != nil {
		t.Fatal(answer.Err)
	}
	return answer.Value, len(f.Requests()) - before
}

// wantEye fails the test if the eye of item 3 is another.
func wantEye(t *testing.T, when string, f *fakeobs.Server, c *Client, want ItemEye, requests int) {
	t.Helper()
	got, asked := eyes(t, f, c)
	if got != want || asked != requests {
		t.Errorf("%s: got %+v with %d requests, want %+v with %d", when, got, asked, want, requests)
	}
}

// heard waits until the client has got an event that was sent after all others.
func heard(t *testing.T, f *fakeobs.Server, c *Client) {
	t.Helper()
	f.Event("StudioModeStateChanged", map[string]any{"studioModeEnabled": true})
	for limit := time.After(5 * time.Second); ; {
		select {
		case e := <-c.Events():
			if cmp.Equal(e, Event(StudioMode{true})) {
				return
			}
		case <-limit:
			t.Fatal("no event within 5 s")
		}
	}
}

// OBS is asked which item is the only one once, and again when it may be different.
func TestEye(t *testing.T) {
	shown := ItemEye{Sole: true, Enabled: true}
	in := func(scene string) map[string]any {
		return map[string]any{"sceneName": scene, "sceneItemId": 9, "sourceName": "Peer"}
	}
	tests := []struct {
		event    string
		data     map[string]any
		requests int
	}{
		{"SceneItemEnableStateChanged", in("A"), 1},
		{"SceneItemCreated", in("B"), 1},
		{"SceneItemCreated", in("A"), 3},
		{"SceneItemRemoved", in("A"), 3},
		{"SceneItemListReindexed", in("A"), 3},
		{"SceneItemListReindexed", in("B"), 1},
		{"SceneCreated", in("A"), 3},
		{"SceneRemoved", in("A"), 3},
		{"SceneNameChanged", map[string]any{"oldSceneName": "B", "sceneName": "A"}, 3},
		{"InputNameChanged", map[string]any{"oldInputName": "Other", "inputName": "Peer"}, 3},
		{"CurrentSceneCollectionChanging", map[string]any{"sceneCollectionName": "One"}, 3},
		{"CurrentSceneCollectionChanged", map[string]any{"sceneCollectionName": "Two"}, 3},
	}
	o := &eyeOBS{items: []int{3}}
	f := (&fakeobs.Server{Handle: o.handle}).Start(t)
	c := dialFake(t, f, Options{})
	wantEye(t, "at first", f, c, shown, 3)
	for _, tt := range tests {
		f.Event(tt.event, tt.data)
		heard(t, f, c)
		when := fmt.Sprintf("after %s of %v", tt.event, tt.data)
		wantEye(t, when, f, c, shown, tt.requests)
		wantEye(t, when+", again", f, c, shown, 1)
	}
	// goobs drops the oldest of many events.
	f.Event("SceneItemCreated", in("A"))
	for range 1000 {
		f.Event("SceneItemEnableStateChanged", in("A"))
	}
	heard(t, f, c)
	wantEye(t, "after a thousand events", f, c, shown, 3)

	o.set(nil)
	wantEye(t, "without it, although no event said so", f, c, ItemEye{}, 1)
	f.Event("SceneItemRemoved", in("A"))
	heard(t, f, c)
	wantEye(t, "without it", f, c, ItemEye{}, 3)
	for when, items := range map[string][]int{"with a copy below it": {2, 3}, "with a copy above it": {3, 4}, "between two": {2, 3, 4}} {
		o.set(nil, items...)
		wantEye(t, when, f, c, ItemEye{Enabled: true}, 3)
		wantEye(t, when+", again", f, c, ItemEye{Enabled: true}, 3)
	}
}

// What OBS sends while it is asked counts, too.
func TestEyeMeanwhile(t *testing.T) {
	o := &eyeOBS{items: []int{3}}
	f := (&fakeobs.Server{Handle: o.handle}).Start(t)
	c := dialFake(t, f, Options{})
	copied := func() { f.Event("SceneItemCreated", map[string]any{"sceneName": "A"}) }
	o.set(copied, 3)
	wantEye(t, "a copy is made, which came after the answer", f, c, ItemEye{Sole: true, Enabled: true}, 3)
	wantEye(t, "that was not learned", f, c, ItemEye{Sole: true, Enabled: true}, 3)
	o.set(nil, 3)
	wantEye(t, "no copy is made", f, c, ItemEye{Sole: true, Enabled: true}, 3)
	o.set(copied, 3)
	wantEye(t, "a copy is made of what was known", f, c, ItemEye{Enabled: true}, 1)
}

// A connection without such events learns nothing.
func TestEyeWithoutEvents(t *testing.T) {
	o := &eyeOBS{items: []int{3}}
	f := (&fakeobs.Server{Handle: o.handle}).Start(t)
	for name, opts := range map[string]Options{"quiet": {Quiet: true}, "levels": {Levels: true}} {
		c := dialFake(t, f, opts)
		for range 2 {
			wantEye(t, name, f, c, ItemEye{Sole: true, Enabled: true}, 3)
		}
	}
}
