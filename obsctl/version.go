// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/general"
)

// Semver is a version of OBS or obs-websocket. What follows the numbers ("-rc1", "+dfsg1") is dropped: a release candidate
// behaves like its release.
type Semver struct{ Major, Minor, Patch int }

// ParseSemver reads "29.0.2", "30.2.3-1-gabc", "32.2.0-rc1" and the like. At
// least a major number is needed; missing parts are 0.
func ParseSemver(s string) (Semver, error) {
	core, _, _ := strings.Cut(strings.TrimSpace(s), "-")
	core, _, _ = strings.Cut(core, "+")
	var parts [3]int
	for i, text := range strings.SplitN(core, ".", 4) {
		if i == len(parts) {
			break
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return Semver{}, fmt.Errorf("version %q is not of the form 29.0.2", s)
		}
		parts[i] = n
	}
	return Semver{parts[0], parts[1], parts[2]}, nil
}

// Compare returns -1, 0 or 1 as v is older than, equal to or newer than o.
func (v Semver) Compare(o Semver) int {
	return cmp.Or(cmp.Compare(v.Major, o.Major), cmp.Compare(v.Minor, o.Minor), cmp.Compare(v.Patch, o.Patch))
}

// AtLeast reports whether v is o or newer.
func (v Semver) AtLeast(o Semver) bool { return v.Compare(o) >= 0 }

// String returns the form "29.0.2".
func (v Semver) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Version is what OBS reported about itself when the connection was made.
type Version struct {
	OBS       Semver
	WebSocket Semver
	// CameraPatched reports whether the virtual camera has the change of 31.0.4 (12c6febae), which its plugin's file shows;
	// false if that could not be read.
	CameraPatched bool
	// ImageFormats are the formats that Screenshot takes, such as "jpg".
	ImageFormats []string
	// Requests are the names of the requests that this OBS knows.
	Requests []string
}

// Supports reports whether this OBS knows the named request.
func (v Version) Supports(request string) bool { return slices.Contains(v.Requests, request) }

func (c *Client) readVersion(ctx context.Context) (Version, error) {
	r, err := call(ctx, c, "GetVersion", func(g *goobs.Client) (*general.GetVersionResponse, error) {
		return g.General.GetVersion()
	})
	if err != nil {
		return Version{}, err
	}
	obs, err := ParseSemver(r.ObsVersion)
	if err != nil {
		return Version{}, fmt.Errorf("GetVersion: OBS's %w", err)
	}
	ws, err := ParseSemver(r.ObsWebSocketVersion)
	if err != nil {
		return Version{}, fmt.Errorf("GetVersion: obs-websocket's %w", err)
	}
	return Version{OBS: obs, WebSocket: ws, ImageFormats: r.SupportedImageFormats, Requests: r.AvailableRequests}, nil
}

// oldest is the first OBS with obs-websocket 5 built in.
var oldest = Semver{28, 0, 0}

// gate names a behaviour that came with a version of OBS, and may have ended with a later one.
type gate int

const (
	monitorIDIsSink gate = iota
	virtualCamModalOnFailure
	virtualCamNeedsOutputCap
	mutedIsMonitored
	muteButtonMonitorsOnly
	createSceneNeedsWindow
	itemNeedsWindow
	undrawnScreenshotHangs
	deduplicates
	deduplicatesOneCapture
	takesUUIDs
	readsCollections
)

