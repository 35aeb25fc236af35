// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// DeviceScreen shows pictures on a v4l2loopback device that OBS reads. It writes during all of Run: OBS cannot open a
// loopback device without a writer, and the device's format can change only while nobody has it open.
type DeviceScreen struct {
	canvas *canvas
	open   func() (io.WriteCloser, error)
	log    *slog.Logger
}

var _ Screen = (*DeviceScreen)(nil)

// NewDeviceScreen makes a screen on a device such as /dev/video11, which Run opens. The error wraps ErrFormat.
func NewDeviceScreen(path string, o ScreenOptions) (*DeviceScreen, error) {
	return newDeviceScreen(o, func(f VideoFormat) (io.WriteCloser, error) { return openLoopback(path, f) })
}

func openLoopback(path string, f VideoFormat) (io.WriteCloser, error) {
	w, err := v4l2.OpenWriter(path, v4l2.Format{W: f.W, H: f.H, FPSNum: f.FPSNum, FPSDen: f.FPSDen, Size: f.FrameSize()})
	if unopened := (*fs.PathError)(nil); errors.As(err, &unopened) || errors.Is(err, v4l2.ErrNotWritable) {
		return nil, fmt.Errorf("%w; %s", err, hintFor(nameCamera))
	}
	return w, err
}

func newDeviceScreen(o ScreenOptions, open func(VideoFormat) (io.WriteCloser, error)) (*DeviceScreen, error) {
	o, err := o.normal()
	if err != nil {
		return nil, fmt.Errorf("device screen: %w", err)
	}
	return &DeviceScreen{
		canvas: newCanvas(o),
		open:   func() (io.WriteCloser, error) { return open(o.Format) },
		log:    o.Log,
	}, nil
}

// Show writes the picture to the device at once, unless the placeholder covers it.
func (s *DeviceScreen) Show(f Frame) { s.canvas.set(f) }

// Placeholder covers the peer's picture, or uncovers it.
func (s *DeviceScreen) Placeholder(on bool) { s.canvas.cover(on) }

// SetPlaceholder replaces the placeholder by another one of the screen's size.
func (s *DeviceScreen) SetPlaceholder(f Frame) { s.canvas.setPlaceholder(f) }

// Run keeps the device open and shows pictures until ctx ends (nil) or the device fails. It repeats the current picture if
// none comes for a while, because OBS gives up a device without new pictures for 5 frame times.
func (s *DeviceScreen) Run(ctx context.Context) (err error) {
	device, err := s.open()
	if err != nil {
		return fmt.Errorf("device screen: %w", err)
	}
	defer func() {
		if closeErr := device.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("device screen: %w", closeErr)
		}
	}()
	s.log.Debug("device screen starts", "format", s.canvas.format)
	err = s.canvas.follow(ctx, s.canvas.format.FrameTime(), func() (err error) {
		s.canvas.view(func(picture []byte) { _, err = device.Write(picture) })
		return err
	})
	if err != nil {
		return fmt.Errorf("device screen: %w", err)
	}
	return nil
}
