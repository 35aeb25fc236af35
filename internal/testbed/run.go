// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"context"
	"testing"
	"time"
)

// Run runs something in the test's own process until the returned function is
// called or the test ends, and then waits for its return. The test fails when
// it returned an error, or did not return. What is its name in messages.
func Run(t testing.TB, what string, run func(context.Context) error) (stop func()) {
	t.Helper()
	const limit = 10 * time.Second
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(limit):
			t.Errorf("%s did not return within %v", what, limit)
		}
	}
	t.Cleanup(stop)
	return stop
}
