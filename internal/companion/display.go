// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/scenes"
)

// display is the screen on which OBS sees the peer. It lives as long as the daemon; the
// media.Screen behind it is replaced when the route or OBS's canvas changes, or when it fails.
type display struct {
	videoIn  string // device of the devices route
	peerName string
	plate    string // name over the peer's picture, or empty
	log      *slog.Logger
	parts    *supervisor.Supervisor
	changed  func()

	mu      sync.Mutex
	route   control.Route
	format  media.VideoFormat
	cancel  context.CancelFunc
	done    chan struct{}
	now     media.Screen
	covered bool
}

var _ call.Screen = (*display)(nil)

func newDisplay(videoIn, peerName string, parts *supervisor.Supervisor, changed func(), log *slog.Logger) *display {
	return &display{videoIn: videoIn, peerName: peerName, parts: parts, changed: changed, log: log, covered: true}
}

// Show implements call.Screen.
func (d *display) Show(f media.Frame) {
	if s := d.current(); s != nil {
		s.Show(f)
	}
}

// Placeholder implements call.Screen.
func (d *display) Placeholder(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.covered = on
	if d.now != nil {
		d.now.Placeholder(on)
	}
}

func (d *display) current() media.Screen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// set makes the display one of that route and format. It does nothing when it is one already.
func (d *display) set(ctx context.Context, route control.Route, format media.VideoFormat) {
	format = format.Even()
	d.mu.Lock()
	same := d.cancel != nil && d.route == route && d.format == format
	d.mu.Unlock()
	if same {
		return
	}
	d.close()
	runCtx, cancel := context.WithCancel(ctx)
	d.mu.Lock()
	d.route, d.format, d.cancel, d.done = route, format, cancel, make(chan struct{})
	done := d.done
	d.mu.Unlock()
	d.parts.KeepThen(runCtx, problem.Screen, func(ctx context.Context, started func()) error {
		return d.runScreen(ctx, route, format, started)
	}, func() { close(done) })
}

func (d *display) runScreen(ctx context.Context, route control.Route, format media.VideoFormat, started func()) error {
	placeholder, err := media.NewPlaceholder(format, d.peerName)
	if err != nil {
		return err
	}
	o := media.ScreenOptions{Format: format, Placeholder: placeholder, Name: d.plate, Log: d.log}
	var s media.Screen
	if route == control.RouteDevices {
		s, err = media.NewDeviceScreen(d.videoIn, o)
	} else {
		s, err = media.NewSocketScreen("127.0.0.1:0", o)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.now = s
	s.Placeholder(d.covered)
	d.mu.Unlock()
	started()
	d.changed()
	defer func() {
		d.mu.Lock()
		d.now = nil
		d.mu.Unlock()
	}()
	return s.Run(ctx)
}

// close gives the screen up and waits for that.
func (d *display) close() {
	d.mu.Lock()
	cancel, done := d.cancel, d.done
	d.cancel = nil
	d.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// source is the OBS input that shows the display, and false while there is none.
func (d *display) source(name string) (scenes.Source, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s := d.now.(type) {
	case *media.SocketScreen:
		return scenes.Source{Name: name, Kind: "ffmpeg_source", Settings: s.MediaSourceSettings()}, true
	case *media.DeviceScreen:
		return scenes.Source{Name: name, Kind: "v4l2_input", Settings: map[string]any{"device_id": d.videoIn, "buffering": false}}, true
	}
	return scenes.Source{}, false
}

// size is the screen's format.
func (d *display) size() media.VideoFormat {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.format
}

// running is the screen's pipeline, or nil when it has none.
func (d *display) running() call.Pipeline {
	p, _ := d.current().(call.Pipeline)
	return p
}

// The last format is kept, so that the display can be there before OBS.

func (c *Companion) formatFile() string { return filepath.Join(c.o.StateDir, "screen.json") }

func (c *Companion) loadFormat() (media.VideoFormat, bool) {
	var f media.VideoFormat
	if _, err := atomicfile.ReadJSON(c.formatFile(), &f); err != nil || f.W <= 0 || f.H <= 0 || f.FPSNum <= 0 || f.FPSDen <= 0 {
		return media.VideoFormat{}, false
	}
	return f, true
}

func (c *Companion) saveFormat(f media.VideoFormat) error {
	if old, ok := c.loadFormat(); ok && old == f {
		return nil
	}
	if err := atomicfile.WriteJSON(c.formatFile(), f); err != nil {
		return fmt.Errorf("screen format: %w", err)
	}
	return nil
}
