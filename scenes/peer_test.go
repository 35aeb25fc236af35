// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A command that comes while OBS loads a collection waits for it, and not for ever.
func TestCommandWhileOBSLoads(t *testing.T) {
	const ever = 1 << 30
	tests := []struct {
		name    string
		loading int
		limit   time.Duration // the caller's deadline
		want    error
		added   int
	}{
		{"not at all", 0, time.Minute, nil, 1},
		{"for three looks", 3, time.Minute, nil, 1},
		{"longer than the caller waits", ever, 3 * lookAgain, context.DeadlineExceeded, 0},
		{"longer than a command waits", ever, time.Minute, ErrChanging, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeOBS("A")
			f.loading = tt.loading
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			changes, err := Add(ctx, f, device(), nil, Layouts{})
			if !errors.Is(err, tt.want) || len(changes) != tt.added || len(f.scene("A").Items) != tt.added {
				t.Errorf("got %d changes, %d items and error %v, want %d and error %v",
					len(changes), len(f.scene("A").Items), err, tt.added, tt.want)
			}
		})
	}
}

// A command takes the names of scenes as they are, whatever they would mean as patterns.
func TestCommandsTakeNames(t *testing.T) {
	f := newFakeOBS("A", "Game [", "Game [1]", "Game 1")
	if _, err := Add(t.Context(), f, device(), []string{"Game [", "Game [1]"}, Layouts{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"A": 0, "Game [": 1, "Game [1]": 1, "Game 1": 0} {
		if got := len(f.scene(name).Items); got != want {
			t.Errorf("scene %q: got %d items, want %d", name, got, want)
		}
	}
	rules := Layouts{Rules: []Rule{{Scenes: "Talk["}}}
	if _, err := Add(t.Context(), f, device(), []string{"A"}, rules); !errors.As(err, new(*UnknownSceneError)) {
		t.Errorf("a wrong pattern among the layouts: got %v, want an error about it", err)
	}
}
