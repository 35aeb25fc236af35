// SPDX-License-Identifier: Apache-2.0

package media

import (
	"sync"
	"time"
)

// Thin has only one in every so many pictures encoded, where the encoder is too slow for all. It may be called from any
// goroutine.
func (s *VideoSender) Thin(every int) {
	s.thinner.Set(every)
	s.thinned.thin(every, s.passBitrate)
}

func (s *VideoSender) passBitrate(kbps int) { s.pace.want(kbps, s.setBitrate) }

// thinned is the bitrate of pictures of which some are left out. Encoders divide it among all pictures that there could be.
type thinned struct {
	mu          sync.Mutex // also held while a bitrate is passed on, so that the encoder keeps the newest
	every, kbps int
}

func (t *thinned) thin(every int, apply func(kbps int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.every = every
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
// key frames not much larger. The link must see most of its bitrate used, to know what the path takes.
func (t *thinned) bitrate() int { return t.kbps * (max(t.every, 1) + 1) / 2 }

// Yield decides how many pictures to leave out while this machine is too slow for all. It leaves out more while some come
// late, and fewer after a quiet time, which is longer after each attempt that was too early. Where it does not help, it stops
// for a while. The zero value leaves out none.
type Yield struct{ c courtesy }

// yieldFirst is the first quiet time. Within it, it must show that an attempt was too early: an encoder that settles for some
// seconds and is then late twice takes longer than calmFirst.
const yieldFirst = 10 * time.Second

// Look takes how many pictures have come late since the beginning, once a second, and returns n of "one picture in n", and
// whether that has changed.
func (y *Yield) Look(late int, now time.Time) (every int, changed bool) {
	if y.c.calm == 0 {
		y.c.calm = yieldFirst
	}
	changed = y.c.observe(late, now)
	return int(y.c.divisor()), changed
}

// Hold begins the quiet time anew: it is known that more pictures would be too many.
func (y *Yield) Hold(now time.Time) { y.c.changed = now }
