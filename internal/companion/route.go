// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// route is a way by which pictures cross the border between OBS and us. It holds no state: it is there before OBS, and what
// it does in OBS is noted in outputs.
type route interface {
	name() control.Route
	// check says what the route was found to have, or what stands against it. The version is empty before OBS is there.
	check(obsPID int, v obsctl.Version) (found string, err error)
	// viaCamera says that what we get is what OBS's virtual camera shows.
	viaCamera() bool

	// open has OBS give us its pictures.
	open(ctx context.Context, o *outputs) error
	// close undoes that, also for an earlier run.
	close(ctx context.Context, o *outputs) error
	// picture is where we take OBS's pictures from. shoot asks OBS for pictures and pushes them, for routes that need that.
	picture(f media.VideoFormat, shoot shooting) ourPicture

	// screen makes the screen that OBS reads the peer's picture from, and says which input of OBS does, except for its name.
	screen(o media.ScreenOptions) (media.Screen, scenes.Source, error)
	// screenLeg is by how much later than we show a picture OBS has it in its programme.
	screenLeg(f media.VideoFormat) time.Duration
	// revival are settings that, set and taken back, bring an input of OBS's to life that shows nothing, nil where none does.
	revival() map[string]any
}

// shooting pushes pictures until ctx ends.
type shooting func(ctx context.Context, push func([]byte)) error

// ourPicture is what the peer is sent.
type ourPicture struct {
	source media.VideoSource
	feed   shooting
	leg    time.Duration // by how much later than the programme we have it; 0 where only feed finds out
}

// routes are all there are.
type routes struct {
	devices, portable route
	configured        control.Route
}

func (r *routes) all() []route { return []route{r.devices, r.portable} }

// choose says which way pictures go, and why. obsPID may be 0 and the version empty.
func (r *routes) choose(obsPID int, v obsctl.Version) (route, string) {
	for _, route := range r.all() {
		if r.configured == route.name() {
			return route, string(route.name()) + " route, as configured"
		}
	}
	found, err := r.devices.check(obsPID, v)
	if err != nil {
		return r.portable, "portable route, because the devices route cannot be used: " + err.Error()
	}
	return r.devices, "devices route: " + found
}
