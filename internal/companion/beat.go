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
	// beatEach is about how often OBS is asked how many pictures it has drawn.
	beatEach = time.Second
	// beatLooks is how many answers count. They come at all times within a picture, so that the
	// earliest of them is late by no more than about this part of one.
	beatLooks = 64
	// beatFirst is after how many answers, which takes about a second, the beat counts as known.
	beatFirst = 16
	// beatLost is the difference between two answers that says that OBS counts anew.
	beatLost = time.Second
)

// beat knows at which times OBS draws its programme. OBS tells only how many pictures it has drawn,
// but it draws them on a fixed grid (libobs, video_sleep; it leaves out those that it is late for),
// by a clock that it shares with us. Its methods may be called from any goroutine.
type beat struct {
	mu      sync.Mutex
	each    time.Duration // between two pictures
	base    time.Time     // of offsets
	offsets []time.Duration
	first   time.Duration // when picture 0 was drawn, after base
}

// reset forgets all, for an OBS that draws at the rate of f.
func (b *beat) reset(f media.VideoFormat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// OBS cuts off parts of a nanosecond, too (libobs, obs_init_video).
	b.base, b.offsets, b.each = time.Now(), b.offsets[:0], f.FrameTime()
}

// told takes OBS's answer that it has drawn so many pictures, and when it came. The answer is late by
// the time since the last of them, and by what it takes; so the earliest of several counts.
func (b *beat) told(drawn int, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	offset := at.Sub(b.base) - time.Duration(drawn)*b.each
	if len(b.offsets) > 0 && (offset-b.first).Abs() > beatLost {
		b.offsets = b.offsets[:0]
	}
	if len(b.offsets) == beatLooks {
		b.offsets = append(b.offsets[:0], b.offsets[1:]...)
	}
	b.offsets = append(b.offsets, offset)
	b.first = slices.Min(b.offsets)
}

// since is how long before a time OBS began to draw a picture, and false while that is not known.
func (b *beat) since(t time.Time) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.each <= 0 || len(b.offsets) < beatFirst {
		return 0, false
	}
	since := (t.Sub(b.base) - b.first) % b.each
	if since < 0 {
		since += b.each
	}
	return since, true
}

// follow asks drawn again and again until ctx ends.
func (b *beat) follow(ctx context.Context, drawn func(context.Context) (int, error)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for asked := 0; ; asked++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if n, err := drawn(ctx); err == nil {
			b.told(n, time.Now())
		}
		timer.Reset(b.pause(asked))
	}
}

// pause is how long to wait before asking again: first a few times at once, so that the beat is soon
// known. Each time is later within a picture by the golden section, which spreads them evenly however
// many there are.
func (b *beat) pause(asked int) time.Duration {
	const golden = 0.618034
	b.mu.Lock()
	defer b.mu.Unlock()
	each := max(b.each, time.Millisecond)
	later := time.Duration(golden * float64(each))
	if asked < beatFirst {
		return each + later
	}
	return beatEach.Round(each) + later
}
