// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/setup"
)

// node returns the video node of that path.
func node(nodes []v4l2.Node, path string) (v4l2.Node, bool) {
	i := slices.IndexFunc(nodes, func(n v4l2.Node) bool { return n.Path == path })
	if i < 0 {
		return v4l2.Node{}, false
	}
	return nodes[i], true
}

// named is a device with its label.
func named(n v4l2.Node) string {
	if n.Label == "" {
		return n.Path
	}
	return fmt.Sprintf("%s (%q)", n.Path, n.Label)
}

// pair is v4l2.dev.pair.
func (m *Machine) pair(ctx context.Context) doctor.Result {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	var there []string
	for _, n := range nodes {
		if n.Loopback {
			there = append(there, named(n))
		}
	}
	has := "no loopback device at all"
	if len(there) > 0 {
		has = strings.Join(there, ", ")
	}
	for _, device := range []struct{ path, use string }{
		{m.VideoOut, "OBS's picture for the peer"}, {m.VideoIn, "the peer's picture for OBS"},
	} {
		n, found := node(nodes, device.path)
		switch {
		case !found:
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("There is no %s, the device for %s. v4l2loopback is loaded with %s.", device.path, device.use, has),
				Why:    m.whyModule(),
				Next: fmt.Sprintf("Let `costream-obs setup` add it (it asks before it touches devices that are in use), or name devices that are there with --video-out and --video-in. By hand: close what uses the devices, then `sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback video_nr=%s card_label=costream-topeer,costream-frompeer exclusive_caps=1,1`",
					m.numbers()),
			}
		case !n.Loopback && n.Err == nil:
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("%s is no loopback device but a real one, and cannot carry %s.", named(n), device.use),
				Why:    m.whyModule(),
				Next:   "Choose other numbers, for example `costream-obs setup --video-out=/dev/video20 --video-in=/dev/video21`, and give the same ones to `costream-obs run`.",
			}
		case n.Err != nil && !errors.Is(n.Err, fs.ErrPermission):
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("%s cannot be opened: %v.", device.path, n.Err),
				Why:    m.whyModule(),
				Next:   "See what the kernel says about it: `sudo dmesg | tail`; reloading the module often helps: `sudo modprobe -r v4l2loopback && costream-obs setup`",
			}
		}
	}
	return doctor.Fine("%s, %s", m.VideoOut, m.VideoIn)
}

// order is v4l2.dev.order.
func (m *Machine) order(ctx context.Context) doctor.Result {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	refuses := false
	if version, _ := m.loaded(); version != "" {
		v := parseVersion(version)
		refuses = v != nil && v.AtLeast(ver(0, 14, 0))
	}
	needsOutput := false
	if obs := m.obsVersion(ctx); obs != nil {
		needsOutput = obs.VirtualCamNeedsOutputCap()
	}
	// While our device is written to, OBS skips it; what matters is whether another one comes first.
	out, _ := node(nodes, m.VideoOut)
	pick, found := setup.PickVirtualCamera(nodes, needsOutput, refuses)
	if !found || pick.Number >= out.Number {
		return doctor.Fine("%s is the first", m.VideoOut)
	}
	const why = "OBS's virtual camera takes the free loopback device with the lowest number; neither its name nor a setting changes that. The peer would get no picture."
	next := fmt.Sprintf("Close or uninstall the program that made it (from v4l2loopback 0.13 on, `sudo v4l2loopback-ctl delete %s` removes it). Or use it: `costream-obs setup --video-out=%s`, and the same for `costream-obs run`.", pick.Path, pick.Path)
	if pick.Label == "OBS Virtual Camera" {
		next = "OBS made it itself because v4l2loopback was not loaded when it started. Close OBS, then `sudo modprobe -r v4l2loopback && costream-obs setup`, then start OBS."
	}
	return doctor.Result{Status: doctor.Fail,
		Detail: fmt.Sprintf("OBS's virtual camera would write to %s, which comes before %s.", named(pick), m.VideoOut), Why: why, Next: next}
}

// exclusive is v4l2.dev.excl.
func (m *Machine) exclusive(ctx context.Context) doctor.Result {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	var open []string
	for _, path := range []string{m.VideoOut, m.VideoIn} {
		n, found := node(nodes, path)
		if !found || n.Err != nil || !n.Output || !n.Capture {
			continue
		}
		// While it is open, a device with exclusive_caps shows both capabilities, too (measured, 0.12.7). Then the options
		// with which the module was loaded decide.
		holders, err := v4l2.System{Root: m.Root}.Holders(path)
		if held := err != nil || len(holders) > 0; !held || !m.loadedExclusive(n.Number) {
			open = append(open, path)
		}
	}
	if len(open) == 0 {
		return doctor.Fine("exclusive_caps is on for both")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("%s can be read and written at once: exclusive_caps is off for it (`exclusive_caps=1` covers only the first device).", strings.Join(open, " and ")),
		Why:    "OBS's virtual camera may take the peer's device when its own is busy, and some browsers do not see such a device as a camera.",
		Next:   "Close OBS and costream-obs, and let `costream-obs setup` make it again (with `exclusive_caps=1,1`, one value for each device).",
	}
}

