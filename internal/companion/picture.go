// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	virtualCamOutput = "virtualcam_output"
	// sinkOutputKind is the output of the obs-v4l2sink plugin, which can be told its device.
	sinkOutputKind = "v4l2sink"
	// jpegQuality of the portable route's pictures.
	jpegQuality = 80
)

// openPicture makes OBS's programme reach us on the chosen route.
func (s *session) openPicture(ctx context.Context) error {
	if s.camera || s.feed.wants() && !s.feed.ready {
		return nil
	}
	colours, err := s.obs.OutputColours(ctx)
	if err == nil {
		err = checkColours(colours)
	}
	if err != nil {
		return err
	}
	route, why := s.chooseRoute()
	if route == control.RouteDevices && s.feed.wants() && !s.feed.camera {
		return errUnclean
	}
	if route == control.RouteDevices {
		if err := s.openCamera(ctx); err != nil {
			if s.c.o.Route == control.RouteDevices || s.obs.Err() != nil || ctx.Err() != nil {
				return err
			}
			route, why = control.RoutePortable, fmt.Sprintf("portable route, because the virtual camera cannot be used: %v", err)
		}
	}
	s.route, s.routeWhy, s.camera = route, why, true
	s.c.display.set(s.c.life, route, s.seen.canvasFormat())
	s.log.Info("route chosen", "route", route, "why", why)
	return nil
}

// openCamera starts the output that writes to our device, and verifies which one it writes to.
func (s *session) openCamera(ctx context.Context) error {
	outputs, err := s.obs.Outputs(ctx)
	if err != nil {
		return err
	}
	for _, o := range outputs {
		if o.Kind == sinkOutputKind {
			return s.openSinkOutput(ctx, o)
		}
	}
	if err := s.noteOutput(ctx, virtualCamOutput); err != nil {
		return err
	}
	started, err := s.obs.EnsureVirtualCam(ctx, obsctl.VirtualCam{
		Device: s.c.o.VideoOut,
		Preflight: func(context.Context) error {
			return s.c.checkDevices(s.seen.pid, s.seen.version)
		},
		PID: s.seen.pid,
	})
	if !started && s.ledger.Output == virtualCamOutput && !s.seen.virtualCam {
		return errors.Join(err, s.forgetOutput(context.WithoutCancel(ctx)))
	}
	return err
}

func (s *session) openSinkOutput(ctx context.Context, o obsctl.Output) error {
	if o.Active {
		return nil
	}
	if err := s.noteOutput(ctx, o.Name); err != nil {
		return err
	}
	settings := map[string]any{"device_name": s.c.o.VideoOut, "format": "YUY2"}
	if err := s.obs.SetOutputSettings(ctx, o.Name, settings); err != nil {
		return err
	}
	return s.obs.StartOutput(ctx, o.Name)
}

// noteOutput writes down that the output is ours to stop, unless the user started it.
func (s *session) noteOutput(ctx context.Context, name string) error {
	if s.ledger.Output == name || (name == virtualCamOutput && s.seen.virtualCam) {
		return nil
	}
	s.ledger.Output = name
	return s.ledger.save(ctx)
}

func (s *session) forgetOutput(ctx context.Context) error {
	s.ledger.Output = ""
	return s.ledger.save(ctx)
}

// closePicture stops the output if we started it.
func (s *session) closePicture(ctx context.Context) error {
	s.camera = false
	switch s.ledger.Output {
	case "":
		return nil
	case virtualCamOutput:
		if err := s.obs.StopVirtualCam(ctx); err != nil && !errors.Is(err, obsctl.ErrNoVirtualCam) {
			return err
		}
	default:
		if err := s.obs.StopOutput(ctx, s.ledger.Output); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
	}
	return s.forgetOutput(ctx)
}

// prepareScreen has the display ready in the size of OBS's canvas before we go on air.
func (s *session) prepareScreen(ctx context.Context) error {
	route, _ := s.chooseRoute()
	format := s.seen.canvasFormat()
	s.c.display.set(s.c.life, route, format)
	return s.c.saveFormat(format)
}

// shooter returns the work of taking the programme's pictures, on a connection of its own: they
// would hold up all other requests.
func (s *session) shooter(format media.VideoFormat) func(context.Context, func([]byte)) error {
	obs, log, clean := s.obs, s.log, s.feed.wants()
	frame := s.seen.outputFormat().FrameTime()
	return func(ctx context.Context, push func([]byte)) error {
		shots, err := obsctl.DialScreenshots(ctx, obs.Endpoint(), obsctl.Options{Log: log})
		if err != nil {
			return err
		}
		defer func() { _ = shots.Close() }()
		ctx, finish := context.WithCancelCause(ctx)
		defer finish(nil)
		pace := shotPace{beat: &s.legs.beat, frame: frame}
		pump := media.ScreenshotPump{
			Shoot: func(ctx context.Context, w, h int) ([]byte, error) {
				pace.asked(time.Now())
				picture, err := shots.ScreenshotOf(ctx, s.sentScene(clean), w, h, "jpg", jpegQuality)
				s.legs.picture.Add(pace.came(time.Now()), legLooks)
				if refused := (*obsctl.RequestError)(nil); err != nil && !errors.As(err, &refused) {
					// The connection is of no more use.
					finish(err)
				}
				return picture, err
			},
			Format: format,
			Skipped: func(ctx context.Context) (int, error) {
				stats, err := obs.Stats(ctx)
				return stats.RenderSkipped, err
			},
			SinceDrawn: s.legs.beat.since,
			Push:       push,
			Log:        log,
		}
		if err := pump.Run(ctx); err != nil {
			return err
		}
		return context.Cause(ctx)
	}
}

// sentScene is the scene whose pictures the peer is sent.
func (s *session) sentScene(clean bool) obsctl.SourceID {
	if clean {
		return s.feed.source()
	}
	return obsctl.SourceID{Name: *s.c.program.Load()}
}
