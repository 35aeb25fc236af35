// SPDX-License-Identifier: Apache-2.0

package link

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestCongestionClockSet has the system's clock set while packets go over a free path.
func TestCongestionClockSet(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, -100 * time.Millisecond, 100 * time.Millisecond, time.Hour} {
		began := time.Now()
		c := newCongestion(300_000, 3_000_000, 6_000_000)
		lowest := c.rate
		for n := range 4000 {
			sent := began.Add(time.Duration(n) * 2 * time.Millisecond)
			if n >= 2000 {
				sent = testbed.ClockSet(t, sent, by)
			}
			const takes = 20 * time.Millisecond
			c.update(sent.Add(2*takes), []ack{{sent: sent, size: 1200, arrived: sent.Sub(began) + takes}})
			if c.full {
				t.Fatalf("set by %v: the path counts as full after %v", by, sent.Sub(began))
			}
			lowest = min(lowest, c.rate)
		}
		if lowest < 3_000_000 || c.rate != 6_000_000 {
			t.Errorf("set by %v: got a rate of %.0f in the end, and %.0f at least; want 6000000 and 3000000", by, c.rate, lowest)
		}
	}
}

// TestSteadyClock holds that the clock of the reports takes no notice of the time of day.
func TestSteadyClock(t *testing.T) {
	before := time.Now()
	now := steadyClock()
	got := now()
	after := time.Now()
	if got.Before(before) || got.After(after) || got.UnixNano() < before.UnixNano() || got.UnixNano() > after.UnixNano() {
		t.Errorf("got %v, want a time from %v to %v", got, before, after)
	}
	first, second := now(), now()
	if monotonic, wall := second.Sub(first), second.UnixNano()-first.UnixNano(); int64(monotonic) != wall {
		t.Errorf("%v and %d ns passed between two readings", monotonic, wall)
	}
}