// gates is the one place that says which versions of OBS have which behaviour. Each entry was looked up in the tags of
// obs-studio; the commit or issue is next to it.
var gates = [...]struct{ since, until Semver }{
	monitorIDIsSink:          {since: Semver{29, 1, 0}},                          // 73dea7c47; measured on 29.0.2 and 30.2.3
	virtualCamModalOnFailure: {since: Semver{30, 0, 0}},                          // QMessageBox in BasicOutputHandler::StartVirtualCam
	virtualCamNeedsOutputCap: {since: Semver{31, 0, 4}},                          // 12c6febae, debf39723 in 31.0.4: V4L2_CAP_VIDEO_OUTPUT in device_caps; Debian's 30.2.3 too
	mutedIsMonitored:         {since: Semver{32, 2, 0}},                          // e8a8ac545; obs-studio #13234, #13725
	muteButtonMonitorsOnly:   {since: Semver{32, 1, 0}, until: Semver{32, 2, 0}}, // a42a6c4c5, 04d36e09b: VolumeControl::handleMuteButton; obs-studio #13234
	deduplicates:             {since: Semver{32, 0, 0}},                          // 9bb940acd; measured on 32.2.2
	deduplicatesOneCapture:   {since: Semver{32, 0, 4}},                          // monitoring_duplicating_source in obs-source.c; measured on 32.2.2
	undrawnScreenshotHangs:   {since: Semver{29, 1, 0}},                          // 246826856: set_async_texture_size in async_tick; measured on 30.2.3 and 32.2.2, never on 29.0.2
	takesUUIDs:               {since: Semver{30, 1, 0}},                          // obs-websocket 5.4.0, and 30.1.0 has 5.4.2: Request::ValidateSource; measured on 30.2.3 and 32.2.2
	readsCollections:         {until: Semver{31, 0, 0}},                          // EnumSceneCollections; measured on 29.0.2
	itemNeedsWindow:          {since: Semver{31, 0, 0}},                          // a crash seen on 32.2.2, never on 29.0.2 and 30.2.3; 31 is to be safe
	createSceneNeedsWindow:   {since: Semver{32, 1, 0}},                          // AudioMixer in OBSBasic::OBSInit; measured on 32.2.2
}

func (v Version) has(g gate) bool {
	in := gates[g]
	return v.OBS.AtLeast(in.since) && (in.until == Semver{} || !v.OBS.AtLeast(in.until))
}

// VirtualCam is the version of OBS whose virtual camera this one has: its own, or 31.0.4 if a distribution added that change
// to an older OBS.
func (v Version) VirtualCam() Semver {
	if fixed := (Semver{31, 0, 4}); v.CameraPatched && !v.OBS.AtLeast(fixed) {
		return fixed
	}
	return v.OBS
}

// VirtualCamRefused reports whether v4l2loopback 0.14 and later refuse this OBS's virtual camera (before 31.0.4). The same
// change ended both.
func (v Version) VirtualCamRefused() bool { return !v.VirtualCamNeedsOutputCap() }

// MonitorIDIsSink reports whether the monitoring device id is the name of a
// PulseAudio sink (OBS 29.1.0 and later) and not of a source.
func (v Version) MonitorIDIsSink() bool { return v.has(monitorIDIsSink) }

// VirtualCamModalOnFailure reports whether a virtual camera that cannot start
// opens a modal error box in OBS (30.0.0 and later).
func (v Version) VirtualCamModalOnFailure() bool { return v.has(virtualCamModalOnFailure) }

// VirtualCamNeedsOutputCap reports whether the virtual camera skips nodes that
// do not report V4L2_CAP_VIDEO_OUTPUT (31.0.4 and later).
func (v Version) VirtualCamNeedsOutputCap() bool {
	return v.VirtualCam().AtLeast(gates[virtualCamNeedsOutputCap].since)
}

// UndrawnScreenshotHangs reports whether OBS can stop for good when a screenshot
// is taken of a video source that it does not draw otherwise, just when the
// source's picture gets another size (29.1.0 and later). Its graphics thread
// then has the source's lock and waits for the graphics lock (async_tick,
// set_async_texture_size); the screenshot has the graphics lock and waits for
// the source's (obs_source_get_frame). A source that OBS has drawn since its
// last tick is drawn again without its lock.
func (v Version) UndrawnScreenshotHangs() bool { return v.has(undrawnScreenshotHangs) }

// MutedIsMonitored reports whether a muted input is still heard through
// monitoring (32.2.0 and later).
func (v Version) MutedIsMonitored() bool { return v.has(mutedIsMonitored) }

// MuteButtonMonitorsOnly reports whether the mute button in OBS's mixer does
// not mute an input that is monitored and streamed, but monitors it only
// (32.1.x). The mixer then shows it as muted, but InputMuted is false and no
// MuteChanged comes. The mute hotkey and SetInputMuted mute as ever.
func (v Version) MuteButtonMonitorsOnly() bool { return v.has(muteButtonMonitorsOnly) }
