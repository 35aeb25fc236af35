// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// VirtualCam says how the virtual camera must be started.
type VirtualCam struct {
	// Device is the device that OBS must write to, such as "/dev/video10". OBS cannot be told: it takes the first that it
	// can open. Empty: any.
	Device string
	// Preflight is asked before the start whether OBS would succeed, on Device.
	// From OBS 30.0.0 a failure opens a modal dialog, so an error of Preflight
	// prevents the start.
	Preflight func(ctx context.Context) error
	// PID is OBS's process id, to find out which device it opened. With 0 the caller must do that.
	PID int
	// ProcRoot replaces /proc when not empty.
	ProcRoot string
}

// virtualCamTimeout is how long OBS may take until the camera is active; 45 ms measured.
const virtualCamTimeout = 2 * time.Second

// EnsureVirtualCam makes sure that the virtual camera runs and writes to the
// wanted device; started says whether it was started here. There is one
// attempt and no repetition.
//
// ErrVirtualCamDead: OBS could open no device. ErrWrongDevice: it took another
// one. With any error, also that of a ctx that ends meanwhile, the camera is
// stopped again if it was started here.
func (c *Client) EnsureVirtualCam(ctx context.Context, cam VirtualCam) (started bool, err error) {
	active, err := c.VirtualCamActive(ctx)
	if err != nil {
		return false, err
	}
	if active {
		return false, cam.verify(nil)
	}
	if cam.Preflight != nil {
		if err := cam.Preflight(ctx); err != nil {
			return false, err
		}
	}
	before, _ := OpenVideoDevices(cam.PID, cam.ProcRoot)
	if err := c.startVirtualCam(ctx, cam, before); err != nil {
		// It may be running, or about to run, nevertheless.
		return false, errors.Join(err, c.StopVirtualCam(context.WithoutCancel(ctx)))
	}
	return true, nil
}

func (c *Client) startVirtualCam(ctx context.Context, cam VirtualCam, before []string) error {
	if err := c.StartVirtualCam(ctx); err != nil {
		return err
	}
	if err := c.awaitVirtualCam(ctx); err != nil {
		return err
	}
	return cam.verify(before)
}

// awaitVirtualCam asks until the camera is active. OBS always reports success, and sends no event if the start fails.
func (c *Client) awaitVirtualCam(ctx context.Context) error {
	deadline := time.After(virtualCamTimeout)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		active, err := c.VirtualCamActive(ctx)
		if err != nil || active {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("%w: it could open no v4l2loopback device (look for \"v4l2\" in OBS's log, Help > Log Files)",
				ErrVirtualCamDead)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// verify checks the devices that OBS has open. before are those that it had open before the camera was started. If the
// process cannot be examined, the result is nil.
func (cam VirtualCam) verify(before []string) error {
	if cam.Device == "" || cam.PID == 0 {
		return nil
	}
	open, err := OpenVideoDevices(cam.PID, cam.ProcRoot)
	if err != nil || slices.Contains(open, cam.Device) {
		return nil
	}
	others := slices.DeleteFunc(open, func(device string) bool { return slices.Contains(before, device) })
	got := strings.Join(others, ", ")
	if got == "" {
		got = "none that shows in /proc"
	}
	return fmt.Errorf("%w: %s instead of %s: OBS takes the free loopback device with the lowest number; "+
		"give that number to no other loopback device, or close the program that holds %s",
		ErrWrongDevice, got, cam.Device, cam.Device)
}

// OpenVideoDevices lists the /dev/video* nodes that a process has open, sorted.
// It needs to run as the same user. procRoot replaces /proc when not empty.
func OpenVideoDevices(pid int, procRoot string) ([]string, error) {
	dir := filepath.Join(orProc(procRoot), strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open devices of process %d: %w", pid, err)
	}
	var devices []string
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err == nil && strings.HasPrefix(target, "/dev/video") {
			devices = append(devices, target)
		}
	}
	slices.Sort(devices)
	return slices.Compact(devices), nil
}
