// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

func TestNACKGenerator(t *testing.T) {
	c := linktest.NewClock()
	const rtt, patience = 20 * time.Millisecond, 100 * time.Millisecond
	r := NACKGenerator{Enabled: true}
	ask := func(when string, want ...uint16) {
		t.Helper()
		if got, _ := r.Ask(c.Now(), rtt, patience); !slices.Equal(got, want) {
			t.Errorf("%s: asked for %v, want %v", when, got, want)
		}
	}
	r.Gap(c.Now(), 100, 102)
	ask("at once", 100, 101, 102)
	r.Gap(c.Now(), 101, 103)
	ask("one more", 103)
	c.Pass(RetryMargin)
	ask("before it could have come")
	r.Arrived(c.Now(), rtt, 103)
	r.Gap(c.Now(), 105, 105)
	ask("may be late as the last one was")
	c.Pass(RetryMargin)
	ask("it was not", 105)
	r.Arrived(c.Now(), rtt, 105)
	r.Arrived(c.Now(), rtt, 101)
	r.Arrived(c.Now(), rtt, 100)
	c.Pass(rtt - RetryMargin)
	ask("again", 102)
	c.Pass(rtt + RetryMargin)
	ask("and again", 102)
	r.Arrived(c.Now(), rtt, 102)
	late := r.reordering
	r.Guess(c.Now(), 200, 203)
	c.Pass(late)
	ask("guessed", 200, 201, 202, 203)
	r.Arrived(c.Now(), rtt, 200)
	if r.reordering > late {
		t.Errorf("what was only guessed to be missing is not late, got %v", r.reordering)
	}
	c.Pass(rtt + RetryMargin)
	ask("guessed, once")
	r.Gap(c.Now(), 201, 202)
	c.Pass(late)
	ask("they are missing indeed", 201, 202)
	c.Pass(patience)
	if got, next := r.Ask(c.Now(), rtt, patience); len(got) != 0 || !next.IsZero() {
		t.Errorf("asked for %v, next %v, want it given up", got, next)
	}
	for n := uint64(0); n < 1000; n += 100 {
		r.Gap(c.Now(), 1000+n, 1060+n)
	}
	if len(r.missing) > maxMissing {
		t.Errorf("remembers %d packets, want at most %d", len(r.missing), maxMissing)
	}
}
