// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"os"

	"github.com/costream-obs/costream-obs/setup"
)

// chooseRoute says which way pictures go, and why. obsPID may be 0.
func (c *Companion) chooseRoute(obsPID int, needsOutput bool) (Route, string) {
	switch c.o.Route {
	case RoutePortable:
		return RoutePortable, "portable route, as configured"
	case RouteDevices:
		return RouteDevices, "devices route, as configured"
	}
	if err := c.checkDevices(obsPID, needsOutput); err != nil {
		return RoutePortable, "portable route, because the devices route cannot be used: " + err.Error()
	}
	return RouteDevices, "devices route: " + c.o.VideoOut + " and " + c.o.VideoIn + " are there"
}

// checkDevices says what stands against the devices route.
func (c *Companion) checkDevices(obsPID int, needsOutput bool) error {
	return setup.Machine{}.CheckPair(setup.PairOptions{
		Out:         c.o.VideoOut,
		In:          c.o.VideoIn,
		NeedsOutput: needsOutput,
		Ours:        []int{os.Getpid(), obsPID},
	})
}

func (s *session) chooseRoute() (Route, string) {
	route, why := s.c.chooseRoute(s.obs.Endpoint().PID, s.obs.Version().VirtualCamNeedsOutputCap())
	if route == RouteDevices && s.c.o.Route != RouteDevices && s.wantsFeed() && !s.feedCamera {
		return RoutePortable, "portable route, because " + errUnclean.Error()
	}
	return route, why
}
