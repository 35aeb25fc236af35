// SPDX-License-Identifier: Apache-2.0

package media

import (
	"sync"
	"sync/atomic"
	"time"
)

// Thin has only one in every so many pictures encoded, where this machine is too slow for all. It may be called from any
// goroutine.
func (s *VideoSender) Thin(every int) {
	s.thinner.Set(every)
	s.thinned.thin(every, s.passBitrate)
}

func (s *VideoSender) passBitrate(kbps int) { s.pace.want(kbps, s.setBitrate) }

// thinned is the bitrate of pictures of which some are left out. Encoders divide it among all pictures that there could be.
type thinned struct {
	mu    sync.Mutex // also held while a bitrate is passed on, so that the encoder keeps the newest
	kbps  int
	every atomic.Int64 // one picture in so many is sent; set with the mutex held
}

func (t *thinned) thin(every int, apply func(kbps int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.every.Store(int64(every))
	if t.kbps > 0 {
		apply(t.bitrate())
	}
}

func (t *thinned) set(kbps int, apply func(kbps int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kbps = kbps
	apply(t.bitrate())
}

// bitrate is what the encoder is set to: pictures get half of what those that are left out save, so that they become better, but
// no larger than where all are sent, for which vbv cares. So the link sees less used while pictures are left out, and its bitrate
// grows again after that.
func (t *thinned) bitrate() int { return t.kbps * (t.oneIn() + 1) / 2 }

func (t *thinned) oneIn() int { return max(int(t.every.Load()), 1) }

// vbv is how much of the bitrate that a live encoder is set to one picture may take, in milliseconds: no more of the link's time
// than where all pictures are sent.
func (t *thinned) vbv(set int) int {
	every := t.oneIn()
	kbps := max(2*set/(every+1), 1)
	return max(liveVBVMillis(kbps)*2/(every+1), 1)
}

// Saving is how much less is encoded while this machine is too slow for everything.
type Saving struct {
	// Every is n of "one picture in n".
	Every int
	// Size is how large those pictures are.
	Size Size
}

// savings are the steps in which less is encoded.
var savings = [...]Saving{{1, FullSize}, {2, FullSize}, {slowest, FullSize}, {slowest, TwoThirds}, {slowest, HalfSize}}

// StepBack is how many times as much there is to encode after a step of Yield is taken back: pictures a second, or pixels.
func StepBack(step int) float64 {
	now, then := SavingOf(step), SavingOf(step-1)
	side := [...]float64{FullSize: 1, TwoThirds: 2.0 / 3, HalfSize: 0.5}
	grows := side[then.Size] / side[now.Size]
	return float64(now.Every) / float64(then.Every) * grows * grows
}

// fewest is the last step in which pictures keep their size.
const fewest = 2

// SavingOf is the saving of a step of Yield.
func SavingOf(step int) Saving { return savings[min(max(step, 0), len(savings)-1)] }

// Yield decides how much less to encode while this machine is too slow for everything: fewer pictures at first, then smaller ones
// too. It saves more while some come late, and less, in the other order, after a quiet time, which is longer after each attempt
// that was too early. Where it does not help, it stops for a while. The zero value saves nothing.
type Yield struct {
	// RateOnly says that pictures must keep their size.
	RateOnly bool

	c courtesy
}

// yieldFirst is the first quiet time. Within it, it must show that an attempt was too early: an encoder that settles for some
// seconds and is then late twice takes longer than calmFirst.
const yieldFirst = 10 * time.Second

// Look takes how many pictures have come late since the beginning, once a second, and returns the step, whose saving is
// SavingOf, and whether it has changed.
func (y *Yield) Look(late int, now time.Time) (step int, changed bool) {
	if y.c.most = uint(len(savings) - 1); y.RateOnly {
		y.c.most = fewest
		y.c.shift = min(y.c.shift, y.c.most)
	}
	if y.c.calm == 0 {
		y.c.calm = yieldFirst
	}
	changed = y.c.observe(late, now)
	return int(y.c.shift), changed
}

// Hold begins the quiet time anew: it is known that more pictures would be too many.
func (y *Yield) Hold(now time.Time) { y.c.changed = now }
