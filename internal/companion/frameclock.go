// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

const (
	// frameClockEvery is about how often we ask OBS how many frames it has drawn.
	frameClockEvery = time.Second
	// frameClockSamples is how many answers we keep. They are spread over the time of one frame, so the earliest is late
	// by about a 64th of a frame.
	frameClockSamples = 64
	// frameClockKnown is how many answers it takes until the clock is known: about a second.
	frameClockKnown = 16
	// frameClockJump: two answers that differ by more mean that OBS has begun to count again.
	frameClockJump = time.Second
)

// frameClock knows when OBS draws the frames of its programme. OBS reports only how many it has drawn. It draws them at
// fixed intervals of the system's monotonic clock, and skips those that it is late for (libobs, video_sleep). The methods
// may be called from any goroutine.
type frameClock struct {
	mu      sync.Mutex
	each    time.Duration // between two frames
	base    time.Time     // offsets and first count from here
	offsets []time.Duration
	first   time.Duration // when frame 0 was drawn
}

// reset begins again, for an OBS that draws at the frame rate of f.
func (c *frameClock) reset(f media.VideoFormat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// OBS also rounds the frame time down to nanoseconds (libobs, obs_init_video).
	c.base, c.offsets, c.each = time.Now(), c.offsets[:0], f.FrameTime()
}

// told takes OBS's answer that it has drawn so many frames, and the time of the answer. An answer is late by the time
// since the last frame and by its own travel time. The earliest of several is closest.
func (c *frameClock) told(drawn int, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	offset := at.Sub(c.base) - time.Duration(drawn)*c.each
	if len(c.offsets) > 0 && (offset-c.first).Abs() > frameClockJump {
		c.offsets = c.offsets[:0]
	}
	if len(c.offsets) == frameClockSamples {
		c.offsets = append(c.offsets[:0], c.offsets[1:]...)
	}
	c.offsets = append(c.offsets, offset)
	c.first = slices.Min(c.offsets)
}

// since returns how long before t OBS began to draw a frame, and false while that is not known.
func (c *frameClock) since(t time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.each <= 0 || len(c.offsets) < frameClockKnown {
		return 0, false
	}
	since := (t.Sub(c.base) - c.first) % c.each
	if since < 0 {
		since += c.each
	}
	return since, true
}

// follow asks how many frames were drawn, repeatedly, until ctx ends.
func (c *frameClock) follow(ctx context.Context, drawn func(context.Context) (int, error)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for asked := 0; ; asked++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if n, err := drawn(ctx); err == nil {
			c.told(n, time.Now())
		}
		timer.Reset(c.pause(asked))
	}
}

// pause is how long to wait before the next question. The first ones follow each other closely, so that the clock is
// known soon. Each comes later within a frame by the golden section, which spreads any number of them evenly.
func (c *frameClock) pause(asked int) time.Duration {
	const golden = 0.618034
	c.mu.Lock()
	defer c.mu.Unlock()
	each := max(c.each, time.Millisecond)
	later := time.Duration(golden * float64(each))
	if asked < frameClockKnown {
		return each + later
	}
	return frameClockEvery.Round(each) + later
}
