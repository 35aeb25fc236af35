// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// ReceiveOptions say what Receive does with the peer's picture and voice.
type ReceiveOptions struct {
	Link   link.PlainOptions
	Screen media.Screen // shows the picture; whoever made it runs it
	Format media.VideoFormat
	// Speakers are the sinks at the sound server; none means the default one.
	Speakers []string
	Log      *slog.Logger // nil discards
}

// Receive is the receiving half of being on air, without OBS: it shows and plays what the peer sends until ctx ends
// (nil) or the link fails. A peer that goes away and comes back is shown again.
func Receive(ctx context.Context, o ReceiveOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A receiver that cannot be built, for want of a GStreamer element or of a sound server, will not do so later either.
	failed := func(err error) {
		var missing *media.MissingElementError
		if errors.As(err, &missing) {
			cancel(err)
		}
	}
	a := newAir(airOptions{
		link: func(h link.Handler) (link.Link, error) {
			o.Link.Receive, o.Link.Handler = true, h
			return link.NewPlain(o.Link)
		},
		screen:   o.Screen,
		format:   o.Format,
		peerSeen: func(seen bool) { o.Log.Info("peer", "seen", seen) },
		log:      o.Log,
	}, failed, failed)
	a.setSpeakers(o.Speakers)
	var wg sync.WaitGroup
	for _, part := range []func(context.Context){a.video.run, a.audio.run, a.watchPeer, a.together.run} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			part(ctx)
		}()
	}
	err := a.runLink(ctx, func() {})
	cancel(err)
	wg.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, ctx.Err()) {
		return cause
	}
	return err
}
