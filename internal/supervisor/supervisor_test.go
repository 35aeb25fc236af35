// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

const testLimit = 10 * time.Second

func TestKeepStartsAgainAndSaysWhatFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan struct{}, 16)
	k := New(slog.New(slog.DiscardHandler), func() { changed <- struct{}{} })
	fault := errors.New("no device")
	runs := make(chan int, 16)
	n := 0
	k.Keep(ctx, "screen", func(ctx context.Context, started func()) error {
		n++
		runs <- n
		if n == 1 {
			return fault
		}
		started()
		<-ctx.Done()
		return ctx.Err()
	})
	await(t, changed, "the failure")
	if got := k.Failing()["screen"]; !errors.Is(got, fault) {
		t.Errorf("failing part: got %v, want %v", got, fault)
	}
	await(t, changed, "the recovery")
	if got := k.Failing(); len(got) != 0 {
		t.Errorf("after the recovery still failing: %v", got)
	}
	cancel()
	k.Wait()
	if len(runs) != 2 {
		t.Errorf("the part ran %d times, want 2", len(runs))
	}
}

func await[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(testLimit):
		t.Fatalf("awaited %s for %v", what, testLimit)
		panic("unreachable")
	}
}
