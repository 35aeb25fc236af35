// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

const (
	// slowRate is how many pictures Alice's OBS draws in a second, and slowFrame the time from one to the next.
	slowRate  = 5
	slowFrame = time.Second / slowRate
	// slowProbes take ten seconds and more: with each goes a wait of half a frame, and one of another half until OBS draws.
	slowProbes = 45
	// slowOurs is what all else may take from Alice's OBS to Bob's, in the middle, and slowOursMost at the worst, on a machine on
	// which other programs run. Both are less than a frame: a picture that waited for another would come a whole frame later.
	slowOurs     = 3 * slowFrame / 4
	slowOursMost = slowFrame + 3*slowFrame/4
)

// TestRealSlowOBS: no picture waits behind another on the portable route while Alice's OBS is set to five a second. Each reaches Bob's
// OBS before the next is drawn, and none comes later after ten seconds than at the beginning.
func TestRealSlowOBS(t *testing.T) {
	testbed.Need(t)
	alice := e2e.Alice()
	alice.FPS = slowRate
	p := newPairOf(t, alice, e2e.Bob())
	p.alice.AddLamp()
	p.goOnAir(t)
	before, _ := p.alice.OBS.DrawnLate()
	own := p.alice.PictureDelays(p.alice, slowProbes)
	begun := time.Now()
	there := p.alice.PictureDelays(p.bob, slowProbes)
	took := time.Since(begun)
	after, _ := p.alice.OBS.DrawnLate()
	ours := median(there) - median(own)
	half := len(there) / 2
	early, late := mean(there[:half]), mean(there[half:])
	t.Logf("from OBS to OBS %v (%v at most), of which OBS itself %v (%v); at first %v, %v later %v; %d pictures drawn late",
		median(there), slices.Max(there), median(own), slices.Max(own), early, took.Round(time.Second), late, after-before)
	if took < 10*time.Second {
		t.Errorf("watched for %v, want 10 s", took)
	}
	if ours > slowOurs {
		t.Errorf("pictures come %v later than OBS shows them, want %v at most: one waits", ours, slowOurs)
	}
	if worst := slices.Max(there) - slices.Max(own); worst > slowOursMost {
		t.Errorf("the worst comes %v later than OBS shows one, want %v at most: two wait", worst, slowOursMost)
	}
	if late-early > slowFrame/2 {
		t.Errorf("the delay grows from %v to %v", early, late)
	}
}

func median(delays []time.Duration) time.Duration {
	return score.Quantile(delays, 0.5).Round(time.Millisecond)
}

func mean(delays []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range delays {
		sum += d
	}
	return (sum / time.Duration(len(delays))).Round(time.Millisecond)
}
