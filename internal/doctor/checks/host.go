// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/media"
)

// kernelRelease is what uname -r prints.
func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// runProgram runs a program in the C locale, whose messages the checks know.
func runProgram(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		said := strings.TrimSpace(stderr.String())
		if said != "" {
			return stdout.String(), fmt.Errorf("%s: %s: %w", name, said, err)
		}
		return stdout.String(), fmt.Errorf("%s: %w", name, err)
	}
	return stdout.String(), nil
}

// missingElements builds each pipeline that `costream-obs run` uses, without starting it, and joins what is missing.
func missingElements() error {
	format := media.VideoFormat{W: 64, H: 64, FPSNum: 30, FPSDen: 1}
	var lost []media.MissingElement
	var errs []error
	note := func(err error) {
		var missing *media.MissingElementError
		if !errors.As(err, &missing) {
			errs = append(errs, err)
			return
		}
		for _, e := range missing.Missing {
			if !slices.Contains(lost, e) {
				lost = append(lost, e)
			}
		}
	}
	if err := media.Init(); err != nil {
		return err
	}
	for _, source := range []media.VideoSource{media.DeviceSource{Path: "/dev/video10", VideoFormat: format}, media.ImageSource{VideoFormat: format}} {
		_, err := media.NewVideoSender(media.VideoSenderOptions{Source: source, Out: func([]byte) {}})
		note(err)
	}
	_, err := media.NewVideoReceiver(media.VideoReceiverOptions{Format: format, Out: func(media.Frame) {}})
	note(err)
	_, err = media.NewDeviceScreen("/dev/video11", media.ScreenOptions{Format: format})
	note(err)
	_, err = media.NewAudioSender(media.AudioSenderOptions{Out: func([]byte) {}})
	note(err)
	_, err = media.NewAudioReceiver(media.AudioReceiverOptions{})
	note(err)
	_, err = media.NewMonitorReader(media.MonitorReaderOptions{Device: "none"})
	note(err)
	if len(lost) > 0 {
		return &media.MissingElementError{Missing: lost}
	}
	return errors.Join(errs...)
}

// gstreamer is host.gst.
func (m *Machine) gstreamer(ctx context.Context) doctor.Result {
	const why = "Pictures and sound are encoded, decoded and played by GStreamer; without these parts nothing can be sent or received."
	err := m.Elements(ctx)
	var missing *media.MissingElementError
	switch {
	case err == nil:
		return doctor.Fine("version %s", m.GStreamer())
	case errors.As(err, &missing):
		var elements, packages []string
		for _, e := range missing.Missing {
			elements = append(elements, e.Element)
			if e.Package != "" && !slices.Contains(packages, e.Package) {
				packages = append(packages, e.Package)
			}
		}
		slices.Sort(packages)
		next := "Install the GStreamer plugins that contain them; `gst-inspect-1.0 " + elements[0] + "` shows whether one is installed."
		if len(packages) > 0 {
			next = "Install what is missing: `sudo apt install " + strings.Join(packages, " ") + "`"
		}
		return doctor.Result{Status: doctor.Fail, Detail: "GStreamer lacks " + strings.Join(elements, ", ") + ".", Why: why, Next: next}
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("GStreamer cannot build our pipelines: %v.", err), Why: why,
		Next: "Reinstall its plugins: `sudo apt install --reinstall gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav`"}
}

const whyOpen = "OBS's virtual camera writes to these devices and costream-obs reads them, both as you."

// joined reports whether the user was added to a group. A program has the group's rights only after the next login.
func (m *Machine) joined(group string) bool {
	text, err := os.ReadFile(m.path("etc", "group"))
	if err != nil || m.User == "" {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == 4 && f[0] == group {
			return slices.Contains(strings.Split(f[3], ","), m.User)
		}
	}
	return false
}

// access is host.user.
func (m *Machine) access(ctx context.Context) doctor.Result {
	if m.Route == control.RoutePortable {
		return doctor.Skipped(portableChosen)
	}
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	var ours, denied []string
	for _, n := range nodes {
		if n.Path != m.VideoOut && n.Path != m.VideoIn {
			continue
		}
		ours = append(ours, n.Path)
		if errors.Is(n.Err, fs.ErrPermission) {
			denied = append(denied, n.Path)
		}
	}
	switch {
	case len(denied) > 0 && m.joined("video"):
		return doctor.Result{
			Status: doctor.Fail,
			Detail: "You may open " + strings.Join(denied, " and ") + " from your next login on: you have joined the group video since the last one.",
			Why:    whyOpen,
			Next:   "Log out and in again, or restart the machine.",
		}
	case len(denied) > 0:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: "You may not open " + strings.Join(denied, " and ") + ".",
			Why:    whyOpen,
			Next:   "Join the group that may: `sudo usermod -aG video $USER`, then log out and in again.",
		}
	case len(ours) == 0:
		return doctor.Fine("%s and %s are not there yet", m.VideoOut, m.VideoIn)
	}
	return doctor.Fine("%s", strings.Join(ours, ", "))
}

// portableChosen is why video devices are not checked.
const portableChosen = "the portable route, which was chosen, needs no kernel module and no video devices"

func nodesUnknown(err error) doctor.Result {
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The video devices cannot be listed: %v.", err),
		Why:  "OBS and costream-obs exchange pictures through video devices.",
		Next: "See what is there: `ls -l /dev/video*`; `costream-obs run --route=portable` needs none."}
}
