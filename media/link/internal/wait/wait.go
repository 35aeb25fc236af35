// SPDX-License-Identifier: Apache-2.0

// Package wait has what the goroutines of a link wait with: a signal to wake one, a pause, and the earlier of two deadlines.
// It knows nothing of packets.
package wait

import (
	"context"
	"time"
)

// Signal puts a message into a channel that has room for one. It never blocks: a second message says no more than the first.
func Signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Pause returns after d, or when ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Earlier returns the earlier of two deadlines. A zero deadline is none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
