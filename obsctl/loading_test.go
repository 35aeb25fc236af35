// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
)

// TestLoading: an OBS that still loads (30.0 and later answer 207 then) is waited for, by a connection and by a request.
func TestLoading(t *testing.T) {
	f := (&fakeobs.Server{Handle: func(string, json.RawMessage) (any, *fakeobs.Refusal) {
		return map[string]any{"outputActive": true}, nil
	}}).Start(t)
	f.Loading(true)
	time.AfterFunc(200*time.Millisecond, func() { f.Loading(false) })
	c := dialFake(t, f, Options{})

	f.Loading(true)
	time.AfterFunc(200*time.Millisecond, func() { f.Loading(false) })
	if active, err := c.StreamActive(t.Context()); err != nil || !active {
		t.Errorf("request while OBS changes its scenes: got %v, %v, want true, nil", active, err)
	}
}

// TestLoadsForever: an OBS that does not get ready is no other program, and a caller's deadline stays one.
func TestLoadsForever(t *testing.T) {
	f := (&fakeobs.Server{}).Start(t)
	c := dialFake(t, f, Options{Timeout: 300 * time.Millisecond})
	f.Loading(true)

	_, err := Dial(t.Context(), endpointOf(f), Options{Timeout: 300 * time.Millisecond})
	var connect *ConnectError
	if !errors.As(err, &connect) || !errors.Is(err, ErrLoading) || !strings.Contains(err.Error(), "still loading") {
		t.Errorf("Dial: got error %v, want a *ConnectError that matches ErrLoading", err)
	}
	if _, err := c.StreamActive(t.Context()); !errors.Is(err, ErrLoading) || !IsCode(err, CodeNotReady) {
		t.Errorf("request: got error %v, want OBS's refusal, which matches ErrLoading", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.StreamActive(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrLoading) {
		t.Errorf("request with a deadline: got error %v, want one that matches context.DeadlineExceeded and ErrLoading", err)
	}
}

// TestCreateSceneWaitsForWindow: no scene is made before the window of an OBS that would hang has answered.
func TestCreateSceneWaitsForWindow(t *testing.T) {
	tests := []struct {
		name    string
		version string
		asks    int // how often the window must be asked before it answers; 0: never asked
		want    error
	}{
		{"an older OBS", "32.0.4", 0, nil},
		{"at once", "32.1.0", 1, nil},
		{"a transition runs", "32.2.2", 2, nil},
		{"never", "32.2.2", 1000, ErrLoading},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			asked := 0
			var f *fakeobs.Server
			f = &fakeobs.Server{Version: tt.version, Handle: func(request string, data json.RawMessage) (any, *fakeobs.Refusal) {
				switch request {
				case "GetCurrentSceneTransition":
					return map[string]any{"transitionName": "Fade"}, nil
				case "SetCurrentSceneTransition":
					if string(data) != `{"transitionName":"Fade"}` {
						t.Errorf("transition that is set: got %s, want the one that was set", data)
					}
					mu.Lock()
					defer mu.Unlock()
					if asked++; asked == tt.asks {
						f.Event("CurrentSceneTransitionChanged", map[string]any{"transitionName": "Fade"})
					}
				}
				return nil, nil
			}}
			f.Start(t)
			c := dialFake(t, f, Options{Timeout: time.Second})
			for range 2 {
				if err := c.CreateScene(t.Context(), "To peer"); !errors.Is(err, tt.want) {
					t.Fatalf("CreateScene: got error %v, want %v", err, tt.want)
				}
				if tt.want != nil {
					break
				}
			}
			made := slices.Contains(f.Requests(), "CreateScene")
			if made != (tt.want == nil) {
				t.Errorf("a scene was made: got %v, want %v", made, tt.want == nil)
			}
			mu.Lock()
			defer mu.Unlock()
			if asked != tt.asks && tt.want == nil {
				t.Errorf("the window was asked %d times, want %d", asked, tt.asks)
			}
		})
	}
}

// TestRemoveWaitsForWindow: an item that OBS's window may not have taken in yet is not removed from an OBS that would crash.
func TestRemoveWaitsForWindow(t *testing.T) {
	for _, tt := range []struct {
		version string
		want    []string
	}{
		{"30.2.3", []string{"CreateInput", "RemoveInput", "RemoveInput"}},
		{"32.2.2", []string{"CreateInput", "GetCurrentSceneTransition", "SetCurrentSceneTransition", "RemoveInput", "RemoveInput"}},
	} {
		t.Run(tt.version, func(t *testing.T) {
			t.Parallel()
			var f *fakeobs.Server
			f = &fakeobs.Server{Version: tt.version, Handle: func(request string, _ json.RawMessage) (any, *fakeobs.Refusal) {
				switch request {
				case "CreateInput":
					return map[string]any{"sceneItemId": 7}, nil
				case "GetCurrentSceneTransition":
					return map[string]any{"transitionName": "Fade"}, nil
				case "SetCurrentSceneTransition":
					f.Event("CurrentSceneTransitionChanged", map[string]any{"transitionName": "Fade"})
				}
				return nil, nil
			}}
			f.Start(t)
			c := dialFake(t, f, Options{})
			if _, err := c.CreateInput(t.Context(), "Scene", "Peer", "color_source_v3", nil, true); err != nil {
				t.Fatal(err)
			}
			if err := c.RemoveInput(t.Context(), "Peer"); err != nil {
				t.Fatal(err)
			}
			for what := range c.window.fresh.made { // long ago
				c.window.fresh.made[what] = time.Now().Add(-itemSettles)
			}
			if err := c.RemoveInput(t.Context(), "Peer"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
