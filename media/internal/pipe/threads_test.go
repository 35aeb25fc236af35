// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestOnThread has a queue give a pipeline a second thread.
func TestOnThread(t *testing.T) {
	p := mustParse(t, "audiotestsrc is-live=true ! queue ! fakesink sync=false")
	seen := make(chan int, 8)
	if err := p.OnThread(func(tid int) { seen <- tid }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	found := make(map[int]bool)
	for len(found) < 2 {
		select {
		case tid := <-seen:
			if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil || tid == os.Getpid() {
				t.Errorf("got thread %d: %v", tid, err)
			}
			found[tid] = true
		case <-time.After(10 * time.Second):
			t.Fatalf("got %d threads, want 2", len(found))
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
