// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

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
	testbed.Receive(t, changed, "the failure")
	if got := k.Failing()["screen"]; !errors.Is(got, fault) {
		t.Errorf("failing part: got %v, want %v", got, fault)
	}
	testbed.Receive(t, changed, "the recovery")
	if got := k.Failing(); len(got) != 0 {
		t.Errorf("after the recovery still failing: %v", got)
	}
	cancel()
	k.Wait()
	if len(runs) != 2 {
		t.Errorf("the part ran %d times, want 2", len(runs))
	}
}
