// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
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

// detourTimeout bounds the way through the temporary profile; 0.1-0.2 s
// measured on an idle machine.
const detourTimeout = 45 * time.Second

// ApplyMonitoringDevice makes OBS play monitored inputs to d, now and after
// the next start. obs-websocket has no request for that (#798), and OBS reads
// the setting only when it loads a profile; so this switches to a temporary
// profile and back, in the order that avoids the ways in which that can crash
// OBS or open a dialog. Idle outputs are recreated and hotkeys reloaded by it.
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

// TempProfile is the name of the profile that ApplyMonitoringDevice switches
// to for a moment. One that is found later is a leftover of a crash.
const TempProfile = "costream-tmp"

// detourSlot is where what must be put back is written down, in OBS, before
// anything is changed, so that a crash of either side can be repaired.
const detourSlot = "costream-obs.detour"

// detour is the user's state around the temporary profile.
type detour struct {
	Profile      string            `json:"profile"`
	SampleRate   string            `json:"sampleRate"`
	ChannelSetup string            `json:"channelSetup"`
	Monitored    map[string]string `json:"monitored"` // input to obs-websocket's monitoring type
}

func (c *Client) planDetour(ctx context.Context) (detour, error) {
	current, all, err := c.Profiles(ctx)
	if err != nil {
		return detour{}, err
	}
	if slices.Contains(all, TempProfile) {
		return detour{}, fmt.Errorf("%w, or it was left over: it must be repaired first", ErrTempProfile)
	}
	rate, err := c.ProfileParameter(ctx, "Audio", "SampleRate")
	if err != nil {
		return detour{}, err
	}
	channels, err := c.ProfileParameter(ctx, "Audio", "ChannelSetup")
	if err != nil {
		return detour{}, err
	}
	monitored, err := c.Monitored(ctx)
	if err != nil {
		return detour{}, err
	}
	way := detour{Profile: current, SampleRate: rate.Value, ChannelSetup: channels.Value, Monitored: map[string]string{}}
	for input, kind := range monitored {
		way.Monitored[input] = kind.wire()
	}
	return way, nil
}

// goDetour goes as far as the temporary profile.
func (c *Client) goDetour(ctx context.Context, way detour, d MonitoringDevice) error {
	for _, input := range slices.Sorted(maps.Keys(way.Monitored)) {
		if err := c.SetMonitorType(ctx, input, MonitorOff); err != nil && !IsCode(err, CodeNotFound) {
			return err
		}
	}
	if err := c.SetMonitoringDevice(ctx, d); err != nil {
		return err
	}
	return c.createProfile(ctx, TempProfile)
}

// endDetour brings OBS back to the user's profile and puts everything back. It
// can begin anywhere on the way, and be repeated.
func (c *Client) endDetour(ctx context.Context, way detour) error {
	current, all, err := c.settledProfiles(ctx)
	if err != nil {
		return err
	}
	if current == TempProfile {
		if err := c.leaveTempProfile(ctx, way); err != nil {
			return fmt.Errorf("%w: choose Profile > %s in OBS: %w", ErrTempProfile, way.Profile, err)
		}
	}
	if slices.Contains(all, TempProfile) {
		if err := c.removeProfile(ctx, TempProfile); err != nil && !IsCode(err, CodeNotFound) {
			return err
		}
	}
	for _, input := range slices.Sorted(maps.Keys(way.Monitored)) {
		kind, known := monitorTypes[way.Monitored[input]]
		if !known {
			continue
		}
		if err := c.SetMonitorType(ctx, input, kind); err != nil && !IsCode(err, CodeNotFound) {
			return err
		}
	}
	return c.SetPersistentData(ctx, detourSlot, nil)
}

// settledProfiles is Profiles for when a request of a lost connection may still
// be at work: OBS names the new profile as the current one before it has
// loaded it, and would write parameters into the old one (measured, 29.0.2).
// The loaded file says by its own name which it is.
func (c *Client) settledProfiles(ctx context.Context) (current string, all []string, err error) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		current, all, err = c.Profiles(ctx)
		if err != nil {
			return "", nil, err
		}
		loaded, err := c.ProfileParameter(ctx, "General", "Name")
		if err != nil || loaded.Value == current {
			return current, all, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return "", nil, fmt.Errorf("OBS does not finish loading the profile %q: %w", current, ctx.Err())
		}
	}
}

// leaveTempProfile first gives the temporary profile the user's sample rate
// and channels: where they differ OBS asks "Restart?" in a modal dialog, and
// SetCurrentProfile hangs (measured on 29.0.2).
func (c *Client) leaveTempProfile(ctx context.Context, way detour) error {
	for name, value := range map[string]string{"SampleRate": way.SampleRate, "ChannelSetup": way.ChannelSetup} {
		if value == "" {
			continue
		}
		if err := c.SetProfileParameter(ctx, "Audio", name, value); err != nil {
			return err
		}
	}
	if err := c.setProfile(ctx, way.Profile); err != nil {
		return err
	}
	current, _, err := c.Profiles(ctx)
	if err == nil && current != way.Profile {
		err = fmt.Errorf("OBS went to the profile %q", current)
	}
	return err
}

// RepairProfile puts right what a crash within ApplyMonitoringDevice left: it
// goes back to the user's profile, removes the temporary one and restores the
// monitoring types. fallback names the profile to go to when nothing was
// written down. It does nothing, and repaired is false, when all is well.
func (c *Client) RepairProfile(ctx context.Context, fallback string) (repaired bool, err error) {
	current, all, err := c.Profiles(ctx)
	if err != nil {
		return false, err
	}
	var way detour
	recorded, err := c.PersistentData(ctx, detourSlot, &way)
	if err != nil {
		return false, err
	}
	if !recorded && !slices.Contains(all, TempProfile) {
		return false, nil
	}
	if current == TempProfile {
		others := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == TempProfile })
		switch {
		case slices.Contains(others, way.Profile):
		case slices.Contains(others, fallback):
			way.Profile = fallback
		case len(others) == 1:
			way.Profile = others[0]
		default:
			return false, fmt.Errorf("%w and it is not known which of %q to go back to: choose one in OBS's menu Profile",
				ErrTempProfile, others)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), detourTimeout)
	defer cancel()
	if err := c.endDetour(ctx, way); err != nil {
		return false, err
	}
	return true, nil
}
