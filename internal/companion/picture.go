// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
)

// picture brings OBS's programme to us on a route, and keeps the screen for the peer on the same route.
type picture struct {
	obs     pictureOBS
	outputs outputs
	routes  *routes
	screen  routedScreen
	feed    *cleanFeed
	seen    *observed
	log     *slog.Logger

	route   route // the last one that was opened, or nil
	why     string
	arrives bool // OBS's pictures arrive
}

// pictureOBS is what picture itself needs of OBS.
type pictureOBS interface {
	OutputColours(ctx context.Context) (obsctl.Colours, error)
	Err() error
}

// routedScreen is the screen for the peer.
type routedScreen interface {
	set(r route, f media.VideoFormat)
	saveFormat(f media.VideoFormat) error
}

// note takes in events that end OBS's pictures.
func (p *picture) note(ev obsctl.Event) {
	if e, is := ev.(obsctl.VirtualCamState); is && !e.Active {
		p.arrives = p.arrives && !p.route.viaCamera()
	}
}

// open makes OBS's programme arrive on the chosen route.
func (p *picture) open(ctx context.Context) error {
	if p.arrives || p.feed.wants() && !p.feed.ready {
		return nil
	}
	colours, err := p.obs.OutputColours(ctx)
	if err == nil {
		err = checkColours(colours)
	}
	if err != nil {
		return err
	}
	route, why := p.choose()
	if route.viaCamera() && p.feed.unclean() {
		return errUnclean
	}
	p.outputs.clean = p.feed.wants()
	if err := route.open(ctx, &p.outputs); err != nil {
		if p.routes.configured == route.name() || p.obs.Err() != nil || ctx.Err() != nil {
			return err
		}
		route, why = p.routes.portable, fmt.Sprintf("portable route, because the virtual camera cannot be used: %v", err)
	}
	p.route, p.why, p.arrives = route, why, true
	p.screen.set(route, p.seen.canvasFormat())
	p.log.Info("route chosen", "route", route.name(), "why", why)
	return nil
}

// choose returns the route to use, and why.
func (p *picture) choose() (route, string) {
	return p.routes.choose(p.seen.pid, p.seen.version, p.feed.unclean())
}

// close undoes what the routes did in OBS.
func (p *picture) close(ctx context.Context) error {
	p.arrives = false
	for _, r := range p.routes.all() {
		if err := r.close(ctx, &p.outputs); err != nil {
			return err
		}
	}
	return nil
}

// prepareScreen opens the screen in the size of OBS's canvas before we go on air.
func (p *picture) prepareScreen(context.Context) error {
	route, _ := p.choose()
	format := p.seen.canvasFormat()
	p.screen.set(route, format)
	return p.screen.saveFormat(format)
}

// used is the route in the report, and why it was chosen.
func (p *picture) used() (control.Route, string) {
	if p.route == nil {
		return "", ""
	}
	return p.route.name(), p.why
}
