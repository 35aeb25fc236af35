// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestEstimatorClockSet has the system's clock set while packets go over a free path.
func TestEstimatorClockSet(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, -100 * time.Millisecond, 100 * time.Millisecond, time.Hour} {
		began := time.Now()
		c := newEstimator(300_000, 3_000_000, 6_000_000)
		lowest := c.rate
		for n := range 4000 {
			sent := began.Add(time.Duration(n) * 2 * time.Millisecond)
			if n >= 2000 {
				sent = testbed.ClockSet(t, sent, by)
			}
			const takes = 20 * time.Millisecond
			c.update(sent.Add(2*takes), []result{{sent: sent, size: 1200, arrived: sent.Sub(began) + takes}})
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

// TestEstimatorInterrupted has the sender interrupted for 80 ms twice a second, just before it writes a packet, and the
// receiver report that packet by itself. It is late, but no queue stands.
func TestEstimatorInterrupted(t *testing.T) {
	const takes, each, interruption = 20 * time.Millisecond, 10 * time.Millisecond, 80 * time.Millisecond
	began := time.Now()
	c := newEstimator(300_000, 3_000_000, 6_000_000)
	at := began
	for n := range 1000 {
		sent := at
		if n%50 == 49 {
			at = at.Add(interruption)
		}
		c.update(at.Add(2*takes), []result{{sent: sent, size: 1200, arrived: at.Sub(began) + takes}})
		if c.full {
			t.Fatalf("packet %d: the path counts as full", n)
		}
		at = at.Add(each)
	}
}
