// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// slowOBS is one with a scene that has the peer, which takes its time to tell the collection.
type slowOBS struct {
	collection string
	looked     chan struct{} // gets one for each look at the scene
	told       chan struct{} // closed when it may tell the collection

	mu      sync.Mutex
	stored  string
	enabled bool
}

func (o *slowOBS) answer(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
	var d struct {
		SlotName, SlotValue string
		SceneItemEnabled    bool
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &d); err != nil {
			return nil, &fakeobs.Refusal{Code: 400, Comment: err.Error()}
		}
	}
	if request == "GetSceneCollectionList" {
		<-o.told
		return map[string]any{"currentSceneCollectionName": o.collection}, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch request {
	case "GetVideoSettings":
		return map[string]any{"baseWidth": 640, "baseHeight": 360, "outputWidth": 640, "outputHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1}, nil
	case "GetSceneList":
		return map[string]any{"currentProgramSceneName": scene, "scenes": []any{map[string]any{"sceneName": scene}}}, nil
	case "GetInputList":
		return map[string]any{"inputs": []any{map[string]any{"inputName": "Peer", "inputKind": "v4l2_input", "unversionedInputKind": "v4l2_input"}}}, nil
	case "GetInputSettings":
		return map[string]any{"inputSettings": map[string]any{"device_id": "/dev/video11"}}, nil
	case "GetSceneItemId":
		return map[string]any{"sceneItemId": 1}, nil
	case "GetSceneItemList":
		o.looked <- struct{}{}
		return map[string]any{"sceneItems": []any{map[string]any{"sceneItemId": 1, "sourceName": "Peer", "sceneItemEnabled": o.enabled}}}, nil
	case "SetSceneItemEnabled":
		o.enabled = d.SceneItemEnabled
	case "GetPersistentData":
		if d.SlotName == Slot {
			return map[string]any{"slotValue": o.stored}, nil
		}
	case "SetPersistentData":
		o.stored = d.SlotValue
	}
	return map[string]any{}, nil
}

// A command that does not wait for the name of the collection changes nothing before it knows it.
func TestLearnCollection(t *testing.T) {
	for _, tt := range []struct {
		name, collection string
		looks            int
	}{
		{"as remembered", "Known", 1},
		{"another one", "Other", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			slow := &slowOBS{collection: tt.collection, enabled: true, looked: make(chan struct{}, 10), told: make(chan struct{}),
				stored: `{"collections":{"Known":{"input":"Peer","scenes":{}}}}`}
			at := (&fakeobs.Server{Handle: slow.answer}).Start(t).Addr()
			client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: at.IP.String(), Port: at.Port}, obsctl.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			obs := NewWriter(client, t.TempDir(), time.Second)
			obs.LearnCollection(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := scenes.SetVisible(t.Context(), obs, scenes.Source{Name: "Peer", Settings: map[string]any{"device_id": "/dev/video11"}}, nil, scenes.Toggle)
				done <- err
			}()
			select {
			case <-slow.looked:
			case err := <-done:
				t.Fatalf("done before OBS told the collection: %v", err)
			}
			slow.mu.Lock()
			if !slow.enabled {
				t.Error("the peer was hidden before the collection was known")
			}
			slow.mu.Unlock()
			close(slow.told)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			var m scenes.Memory
			if err := json.Unmarshal([]byte(slow.stored), &m); err != nil {
				t.Fatal(err)
			}
			c := m.Collections[tt.collection]
			if slow.enabled || c == nil || len(c.Scenes[scene].Items) != 1 {
				t.Errorf("got the peer shown: %t, and memory %s, want it hidden in collection %q", slow.enabled, slow.stored, tt.collection)
			}
			if looks := 1 + len(slow.looked); looks != tt.looks {
				t.Errorf("got %d looks, want %d", looks, tt.looks)
			}
		})
	}
}