// loadedExclusive reports whether the module's options, which are lists for the devices that it made, switch exclusive_caps
// on for a device. A device that is not in the list is unknown, and counts as on.
func (m *Machine) loadedExclusive(number int) bool {
	list := func(name string) []string {
		text, err := os.ReadFile(m.path("sys/module/v4l2loopback/parameters", name))
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(text)), ",")
	}
	i := slices.Index(list("video_nr"), fmt.Sprint(number))
	caps := list("exclusive_caps")
	return i < 0 || i >= len(caps) || caps[i] == "Y"
}

// controls is v4l2.dev.keepformat.
func (m *Machine) controls(context.Context) doctor.Result {
	for _, path := range []string{m.VideoOut, m.VideoIn} {
		c, err := m.Controls(path)
		if err != nil {
			return doctor.Skipped("the controls of %s cannot be read (%v)", path, err)
		}
		if c.KeepFormat {
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("The control keep_format of %s is on.", path),
				Why:    "The device keeps its last picture size and refuses any other, so after a change of size in OBS there is no picture.",
				Next:   fmt.Sprintf("Switch it off: `v4l2-ctl -d %s -c keep_format=0` (package v4l-utils).", path),
			}
		}
		if c.Timeout > 0 {
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("The control timeout of %s is on (%d ms).", path, c.Timeout),
				Why:    "The device inserts substitute pictures, and each adds delay (v4l2loopback #671).",
				Next:   fmt.Sprintf("Switch it off: `v4l2-ctl -d %s -c timeout=0` (package v4l-utils).", path),
			}
		}
	}
	return doctor.Fine("keep_format and timeout are off")
}

// Names of the programs that may write to our devices.
var (
	obsNames = []string{"obs", "obs-studio", ".obs-wrapped"}
	ownNames = []string{"costream-obs"}
)

// holders is v4l2.dev.holders.
func (m *Machine) holders(ctx context.Context) doctor.Result {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	var also []string
	for _, device := range []struct {
		path   string
		writer []string
	}{{m.VideoOut, obsNames}, {m.VideoIn, ownNames}} {
		n, _ := node(nodes, device.path)
		holders, err := v4l2.System{Root: m.Root}.Holders(device.path)
		if err != nil {
			return doctor.Skipped("it is not known which programs have the devices open (%v)", err)
		}
		rightful := false
		var others []v4l2.Holder
		for _, h := range holders {
			switch {
			case slices.Contains(device.writer, h.Command):
				rightful = true
			case !slices.Contains(obsNames, h.Command) && !slices.Contains(ownNames, h.Command):
				others = append(others, h)
			}
		}
		if n.Written() && !rightful {
			return foreignWriter(device.path, others)
		}
		if n.MaxOpeners > 0 && len(holders) >= n.MaxOpeners {
			return doctor.Result{
				Status: doctor.Fail,
				Detail: fmt.Sprintf("%d programs have %s open, which is the limit.", len(holders), device.path),
				Why:    "OBS or costream-obs cannot open it once more.",
				Next:   fmt.Sprintf("Close what you do not need; `fuser -v %s` lists them.", device.path),
			}
		}
		for _, h := range others {
			also = append(also, fmt.Sprintf("%s reads %s", h, device.path))
		}
	}
	if len(also) > 0 {
		return doctor.Fine("%s", strings.Join(also, ", "))
	}
	return doctor.Fine("")
}

func foreignWriter(path string, holders []v4l2.Holder) doctor.Result {
	r := doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("A program of another user writes to %s.", path),
		Why:    "Two writers on one device cause flicker or, from v4l2loopback 0.14, no picture at all.",
		Next:   fmt.Sprintf("See which one and close it: `sudo fuser -v %s`", path),
	}
	if len(holders) == 0 {
		return r
	}
	var names, pids []string
	for _, h := range holders {
		names = append(names, h.String())
		pids = append(pids, fmt.Sprint(h.PID))
	}
	r.Detail = fmt.Sprintf("%s writes to %s.", strings.Join(names, " or "), path)
	r.Next = fmt.Sprintf("Close it, or `kill %s`", strings.Join(pids, " "))
	return r
}

// deviceState is v4l2.dev.state.
func (m *Machine) deviceState(ctx context.Context) doctor.Result {
	d, err := m.Daemon(ctx)
	if err != nil || d.Report.Route != control.RouteDevices || !m.onAir(ctx) {
		return doctor.Fine("not on air on the devices route now")
	}
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return nodesUnknown(err)
	}
	out, _ := node(nodes, m.VideoOut)
	const why = "costream-obs is on air, but the peer gets no picture from this device."
	if out.Format == "" {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("Nothing writes to %s.", m.VideoOut), Why: why,
			Next: "Stop and start streaming in OBS once; if it stays so, see obs.vcam.device below."}
	}
	obs, err := m.OBS(ctx)
	if err != nil {
		return doctor.Fine("%s carries %s", m.VideoOut, out.Format)
	}
	size := fmt.Sprintf(":%dx%d@", obs.Video.OutputW, obs.Video.OutputH)
	if !strings.Contains(out.Format, size) {
		return doctor.Result{Status: doctor.Fail,
			Detail: fmt.Sprintf("%s carries %s, but OBS outputs %dx%d.", m.VideoOut, out.Format, obs.Video.OutputW, obs.Video.OutputH), Why: why,
			Next: "Another program has set the format: close what v4l2.dev.holders names, then stop and start streaming in OBS once."}
	}
	return doctor.Fine("%s carries %s", m.VideoOut, out.Format)
}
