// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/priority"
)

// TestRealTimeIsAskedForAgain has an rtkit that is busy when the thread of a pipeline begins.
func TestRealTimeIsAskedForAgain(t *testing.T) {
	m, err := newMachine("sound", row(element("audiotestsrc", "is-live=true"), element("fakesink", "sync=false")), nil)
	if err != nil {
		t.Fatal(err)
	}
	var first, asked atomic.Int32
	again := make(chan int, 8)
	if err := m.realTime(func(tid int) error {
		if asked.Add(1) == 1 {
			first.Store(int32(tid))
			return fmt.Errorf("real-time priority: %w", priority.ErrBusy)
		}
		again <- tid
		return nil
	}, []time.Duration{20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	start(t, func(ctx context.Context) error { return m.run(ctx) })
	await(t, "the second question for the thread", again, 5*time.Second, func(tid int) bool { return tid == int(first.Load()) })
}
