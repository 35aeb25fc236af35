// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"os"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

// chooseRoute says which way pictures go, and why. obsPID may be 0 and the version empty.
func (c *Companion) chooseRoute(obsPID int, obs obsctl.Version) (control.Route, string) {
	switch c.o.Route {
	case control.RoutePortable:
		return control.RoutePortable, "portable route, as configured"
	case control.RouteDevices:
		return control.RouteDevices, "devices route, as configured"
	}
	if err := c.checkDevices(obsPID, obs); err != nil {
		return control.RoutePortable, "portable route, because the devices route cannot be used: " + err.Error()
	}
	return control.RouteDevices, "devices route: " + c.o.VideoOut + " and " + c.o.VideoIn + " are there"
}

// checkDevices says what stands against the devices route. The version is empty before OBS is there.
func (c *Companion) checkDevices(obsPID int, obs obsctl.Version) error {
	known := obs.OBS != obsctl.Semver{}
	return setup.Machine{}.CheckPair(setup.PairOptions{
		Out:         c.o.VideoOut,
		In:          c.o.VideoIn,
		NeedsOutput: known && obs.VirtualCamNeedsOutputCap(),
		Refused:     known && obs.VirtualCamRefused(),
		Ours:        []int{os.Getpid(), obsPID},
	})
}

func (s *session) chooseRoute() (control.Route, string) {
	route, why := s.c.chooseRoute(s.seen.pid, s.seen.version)
	if route == control.RouteDevices && s.c.o.Route != control.RouteDevices && s.feed.wants() && !s.feed.camera {
		return control.RoutePortable, "portable route, because " + errUnclean.Error()
	}
	return route, why
}
