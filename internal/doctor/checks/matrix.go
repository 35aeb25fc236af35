// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"strings"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/obsctl"
)

// span is a range of versions: from, if not zero, to just before below, if not zero.
type span struct{ from, below obsctl.Semver }

func (s span) holds(v obsctl.Semver) bool {
	var zero obsctl.Semver
	return v.AtLeast(s.from) && (s.below == zero || !v.AtLeast(s.below))
}

func (s span) any() bool { return s == span{} }

// A pair is a combination of versions that is known not to work. obs is the version of its virtual camera, see
// obsctl.Version.VirtualCam.
type pair struct {
	loopback, obs, kernel span
	status                doctor.Status
	detail                string
	why                   string
	next                  string
	sources               string // where it was read
}

func ver(major, minor, patch int) obsctl.Semver {
	return obsctl.Semver{Major: major, Minor: minor, Patch: patch}
}

// badPairs are tried in order; the first that fits is reported. Each version was looked up in the tags of obs-studio and
// v4l2loopback.
var badPairs = []pair{
	{
		loopback: span{from: ver(0, 14, 0)}, obs: span{below: ver(31, 0, 4)}, status: doctor.Fail,
		detail:  "this OBS cannot start its virtual camera with v4l2loopback 0.14 or newer",
		why:     "OBS before 31.0.4 starts the device in a way that the module refuses since 0.14, so no picture gets out of OBS.",
		next:    "Update OBS to 31.0.4 or newer (Debian fixed its 30.2.3 in 30.2.3+dfsg-3), or v4l2loopback back to 0.13 (`apt policy v4l2loopback-dkms` shows what there is), or use `costream-obs run --route=portable`.",
		sources: "v4l2loopback #622; obs-studio #11891, #12001; fixed by 12c6febae (PR #11906) in 31.1.0, debf39723 in 31.0.4, and in Debian's 30.2.3+dfsg-3",
	},
	{
		loopback: span{below: ver(0, 15, 3)}, kernel: span{from: ver(6, 18, 0)}, status: doctor.Fail,
		detail:  "v4l2loopback before 0.15.3 does not build for, or crashes, Linux 6.18 and newer",
		why:     "A crash in the kernel can bring down the whole machine.",
		next:    "Update v4l2loopback to 0.15.3 or newer, or start the machine with an older kernel.",
		sources: "v4l2loopback NEWS 0.15.2, 0.15.3; #653",
	},
	{
		loopback: span{below: ver(0, 13, 0)}, obs: span{from: ver(31, 0, 4), below: ver(32, 2, 0)}, status: doctor.Warn,
		detail:  "with this OBS the virtual camera may not start a second time on v4l2loopback 0.12",
		why:     "Going on air again would then fail until the module is reloaded.",
		next:    "Update v4l2loopback to 0.13 or newer, or OBS to 32.2 or newer; until then, if it happens: `sudo modprobe -r v4l2loopback && costream-obs setup`",
		sources: "12c6febae (31.1.0), debf39723 (31.0.4); obs-studio #12506, #12965; fixed by 403f075a4 in 32.2.0",
	},
	{
		loopback: span{below: ver(0, 13, 0)}, obs: span{below: ver(29, 0, 0)}, status: doctor.Warn,
		detail:  "this OBS can start its virtual camera only once on v4l2loopback 0.12",
		why:     "Going on air again fails until the module is reloaded.",
		next:    "Update OBS to 29.0 or newer.",
		sources: "obs-studio #4808; v4l2loopback #442; fixed by fca624ea4 in 29.0.0",
	},
}

// findPair returns the first bad pair of these versions. An unknown version is only in unlimited ranges.
func findPair(loopback, obs, kernel *obsctl.Semver) (pair, bool) {
	fits := func(s span, v *obsctl.Semver) bool { return s.any() || v != nil && s.holds(*v) }
	for _, p := range badPairs {
		if fits(p.loopback, loopback) && fits(p.obs, obs) && fits(p.kernel, kernel) {
			return p, true
		}
	}
	return pair{}, false
}

// obsVersion is the version of the running OBS, or else of the installed one; nil if neither is known.
func (m *Machine) obsVersion(ctx context.Context) *obsctl.Version {
	if obs, err := m.OBS(ctx); err == nil {
		return &obs.Version
	}
	if m.RemoteOBS {
		return nil
	}
	if said, err := m.Exec(ctx, "obs", "--version"); err == nil { // "OBS Studio - 29.0.2.1-1+b1 (linux)"
		_, text, _ := strings.Cut(said, " - ")
		text, _, _ = strings.Cut(text, " ")
		if version := parseVersion(text); version != nil {
			installed := obsctl.Installed(m.Root, *version)
			return &installed
		}
	}
	if version := parseVersion(m.sandboxedVersion(ctx)); version != nil {
		return &obsctl.Version{OBS: *version} // They are built from the OBS project's own source.
	}
	return nil
}

// sandboxedVersion is the version of OBS's Flatpak, or else of its Snap, or empty.
func (m *Machine) sandboxedVersion(ctx context.Context) string {
	if said, err := m.Exec(ctx, "flatpak", "info", flatpakApp); err == nil {
		for line := range strings.Lines(said) {
			if key, value, _ := strings.Cut(strings.TrimSpace(line), ":"); key == "Version" {
				return strings.TrimSpace(value)
			}
		}
	}
	if said, err := m.Exec(ctx, "snap", "list", "obs-studio"); err == nil {
		for line := range strings.Lines(said) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "obs-studio" {
				return f[1]
			}
		}
	}
	return ""
}

func parseVersion(text string) *obsctl.Semver {
	v, err := obsctl.ParseSemver(text)
	if err != nil {
		return nil
	}
	return &v
}

// versions is v4l2.module.version.
func (m *Machine) versions(ctx context.Context) doctor.Result {
	text, _ := m.loaded()
	loopback := parseVersion(text)
	obs := m.obsVersion(ctx)
	known := "v4l2loopback " + text
	var camera *obsctl.Semver
	if obs != nil {
		version := obs.VirtualCam()
		camera = &version
		known += ", OBS " + obs.OBS.String()
		if version != obs.OBS {
			known += " with the virtual camera of " + version.String()
		}
	}
	bad, found := findPair(loopback, camera, parseVersion(m.Kernel))
	known += ", Linux " + m.Kernel
	if found {
		return doctor.Result{Status: bad.status, Detail: fmt.Sprintf("%s: %s.", known, bad.detail), Why: bad.why, Next: bad.next}
	}
	if obs == nil {
		return doctor.Fine("%s; OBS's version is not known", known)
	}
	return doctor.Fine("%s", known)
}
