// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Screenshotter takes a picture of OBS's programme, scaled to w times h pixels, and returns it as a JPEG image.
type Screenshotter func(ctx context.Context, w, h int) ([]byte, error)

// ScreenshotPump takes pictures of OBS's programme at the rate of a format and pushes them into a VideoSender. It slows down
// if OBS can no longer draw all its frames, because taking a picture holds OBS's graphics lock.
type ScreenshotPump struct {
	// Shoot takes one picture.
	Shoot Screenshotter
	// Format is the size and rate of the pictures; odd sides are rounded down
	// to even.
	Format VideoFormat
	// Skipped returns how many frames OBS has failed to draw in time (renderSkippedFrames), and false while that is unknown.
	// It must not ask OBS: the next picture waits for it. Nil means that the pump never slows down.
	Skipped func() (int, bool)
	// SinceDrawn returns how long before a time OBS began to draw its programme, and false while that is unknown. Pictures
	// are then taken soon after that, when they are newest. Nil means unknown.
	SinceDrawn func(t time.Time) (time.Duration, bool)
	// Push takes each JPEG image; VideoSender.PushImage fits.
	Push func(jpeg []byte)
	Log  *slog.Logger
}

const (
	// skipCheck is how often the pump checks whether OBS skips frames.
	skipCheck = time.Second
	// afterDrawn is how long after OBS begins to draw a frame the frame is complete.
	afterDrawn = 4 * time.Millisecond
	// shootRetry is the pause after a screenshot that failed.
	shootRetry = 250 * time.Millisecond
)

// Run takes pictures until ctx ends (nil). It logs a failed picture and tries again; only an impossible format is an error.
func (p *ScreenshotPump) Run(ctx context.Context) error {
	f, err := p.Format.normal()
	if err != nil {
		return fmt.Errorf("screenshots: %w", err)
	}
	log := p.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}

	var (
		pace    = newPace(f)
		yield   courtesy
		checked = time.Now()
		failing bool
		timer   = time.NewTimer(0)
	)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		jpeg, err := p.Shoot(ctx, f.W, f.H)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if !failing {
				log.Warn("no screenshot of the programme, trying on", "err", err)
			}
			failing = true
			timer.Reset(shootRetry)
			continue
		}
		failing = false
		p.Push(jpeg)

		now := time.Now()
		if p.Skipped != nil && now.Sub(checked) >= skipCheck {
			checked = now
			if n, known := p.Skipped(); known && yield.observe(n, now) {
				log.Info("OBS draws late, screenshots changed pace", "one in", yield.divisor())
			}
		}
		if p.SinceDrawn != nil {
			if since, ok := p.SinceDrawn(pace.start); ok {
				pace.shift(afterDrawn - since)
			}
		}
		timer.Reset(pace.next(time.Now(), yield.divisor()))
	}
}

// pace places pictures at multiples of a format's frame time.
type pace struct {
	format VideoFormat
	start  time.Time
	n      int64
}

func newPace(f VideoFormat) *pace { return &pace{format: f, start: time.Now()} }

// shift moves these times by d, modulo a frame time, in the shorter direction.
func (p *pace) shift(d time.Duration) {
	frame := p.format.FrameTime()
	p.start = p.start.Add(d - d.Round(frame))
}

// next returns how long to wait for the next picture, which is step frames after the last. Pictures whose time has passed
// are skipped.
func (p *pace) next(now time.Time, step int64) time.Duration {
	elapsed := now.Sub(p.start)
	p.n += step
	if p.format.at(p.n) <= elapsed {
		p.n = p.format.index(elapsed) + 1
	}
	return p.format.at(p.n) - elapsed
}

const (
	// stray is how many frames OBS may skip between two checks without it being our fault.
	stray = 1
	// slowest is the most that a pump slows down: one picture in this many. With 8 each was late by 117 ms more than with 1,
	// on average, and it looked like a slide show.
	slowest = 4
	// futileLooks is for how many checks at the slowest pace OBS may go on skipping more than half as many frames as before
	// the pump slowed down. Then something else, such as a game, is the cause, and the pump does not slow down for
	// futileFor.
	futileLooks = 5
	futileFor   = time.Minute
	// calmFirst is how long OBS must skip nothing before the pump gets faster again. It doubles, up to calmMost, each time
	// that was too early.
	calmFirst = 5 * time.Second
	calmMost  = 80 * time.Second
)

// courtesy decides how much a pump slows down for OBS. Its zero value is full speed.
type courtesy struct {
	most    uint // the largest shift; 0 means that of slowest
	shift   uint // one picture in 1<<shift
	known   bool // skipped holds a count
	skipped int
	changed time.Time // of the last slow-down or speed-up
	calm    time.Duration
	trial   bool // the last change was a speed-up

	before      int       // most pictures drawn late in a look that made the pump slow down
	late, looks int       // since it is at the slowest: pictures drawn late, and looks
	futile      time.Time // when giving way turned out to be of no use
}

// divisor returns n of "one picture in n".
func (c *courtesy) divisor() int64 { return 1 << c.shift }

// atMost reports whether the pump cannot slow down further.
func (c *courtesy) atMost() bool {
	if c.most > 0 {
		return c.shift >= c.most
	}
	return c.divisor() >= slowest
}

// observe takes OBS's count of skipped frames, and reports whether the pace changed.
func (c *courtesy) observe(skipped int, now time.Time) bool {
	late := 0
	if c.known {
		late = max(skipped-c.skipped, 0)
	}
	rose := late > stray
	c.known, c.skipped = true, skipped
	if c.calm == 0 {
		c.calm = calmFirst
	}
	switch {
	case c.ofNoUse(late):
		c.shift = 0
		c.changed, c.trial, c.futile = now, false, now
		return true
	case rose && now.Sub(c.futile) < futileFor:
		return false
	case rose && !c.atMost():
		if c.shift == 0 {
			c.before = 0
		}
		c.before = max(c.before, late)
		if c.trial && now.Sub(c.changed) < c.calm {
			c.calm = min(2*c.calm, calmMost)
		}
		c.shift++
		c.changed, c.trial = now, false
		c.late, c.looks = 0, 0
		return true
	case rose:
		c.changed, c.trial = now, false
		return false
	case c.shift > 0 && now.Sub(c.changed) >= c.calm:
		c.shift--
		c.changed, c.trial = now, true
		return true
	}
	return false
}

// ofNoUse counts a check at the slowest pace, and reports after enough of them whether OBS skips nearly as many frames as
// before.
func (c *courtesy) ofNoUse(late int) bool {
	if !c.atMost() {
		return false
	}
	c.late += late
	if c.looks++; c.looks < futileLooks {
		return false
	}
	ofNoUse := 2*c.late > c.looks*c.before
	c.late, c.looks = 0, 0
	return ofNoUse
}
