// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"strings"
)

// MonitoringDevice is where OBS plays monitored inputs: a PulseAudio node, by
// the id that this version of OBS uses, and the name that OBS shows.
type MonitoringDevice struct{ ID, Name string }

// defaultDevice is the id for the sound server's default.
const defaultDevice = "default"

// monitorSuffix is what the name of a sink's monitor source ends in.
const monitorSuffix = ".monitor"

// Sink returns the name of the sink that the device plays into; empty for the
// sound server's default. OBS before 29.1.0 names the sink's monitor source,
// later ones name the sink.
func (d MonitoringDevice) Sink(v Version) string {
	switch {
	case d.ID == defaultDevice || d.ID == "":
		return ""
	case v.MonitorIDIsSink():
		return d.ID
	}
	return strings.TrimSuffix(d.ID, monitorSuffix)
}

// MonitoringDevice reads the device in the current profile. OBS plays to it, unless the profile was changed since OBS loaded
// it.
func (c *Client) MonitoringDevice(ctx context.Context) (MonitoringDevice, error) {
	id, err := c.ProfileParameter(ctx, "Audio", "MonitoringDeviceId")
	if err != nil {
		return MonitoringDevice{}, err
	}
	name, err := c.ProfileParameter(ctx, "Audio", "MonitoringDeviceName")
	if err != nil {
		return MonitoringDevice{}, err
	}
	return MonitoringDevice{ID: id.Value, Name: name.Value}, nil
}

// ResetMonitoringDevice removes the device from the current profile, as if the user had never chosen one, for the next start
// of OBS. What plays now does not change: OBS reads the setting only when it loads a profile, and obs-websocket has no
// request for it (#798).
func (c *Client) ResetMonitoringDevice(ctx context.Context) error {
	if err := c.deleteProfileParameter(ctx, "Audio", "MonitoringDeviceName"); err != nil {
		return err
	}
	return c.deleteProfileParameter(ctx, "Audio", "MonitoringDeviceId")
}
