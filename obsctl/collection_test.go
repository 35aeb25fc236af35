// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// OBS is asked for the current collection once, and again where it may be another.
func TestBatchCollection(t *testing.T) {
	var asked atomic.Int64
	var name atomic.Value
	name.Store("One")
	server := &fakeobs.Server{Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
		if request == "GetSceneCollectionList" {
			asked.Add(1)
		}
		return map[string]any{"currentSceneCollectionName": name.Load()}, nil
	}}
	f := server.Start(t)
	c := dialFake(t, f, Options{})
	event := func(event string, want Event) {
		f.Event(event, map[string]any{"sceneCollectionName": "Any"})
		if want == nil { // One that is not translated: the next one comes after it.
			f.Event("StudioModeStateChanged", map[string]any{"studioModeEnabled": true})
			want = StudioMode{true}
		}
		if got := within(t, "an event", 5*time.Second, c.Events()); got != want {
			t.Fatalf("event: got %v, want %v", got, want)
		}
	}
	want := func(when, want string, times int64) {
		t.Helper()
		asked.Store(0)
		for range 3 {
			b := c.Batch()
			got := b.Collection(time.Minute)
			if err := b.Do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got.Value != want || got.Err != nil {
				t.Errorf("%s: got %+v, want %s", when, *got, want)
			}
		}
		if got := asked.Load(); got != times {
			t.Errorf("%s: OBS was asked %d times, want %d", when, got, times)
		}
	}
	want("at first", "One", 1)
	want("then", "One", 0)
	event("CurrentSceneCollectionChanging", CollectionChanging{})
	want("while another one loads", "One", 3)
	name.Store("Two")
	event("CurrentSceneCollectionChanged", CollectionChanged{"Any"})
	want("when it has", "Two", 1)
	event("SceneCollectionListChanged", nil)
	want("when one has another name", "Two", 1)
	c.current.mu.Lock()
	c.current.asked = c.current.asked.Add(-time.Minute)
	c.current.mu.Unlock()
	want("later", "Two", 1)
	levels := dialFake(t, f, Options{Levels: true})
	c = levels
	want("without events", "Two", 3)
}
