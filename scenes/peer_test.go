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
