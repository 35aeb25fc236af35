// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

var (
	// ErrNoDevice means that a loopback node does not exist.
	ErrNoDevice = errors.New("no such device")
	// ErrNotLoopback means that a node belongs to another driver.
	ErrNotLoopback = errors.New("not a v4l2loopback device")
	// ErrNoAccess means that this user may not open a node.
	ErrNoAccess = errors.New("no permission to open the device")
	// ErrWritten means that another program writes to a node.
	ErrWritten = errors.New("another program writes to the device")
	// ErrOtherFirst means that OBS's virtual camera would open another node.
	ErrOtherFirst = errors.New("OBS's virtual camera would take another device")
	// ErrRefused means that the module does not take OBS's virtual camera.
	ErrRefused = errors.New("OBS before 31.0.4 cannot start its virtual camera with v4l2loopback 0.14 or newer")
)

// PairOptions names the two nodes of the devices route.
type PairOptions struct {
	Out string // OBS's virtual camera writes to it: "/dev/video10"
	In  string // OBS reads the peer's picture from it: "/dev/video11"
	// NeedsOutput is true for an OBS whose virtual camera skips devices that do not offer output at the moment (31.0.4 and
	// later).
	NeedsOutput bool
	// Refused is true for an OBS whose virtual camera is refused by v4l2loopback 0.14 and later (OBS before 31.0.4).
	Refused bool
	// Ours are processes that may write to the devices: the companion and OBS.
	Ours []int
}

// CheckPair returns nil if the devices route can work, and otherwise everything that prevents it, each with the next command
// to type. Call it before the virtual camera is started, because a failed start opens a modal box in OBS 30 and later.
func (m Machine) CheckPair(o PairOptions) error {
	nodes, err := m.video().Nodes()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range []string{o.Out, o.In} {
		errs = append(errs, m.checkNode(nodes, path, o))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if o.Refused && m.refusesSecondWriter() {
		return fmt.Errorf("%w: update OBS, or install v4l2loopback 0.13", ErrRefused)
	}
	pick, ok := PickVirtualCamera(nodes, o.NeedsOutput, m.refusesSecondWriter())
	if !ok || pick.Path == o.Out {
		return nil
	}
	return fmt.Errorf("%w: %s (%q) comes before %s; remove it, or make %s your --video-out",
		ErrOtherFirst, pick.Path, pick.Label, o.Out, pick.Path)
}

func (m Machine) checkNode(nodes []v4l2.Node, path string, o PairOptions) error {
	i := slices.IndexFunc(nodes, func(n v4l2.Node) bool { return n.Path == path })
	if i < 0 {
		return fmt.Errorf("%s: %w; %s", path, ErrNoDevice, m.loadHint(o))
	}
	n := nodes[i]
	switch {
	case errors.Is(n.Err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; join its group with: sudo usermod -aG video $USER (then log in again)", path, ErrNoAccess)
	case n.Err != nil:
		return fmt.Errorf("%s cannot be used: %w", path, n.Err)
	case !n.Loopback:
		return fmt.Errorf("%s (%q): %w; %s", path, n.Label, ErrNotLoopback, m.loadHint(o))
	case !n.Written():
		return nil
	}
	holders, err := m.video().Holders(path)
	if err != nil {
		return err
	}
	var others []string
	for _, h := range holders {
		if slices.Contains(o.Ours, h.PID) {
			return nil // the writer is one of us
		}
		others = append(others, h.String())
	}
	who := "a process of another user"
	if len(others) > 0 {
		who = strings.Join(others, " or ")
	}
	return fmt.Errorf("%s: %w: %s; close it", path, ErrWritten, who)
}

// loadHint says how to get the two devices.
func (m Machine) loadHint(o PairOptions) string {
	command := "costream-obs setup"
	if o.Out != "/dev/video10" || o.In != "/dev/video11" {
		command += fmt.Sprintf(" --video-out=%s --video-in=%s", o.Out, o.In)
	}
	if !m.exists("sys", "module", "v4l2loopback") {
		return "make it with: " + command
	}
	return "the kernel module is loaded with other devices; close what uses them, then: " + command
}

// refusesSecondWriter is true from v4l2loopback 0.14 on. Before that, a second program may write between the frames of the
// first. A module that does not report its version is older.
func (m Machine) refusesSecondWriter() bool {
	parts := strings.SplitN(m.text("sys", "module", "v4l2loopback", "version"), ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	return major > 0 || minor >= 14
}

// PickVirtualCamera returns the device that OBS's virtual camera would open if it were started now, and false if it would
// find none: the first, by number, that accepts its format (plugins/linux-v4l2/v4l2-output.c of OBS 29 to 32). Labels and
// settings do not matter. needsOutput is that of PairOptions; refusesSecondWriter is true for v4l2loopback 0.14 and later.
func PickVirtualCamera(nodes []v4l2.Node, needsOutput, refusesSecondWriter bool) (v4l2.Node, bool) {
	for _, n := range nodes {
		takes := n.Output
		if n.Written() {
			takes = !needsOutput && !refusesSecondWriter
		}
		if n.Err == nil && takes {
			return n, true
		}
	}
	return v4l2.Node{}, false
}
