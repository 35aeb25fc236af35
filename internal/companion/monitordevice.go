// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

// The monitoring device is OBS's only for as long as we need it: it is applied to the running OBS,
// and the profile names the user's device again at once. Were ours to stay in the profile, an OBS
// that starts without us would play to a sink that is not there, which can crash it (measured,
// 29.0.2). Where it cannot be applied, microphones are moved to our sink one by one (routeMics).

// The way through the temporary profile takes 0.1 to 0.2 s, 1 s on a busy machine. It is taken as
// soon as OBS is there, before a person can click anything. A stream that is started on it all the
// same stops at once, since that profile has no service (measured, 29.0.2): it is started again.

// startOptions are the arguments that make OBS start an output by itself after its start.
var startOptions = []string{"--startstreaming", "--startrecording", "--startvirtualcam", "--startreplaybuffer"}

// startsByItself reports whether OBS was told to go on air as soon as it has started.
func (s *session) startsByItself() bool {
	for _, p := range obsctl.FindProcesses("") {
		if p.PID == s.obs.Endpoint().PID {
			return slices.ContainsFunc(p.Args, func(arg string) bool { return slices.Contains(startOptions, arg) })
		}
	}
	return false
}

// restartStream starts the stream that the way through the temporary profile spoilt.
func (s *session) restartStream(ctx context.Context) error {
	if !s.seen.spoilt || s.seen.detour || s.seen.phase != obsctl.Stopped {
		return nil
	}
	s.log.Warn("the stream was started just while the monitoring device was being set, and stopped: starting it again")
	if err := s.obs.StartStream(ctx); err != nil {
		return err
	}
	s.seen.spoilt = false
	return nil
}

// setMonitoringDevice makes OBS play monitored inputs to our sink, where that is safe.
func (s *session) setMonitoringDevice(ctx context.Context) error {
	if s.device || s.c.o.MicSource != "" || s.seen.streaming || s.seen.recording || s.seen.virtualCam || !s.c.sound.ready() {
		return nil
	}
	if s.startsByItself() {
		return nil
	}
	if len(s.seen.monitored) > 0 {
		// The user listens to something by it: it stays theirs until we go on air.
		return nil
	}
	if s.changes.Device == nil {
		s.changes.Device = make(map[string]obsctl.MonitoringDevice)
	}
	if _, noted := s.changes.Device[s.seen.profile]; !noted {
		users, err := s.obs.MonitoringDevice(ctx)
		if err != nil {
			return err
		}
		s.changes.Device[s.seen.profile] = users
		if err := s.changes.save(ctx, s.obs); err != nil {
			return err
		}
	}
	ours := obsctl.MonitoringDeviceFor(s.obs.Version(), ToPeerSink, toPeerDescription)
	err := s.obs.ApplyMonitoringDevice(ctx, ours, s.c.sound.exists)
	if errors.Is(err, obsctl.ErrOutputActive) {
		err = nil
	} else if err == nil {
		s.device = true
		s.log.Info("OBS's monitoring device is set", "sink", ToPeerSink)
	}
	return errors.Join(err, s.nameUsersDevice(ctx))
}

// nameUsersDevice makes the profile name the user's device again, without applying it.
func (s *session) nameUsersDevice(ctx context.Context) error {
	users, noted := s.changes.Device[s.seen.profile]
	if !noted {
		return nil
	}
	if err := s.obs.SetMonitoringDevice(ctx, users); err != nil {
		return err
	}
	delete(s.changes.Device, s.seen.profile)
	return s.changes.save(ctx, s.obs)
}

// resetMonitoringDevice makes OBS play monitored inputs to the user's device again.
func (s *session) resetMonitoringDevice(ctx context.Context) error {
	if err := s.nameUsersDevice(ctx); err != nil {
		return err
	}
	if !s.device {
		return nil
	}
	s.device = false
	users, err := s.obs.MonitoringDevice(ctx)
	if err != nil {
		return err
	}
	err = s.obs.ApplyMonitoringDevice(ctx, users, s.c.sound.exists)
	if errors.Is(err, obsctl.ErrOutputActive) {
		return fmt.Errorf("OBS plays monitored inputs to the sink %s until it is restarted: %w", ToPeerSink, err)
	}
	if err != nil {
		return err
	}
	return s.obs.SetMonitoringDevice(ctx, users)
}

// repairProfile takes OBS back from the temporary profile that a crash left.
func (s *session) repairProfile(ctx context.Context) error {
	if s.seen.streaming || s.seen.recording || s.seen.virtualCam {
		return nil
	}
	repaired, err := s.obs.RepairProfile(ctx, "")
	if err != nil {
		return err
	}
	if repaired {
		s.log.Info("OBS is back from a temporary profile that an earlier run left")
		s.seen.all()
	}
	return nil
}
