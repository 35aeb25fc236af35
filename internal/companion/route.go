// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
	"github.com/costream-obs/costream-obs/setup"
)

// route is a way by which pictures travel between OBS and us. It has no state, because it is needed before OBS is there; what
// it changes in OBS is noted in outputs.
type route interface {
	name() control.Route
	// check returns what the route has found, or an error that says why it cannot be used. The version is empty before OBS is
	// there.
	check(obsPID int, v obsctl.Version) (found string, err error)
	// viaCamera reports whether we get the picture of OBS's virtual camera.
	viaCamera() bool

	// open makes OBS send us its pictures.
	open(ctx context.Context, o *outputs) error
	// close undoes open, also that of an earlier run.
	close(ctx context.Context, o *outputs) error
	// picture is the source of OBS's pictures. Routes that must ask OBS for each picture use shoot.
	picture(f media.VideoFormat, shoot shooting) ourPicture

	// source is the OBS input for the peer's picture, without settings that only a running screen has.
	source(name string) scenes.Source
	// screen makes the screen that OBS reads the peer's picture from. The source is the OBS input that reads it, without
	// its name.
	screen(o media.ScreenOptions) (media.Screen, scenes.Source, error)
	// screenLatency is the time from when the screen shows a picture until OBS's programme has it.
	screenLatency(f media.VideoFormat) time.Duration
	// revival are settings that restart an OBS input that shows nothing, when they are set and taken back. It is nil if no
	// input needs that.
	revival() map[string]any
}

// shooting pushes pictures until ctx ends.
type shooting func(ctx context.Context, push func([]byte)) error

// ourPicture is what the peer is sent.
type ourPicture struct {
	source  media.VideoSource
	feed    shooting
	latency time.Duration // from the programme to us; 0 if only feed can measure it
}

// RouteSettings are what the choice of a route depends on, apart from OBS.
type RouteSettings struct {
	Route control.Route
	// VideoOut and VideoIn are the devices that OBS writes to and reads from.
	VideoOut, VideoIn string
	// CleanFeed sends the peer the programme without the peer's own picture.
	CleanFeed bool
	// Pair says why the devices cannot be used, or nil if they can. It is nil where setup should look.
	Pair func(setup.PairOptions) error
	// OnCamera reports whether the virtual camera of an OBS shows the scene for the peer. It is nil where OBS's files should
	// be read.
	OnCamera func(obsPID int) bool
}

// Choose returns the route that run takes with an OBS, and why. Without an OBS the process id is 0 and the version empty.
func (s RouteSettings) Choose(obsPID int, v obsctl.Version) (name control.Route, why string) {
	route, why := s.choose(obsPID, v)
	return route.name(), why
}

// PeerSource is the OBS input for the peer's picture on the route that run takes with an OBS. A running costream-obs adds
// the settings that only it knows.
func (s RouteSettings) PeerSource(name string, obsPID int, v obsctl.Version) scenes.Source {
	route, _ := s.choose(obsPID, v)
	return route.source(name)
}

func (s RouteSettings) choose(obsPID int, v obsctl.Version) (route, string) {
	onCamera := s.OnCamera
	if onCamera == nil {
		onCamera = feedOnCamera
	}
	routes := s.routes()
	return routes.choose(obsPID, v, s.CleanFeed && !onCamera(obsPID))
}

func (s RouteSettings) routes() routes {
	pair := s.Pair
	if pair == nil {
		pair = setup.Machine{}.CheckPair
	}
	return routes{devices: &devices{out: s.VideoOut, in: s.VideoIn, pair: pair}, portable: new(portable), configured: s.Route}
}

// routes are all that there are.
type routes struct {
	devices, portable route
	configured        control.Route
}

func (r *routes) all() []route { return []route{r.devices, r.portable} }

// choose returns the route to use, and why. obsPID may be 0 and the version empty. unclean: OBS's virtual camera shows the
// programme although the peer is to get the clean feed.
func (r *routes) choose(obsPID int, v obsctl.Version, unclean bool) (route, string) {
	for _, route := range r.all() {
		if r.configured == route.name() {
			return route, string(route.name()) + " route, as configured"
		}
	}
	found, err := r.devices.check(obsPID, v)
	if err != nil {
		return r.portable, "portable route, because the devices route cannot be used: " + err.Error()
	}
	if unclean {
		return r.portable, "portable route, because " + errUnclean.Error()
	}
	return r.devices, "devices route: " + found
}
