// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// DeviceScreen shows pictures on a v4l2loopback device that OBS reads. It
// writes from the start of Run to its end, because a loopback device without a
// writer cannot be opened by OBS, and because its format may only change while
// nobody holds it.
type DeviceScreen struct {
	machine
	canvas *canvas
	frames *pipe.Source
	shown  chan struct{} // has a value when a picture was pushed on arrival
}

var _ Screen = (*DeviceScreen)(nil)

// NewDeviceScreen makes a screen on a device such as /dev/video11. The error
// wraps ErrFormat or a *MissingElementError.
func NewDeviceScreen(path string, o ScreenOptions) (*DeviceScreen, error) {
	return newDeviceScreen(loopbackSink(path), o)
}

// loopbackSink writes to a v4l2loopback device.
func loopbackSink(path string) node {
	return element("v4l2sink", prop("name", nameLoop), prop("device", path), "sync=false", "async=false")
}

func newDeviceScreen(sink node, o ScreenOptions) (*DeviceScreen, error) {
	const what = "device screen"
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	m, err := newMachine(what, deviceScreenGraph(sink, o.Format), o.Log)
	if err != nil {
		return nil, err
	}
	s := &DeviceScreen{machine: m, canvas: newCanvas(o), shown: make(chan struct{}, 1)}
	if s.frames, err = m.pipe.Source(nameFrames); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

func deviceScreenGraph(sink node, f VideoFormat) graph {
	return row(
		element("appsrc", prop("name", nameFrames), "is-live=true", "format=time", "do-timestamp=true",
			"max-buffers=1", "leaky-type=downstream",
			prop("caps", fmt.Sprintf("video/x-raw,format=I420,width=%d,height=%d,framerate=%d/%d,pixel-aspect-ratio=1/1,colorimetry=bt709",
				f.W, f.H, f.FPSNum, f.FPSDen))),
		// The values must pass unchanged, whatever colour matrix the loopback
		// device claims.
		element("videoconvert", "matrix-mode=none"),
		// Rows of YUY2 need no padding at any even width, so writer, module and
		// OBS agree on the layout.
		caps(fmt.Sprintf("video/x-raw,format=YUY2,width=%d,height=%d,framerate=%d/%d", f.W, f.H, f.FPSNum, f.FPSDen)),
		// v4l2sink's own buffers do not negotiate with all versions of the
		// module (v4l2loopback #97, #83).
		element("identity", "drop-allocation=true"),
		sink,
	)
}

// Run holds the device and shows pictures until ctx ends (nil) or the device
// fails.
func (s *DeviceScreen) Run(ctx context.Context) error { return s.run(ctx, s.feed) }

// Show puts the picture on the device at once, unless the placeholder covers
// it.
func (s *DeviceScreen) Show(f Frame) {
	if !s.canvas.set(f) {
		return
	}
	s.push()
	select {
	case s.shown <- struct{}{}:
	default:
	}
}

// Placeholder covers the peer's picture, or uncovers it.
func (s *DeviceScreen) Placeholder(on bool) { s.canvas.cover(on) }

// feed repeats the picture on show whenever none came for a while: OBS takes a
// device that is silent for 5 pictures for dead.
func (s *DeviceScreen) feed(ctx context.Context) {
	frame := s.canvas.format.FrameTime()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.shown:
			timer.Reset(2 * frame)
		case <-timer.C:
			s.push()
			timer.Reset(frame)
		}
	}
}

func (s *DeviceScreen) push() {
	w, h := s.canvas.format.W, s.canvas.format.H
	_, size := i420Planes(w, h)
	var err error
	s.canvas.view(func(picture []byte) {
		err = s.frames.PushFunc(size, func(dst []byte) { pad(dst, picture, w, h) })
	})
	if err != nil && !errors.Is(err, pipe.ErrNotRunning) {
		s.log.Debug("picture refused", "what", s.what, "err", err)
	}
}
