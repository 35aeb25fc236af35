// SPDX-License-Identifier: Apache-2.0

package lockfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAcquire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "lock")
	release, err := Acquire(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	for _, wait := range []time.Duration{0, 20 * time.Millisecond} {
		begin := time.Now()
		if _, err := Acquire(t.Context(), path, wait); !errors.As(err, &held) || held.PID != os.Getpid() {
			t.Errorf("while it is held: got %v, want a HeldError with our process id", err)
		}
		if took := time.Since(begin); took < wait {
			t.Errorf("given up after %v, want %v", took, wait)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Acquire(ended, path, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: got %v, want context.Canceled", err)
	}
	got := make(chan error, 1)
	go func() {
		release, err := Acquire(context.Background(), path, time.Hour)
		if err == nil {
			release()
		}
		got <- err
	}()
	release()
	if err := <-got; err != nil {
		t.Errorf("who waits: got %v, want the lock", err)
	}
}

// One holder at a time, whoever else asks.
func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var inside, total atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 5 {
				release, err := Acquire(context.Background(), path, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold it", n)
				}
				total.Add(1)
				inside.Add(-1)
				release()
			}
		}()
	}
	all.Wait()
	if got := total.Load(); got != 40 {
		t.Errorf("taken %d times, want 40", got)
	}
}
