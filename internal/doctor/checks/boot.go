// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/setup"
)

// bootFiles is v4l2.conf.
func (m *Machine) bootFiles(context.Context) doctor.Result {
	boot := setup.Machine{Root: m.Root}.Boot()
	why := "After a restart of the machine the video devices will be missing or different, and the devices route will not work."
	next := "Let `costream-obs setup` write both files."
	wrong := func(format string, args ...any) doctor.Result {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf(format, args...), Why: why, Next: next}
	}
	numbers, numbersFile := boot.Option("video_nr")
	caps, capsFile := boot.Option("exclusive_caps")
	var files []string
	for _, f := range boot.Options {
		files = append(files, f.Path)
	}
	want := m.numbers()
	switch {
	case boot.LoadedBy == "" && len(files) == 0:
		return wrong("Nothing loads v4l2loopback when the machine starts, and nothing sets its options.")
	case boot.LoadedBy == "":
		return wrong("Nothing loads v4l2loopback when the machine starts.")
	case len(files) == 0:
		return wrong("%s loads v4l2loopback when the machine starts, but nothing sets its options.", boot.LoadedBy)
	case !containsBoth(numbers, want):
		if len(files) > 1 {
			next = fmt.Sprintf("Remove the v4l2loopback line from %s, or let `costream-obs setup` write both files.", cmp.Or(numbersFile, files[len(files)-1]))
		}
		return wrong("The options in %s give video_nr=%s, not %s.", strings.Join(files, " and "), orNone(numbers), want)
	case !bothExclusive(caps):
		return wrong("The options in %s give exclusive_caps=%s; each of the two devices needs a value of its own.", cmp.Or(capsFile, strings.Join(files, " and ")), orNone(caps))
	}
	if file := boot.Initramfs; file != "" {
		return doctor.Fine("%s, %s; and in the initramfs by %s: after each change run `sudo update-initramfs -u`", boot.LoadedBy, strings.Join(files, ", "), file)
	}
	return doctor.Fine("%s, %s", boot.LoadedBy, strings.Join(files, ", "))
}

func orNone(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// containsBoth reports whether a list of numbers holds both of ours, "10,11".
func containsBoth(list, ours string) bool {
	numbers := strings.Split(list, ",")
	for _, n := range strings.Split(ours, ",") {
		if !slices.Contains(numbers, n) {
			return false
		}
	}
	return true
}

// bothExclusive reports whether exclusive_caps is on for both devices. The value is a list, and a device that is not in it
// has it off (measured, 0.12.7).
func bothExclusive(value string) bool {
	on := 0
	for _, v := range strings.Split(value, ",") {
		if slices.Contains([]string{"1", "y", "Y"}, v) {
			on++
		}
	}
	return on >= 2
}
