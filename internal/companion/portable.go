// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// jpegQuality of the portable route's pictures.
const jpegQuality = 80

// portable is the route that needs nothing but OBS: we ask it for screenshots, and a Media Source reads a socket of ours.
type portable struct{}

func (*portable) name() control.Route { return control.RoutePortable }

func (*portable) check(int, obsctl.Version) (string, error) { return "", nil }

func (*portable) viaCamera() bool { return false }

func (*portable) open(context.Context, *outputs) error { return nil }

func (*portable) close(context.Context, *outputs) error { return nil }

func (*portable) picture(f media.VideoFormat, shoot shooting) ourPicture {
	return ourPicture{source: media.ImageSource{VideoFormat: f}, feed: shoot}
}

func (*portable) source(name string) scenes.Source { return scenes.FromSocket(name, nil) }

func (*portable) screen(o media.ScreenOptions) (media.Screen, scenes.Source, error) {
	s, err := media.NewSocketScreen("127.0.0.1:0", o)
	if err != nil {
		return nil, scenes.Source{}, err
	}
	return s, scenes.FromSocket("", s.MediaSourceSettings()), nil
}

// screenLatency is the mean wait for OBS's next frame, and the time in which OBS reads a picture.
func (*portable) screenLatency(f media.VideoFormat) time.Duration {
	return f.FrameTime()/2 + readLatency*time.Duration(f.W*f.H)/readPixels
}

func (*portable) revival() map[string]any { return nil }

// shooter takes pictures of OBS for one time on air.
type shooter struct {
	obs      *obsctl.Client
	scene    func() obsctl.SourceID
	format   media.VideoFormat // of the pictures
	frame    time.Duration     // between two pictures of OBS
	external *externalLatency
	shutter  *shutter
	lagged   func() (int, bool) // frames that OBS missed
	log      *slog.Logger
}

// shoot uses a connection of its own, because screenshots would delay all other requests.
func (s *shooter) shoot(ctx context.Context, push func([]byte)) error {
	shots, err := obsctl.DialScreenshots(ctx, s.obs.Endpoint(), obsctl.Options{Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = shots.Close() }()
	ctx, finish := context.WithCancelCause(ctx)
	defer finish(nil)
	pace := shotPace{clock: &s.external.clock, frame: s.frame}
	s.shutter.begin()
	pump := media.ScreenshotPump{
		Shoot: func(ctx context.Context, w, h int) ([]byte, error) {
			picture, err := s.shutter.shoot(ctx, func() ([]byte, error) {
				pace.asked(time.Now())
				picture, err := shots.ScreenshotOf(ctx, s.scene(), w, h, "jpg", jpegQuality)
				s.external.picture.Add(pace.came(time.Now()), latencySamples)
				return picture, err
			})
			if refused := (*obsctl.RequestError)(nil); err != nil && !errors.As(err, &refused) {
				// The connection is broken.
				finish(err)
			}
			return picture, err
		},
		Format:     s.format,
		Skipped:    s.lagged,
		SinceDrawn: s.external.clock.since,
		Push:       push,
		Log:        s.log,
	}
	if err := pump.Run(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}
