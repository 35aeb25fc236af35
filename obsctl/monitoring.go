// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
	"strings"
)

// MonitoringDevice is where OBS plays monitored inputs: a PulseAudio node, by
// the id that this version of OBS uses, and the name that OBS shows.
type MonitoringDevice struct{ ID, Name string }

// defaultDevice is the id for the sound server's default.
const defaultDevice = "default"

// monitorSuffix makes the name of a sink's monitor source of the sink's name.
const monitorSuffix = ".monitor"

// MonitoringDeviceFor returns the device that makes this version of OBS play
// into the named sink. OBS before 29.1.0 wants the sink's monitor source, and
// fails on the sink; later ones the reverse.
func MonitoringDeviceFor(v Version, sink, description string) MonitoringDevice {
	if description == "" {
		description = sink
	}
	if v.MonitorIDIsSink() {
		return MonitoringDevice{ID: sink, Name: description}
	}
	return MonitoringDevice{ID: sink + monitorSuffix, Name: "Monitor of " + description}
}

// Sink returns the name of the sink that the device plays into; empty for the
// sound server's default.
func (d MonitoringDevice) Sink(v Version) string {
	switch {
	case d.ID == defaultDevice || d.ID == "":
		return ""
	case v.MonitorIDIsSink():
		return d.ID
	}
	return strings.TrimSuffix(d.ID, monitorSuffix)
}

// MonitoringDevice reads the device that the current profile names. OBS plays
// to it unless it was changed since the profile was loaded.
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

// SetMonitoringDevice writes the device into the current profile, for the next
// start of OBS. It changes nothing that plays now.
func (c *Client) SetMonitoringDevice(ctx context.Context, d MonitoringDevice) error {
	if d.Name == "" {
		d.Name = d.ID
	}
	if d.ID == defaultDevice || d.ID == "" {
		// The profile of someone who never chose a device does not name one.
		if err := c.DeleteProfileParameter(ctx, "Audio", "MonitoringDeviceName"); err != nil {
			return err
		}
		return c.DeleteProfileParameter(ctx, "Audio", "MonitoringDeviceId")
	}
	now, err := c.MonitoringDevice(ctx)
	if err != nil || now == d {
		return err
	}
	if err := c.SetProfileParameter(ctx, "Audio", "MonitoringDeviceName", d.Name); err != nil {
		return err
	}
	return c.SetProfileParameter(ctx, "Audio", "MonitoringDeviceId", d.ID)
}

// ApplyMonitoringDevice makes OBS play monitored inputs to d, now and after
// the next start. obs-websocket has no request for that (#798), and OBS reads
// the setting only when it loads a profile; so this switches to a temporary
// profile and back, in the order that avoids the ways in which that can crash
// OBS or open a dialog. Idle outputs are recreated and hotkeys reloaded by it.
//
// One danger is left: a stream that the user starts within those 0.2 s can
// crash OBS, whose outputs are being replaced. Where that cannot be ruled out,
// use SetMonitoringDevice and move OBS's playback streams in the sound server.
//
// exists must say whether the named sink exists (its monitor source, for an
// OBS before 29.1.0): OBS aborts later if it is set to a missing node while
// something is monitored.
//
// ErrOutputActive: something streams, records or runs the virtual camera;
// ErrNoSuchSink; ErrTempProfile: call RepairProfile. Nothing was changed with
// any of them, unless the error says that OBS was left on another profile.
// Once begun, the sequence is finished even when ctx ends.
func (c *Client) ApplyMonitoringDevice(ctx context.Context, d MonitoringDevice,
	exists func(ctx context.Context, sink string) (bool, error)) error {
	if err := c.noOutputActive(ctx); err != nil {
		return err
	}
	if sink := d.Sink(c.version); sink != "" {
		there, err := exists(ctx, sink)
		if err != nil {
			return fmt.Errorf("monitoring device %s: %w", d.ID, err)
		}
		if !there {
			return fmt.Errorf("%w: %s; OBS was left as it is", ErrNoSuchSink, sink)
		}
	}
	way, err := c.planDetour(ctx)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), detourTimeout)
	defer cancel()
	if err := c.SetPersistentData(ctx, detourSlot, way); err != nil {
		return err
	}
	err = c.goDetour(ctx, way, d)
	if backErr := c.endDetour(ctx, way); backErr != nil && err != nil {
		return fmt.Errorf("%w; and on the way back: %w", err, backErr)
	} else if backErr != nil {
		return backErr
	}
	return err
}

func (c *Client) noOutputActive(ctx context.Context) error {
	outputs, err := c.Outputs(ctx)
	if err != nil {
		return err
	}
	for _, o := range outputs {
		if o.Active {
			return fmt.Errorf("%w: %s", ErrOutputActive, o.Name)
		}
	}
	return nil
}
