// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// detourTimeout bounds the way through the temporary profile; 0.1-0.2 s
// measured on an idle machine.
const detourTimeout = 45 * time.Second

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
