// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"

	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
)

// AirOptions say what RunAir sends and shows.
type AirOptions struct {
	Link     func(link.Handler) (link.Link, error)
	PeerAsks bool // as in Options

	// Picture is what is sent, and Feed pushes its pictures where the source takes them that way. Without a Picture
	// neither picture nor voice is sent.
	Picture     media.VideoSource
	Feed        func(ctx context.Context, push func([]byte)) error
	FPS         int // of Picture
	BitrateKbps int
	Microphone  string // source at the sound server; empty means the default one

	Screen   media.Screen // shows the peer's picture; whoever made it runs it
	Format   media.VideoFormat
	Speakers []string     // sinks at the sound server; none means the default one
	Log      *slog.Logger // nil discards
}

// RunAir is one time on air without an OBS, for measuring: link, senders and receivers are those of a Companion, except
// that voice and picture do not wait for each other. Which one has to depends on what OBS adds to each. It returns when ctx
// has ended and nothing is sent any more.
func RunAir(ctx context.Context, o AirOptions) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	shared := Options{PeerAsks: o.PeerAsks}
	a := goOnAir(ctx, airOptions{
		link: o.Link, resends: o.PeerAsks, keyInt: shared.keyDistance() * o.FPS,
		picture: o.Picture, shoot: o.Feed, bitrate: o.BitrateKbps, microphone: o.Microphone,
		apart: true, screen: o.Screen, format: o.Format,
		peerSeen: func(seen bool) { o.Log.Info("peer", "seen", seen) },
		changed:  func() {}, log: o.Log,
	})
	a.setSpeakers(o.Speakers)
	<-ctx.Done()
	a.stop()
}
