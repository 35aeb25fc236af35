// SPDX-License-Identifier: Apache-2.0

// Package standstill detects that this process did not run for a while: it was stopped, or the machine slept. The timeouts of
// this package count only the time in which the process ran, because nobody kept us waiting meanwhile. Watch reports a
// standstill, so that its caller can restart what is late.
//
// It is not a clock: while the process runs, its time is that of package time.
package standstill

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// step is how often a timer looks at the clock.
	step = 250 * time.Millisecond
	// longest is more than a busy machine keeps a process from running, and less than the peer takes it for away.
	longest = 3 * time.Second
)

// Timer calls a function after a while.
type Timer struct {
	mu    sync.Mutex
	left  time.Duration
	last  time.Time
	timer *time.Timer
	f     func()
}

// AfterFunc calls f in a goroutine of its own when the process has run for d. f must not call Stop.
func AfterFunc(d time.Duration, f func()) *Timer {
	t := &Timer{left: d, last: time.Now(), f: f}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(min(d, step), t.look)
	return t
}

func (t *Timer) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return
	}
	now := time.Now()
	t.left -= min(now.Sub(t.last), 2*step)
	t.last = now
	if t.left > 0 {
		t.timer.Reset(min(t.left, step))
		return
	}
	t.f()
	t.f = nil
}

// Stop keeps f from being called. When it returns f does not run any more.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer.Stop()
	t.f = nil
}

// WithTimeout is context.WithTimeout by the time in which the process runs. The cause of the end, not Err, is
// context.DeadlineExceeded then.
func WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	t := AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		t.Stop()
		cancel(context.Canceled)
	}
}

// Watch calls told after each standstill with its length, until ctx ends.
func Watch(ctx context.Context, told func(time.Duration)) { watch(ctx, sinceBoot(), told) }

// watch is Watch from a moment on.
func watch(ctx context.Context, last time.Duration, told func(time.Duration)) {
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := sinceBoot()
		if stood := now - last; stood > longest {
			told(stood)
		}
		last = now
	}
}

// sinceBoot counts the time in which the machine slept, which Go's own clock leaves out.
func sinceBoot() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // Linux has had it since 2.6.39.
	return time.Duration(t.Nano())
}
