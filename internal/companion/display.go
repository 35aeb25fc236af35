// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/scenes"
)

// display is the screen on which OBS sees the peer. It lives as long as the companion; the media.Screen behind it is
// replaced when the route or OBS's canvas changes, or when it fails.
type display struct {
	formatFile string
	peerName   string
	plate      string // name over the peer's picture, or empty
	log        *slog.Logger
	parts      *supervisor.Supervisor
	changed    func()
	life       context.Context // of the companion; set needs it

	mu      sync.Mutex
	route   route
	format  media.VideoFormat
	cancel  context.CancelFunc
	done    chan struct{}
	now     media.Screen
	input   scenes.Source // the OBS input that shows it, without its name
	covered bool
	here    bool           // the peer says that it is on air
	cards   [2]media.Frame // for the screen: the placeholder while the peer is not there, and while it is; empty until drawn
}

var _ call.Screen = (*display)(nil)

func newDisplay(formatFile, peerName string, parts *supervisor.Supervisor, changed func(), log *slog.Logger) *display {
	return &display{formatFile: formatFile, peerName: peerName, parts: parts, changed: changed, log: log, covered: true}
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

// set changes the screen to that route and format, if it differs.
func (d *display) set(r route, format media.VideoFormat) {
	format = format.Even()
	d.mu.Lock()
	same := d.cancel != nil && d.route == r && d.format == format
	d.mu.Unlock()
	if same {
		return
	}
	d.close()
	runCtx, cancel := context.WithCancel(d.life)
	d.mu.Lock()
	d.route, d.format, d.cancel, d.done = r, format, cancel, make(chan struct{})
	done := d.done
	d.mu.Unlock()
	d.parts.KeepThen(runCtx, problem.Screen, func(ctx context.Context, started func()) error {
		return d.runScreen(ctx, r, format, started)
	}, func() { close(done) })
}

func (d *display) runScreen(ctx context.Context, r route, format media.VideoFormat, started func()) error {
	placeholder, err := media.NewPlaceholder(format, d.peerName)
	if err != nil {
		return err
	}
	s, input, err := r.screen(media.ScreenOptions{Format: format, Placeholder: placeholder, Name: d.plate, Log: d.log})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.now, d.input, d.cards = s, input, [2]media.Frame{placeholder}
	s.Placeholder(d.covered)
	d.mu.Unlock()
	started()
	d.changed()
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		d.drawHere(format)
	}()
	defer func() {
		d.mu.Lock()
		d.now = nil
		d.mu.Unlock()
		<-drawn
	}()
	return s.Run(ctx)
}

// drawHere draws the second placeholder while the screen runs already, because that takes up to half a second.
func (d *display) drawHere(format media.VideoFormat) {
	card, err := media.NewHereCard(format, d.peerName)
	if err != nil {
		d.log.Warn("the placeholder does not say that your friend is here", "error", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cards[1] = card
	d.applyHere()
}

// setHere says on the placeholder whether the peer is on air with us.
func (d *display) setHere(here bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if here != d.here {
		d.here = here
		d.applyHere()
	}
}

// applyHere sets the placeholder. The mutex is held.
func (d *display) applyHere() {
	card := d.cards[0]
	if d.here {
		card = d.cards[1]
	}
	if d.now != nil && len(card.Data) > 0 {
		d.now.SetPlaceholder(card)
	}
}

// close ends the screen and waits for that.
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

// source is the OBS input that shows the screen, and false while there is no screen.
func (d *display) source(name string) (scenes.Source, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil {
		return scenes.Source{}, false
	}
	input := d.input
	input.Name = name
	return input, true
}

// revival are settings that restart an OBS input that does not show the screen, or nil if none needs that.
func (d *display) revival() map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.route == nil {
		return nil
	}
	return d.route.revival()
}

// size is the screen's format.
func (d *display) size() media.VideoFormat {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.format
}

// running is the screen's pipeline, or nil if it has none.
func (d *display) running() call.Pipeline {
	p, _ := d.current().(call.Pipeline)
	return p
}

// saveFormat stores the screen's format, so that the next run can open the screen before OBS is there.
func (d *display) saveFormat(f media.VideoFormat) error {
	if old, ok := d.loadFormat(); ok && old == f {
		return nil
	}
	if err := atomicfile.WriteJSON(d.formatFile, f); err != nil {
		return fmt.Errorf("screen format: %w", err)
	}
	return nil
}

// loadFormat reads what was stored.
func (d *display) loadFormat() (media.VideoFormat, bool) {
	var f media.VideoFormat
	if _, err := atomicfile.ReadJSON(d.formatFile, &f); err != nil || f.W <= 0 || f.H <= 0 || f.FPSNum <= 0 || f.FPSDen <= 0 {
		return media.VideoFormat{}, false
	}
	return f, true
}
