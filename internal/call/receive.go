// SPDX-License-Identifier: Apache-2.0

package call

import (
	"context"
	"errors"

	"github.com/costream-obs/costream-obs/media"
)

// Receive is the receiving half of a call. It runs the screen, shows the peer's picture there and plays the peer's voice on
// the speakers. It returns nil when ctx ends, and an error when the link or the screen fails. It uses the options Link,
// Format, External and Log. A peer that goes away and comes back is shown again.
func Receive(ctx context.Context, o Options, screen media.Screen, speakers []string) error {
	o.Screen = screen
	return together(ctx, screen.Run, func(ctx context.Context) error { return receive(ctx, o, speakers) })
}

func receive(ctx context.Context, o Options, speakers []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A receiver that cannot be built now, because a GStreamer element or a sound server is missing, cannot be built later
	// either.
	failed := func(err error) {
		var missing *media.MissingElementError
		if errors.As(err, &missing) {
			cancel(err)
		}
	}
	c := newCall(o, failed, failed)
	c.o.PeerSeen = func(seen bool) { c.o.Log.Info("peer", "seen", seen) }
	c.SetSpeakers(speakers)
	c.receive(ctx, false)
	err := c.runLink(ctx, func() {})
	cancel(err)
	c.wg.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, ctx.Err()) {
		return cause
	}
	return err
}
