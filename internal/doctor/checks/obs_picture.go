// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
	"github.com/costream-obs/costream-obs/setup"
)

// cameraAvailable is obs.vcam.avail.
func (m *Machine) cameraAvailable(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if obs.HasCamera {
		return doctor.Fine("")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: "OBS has no virtual camera, because v4l2loopback was not loaded when OBS started.",
		Why:    "OBS looks for the module once, when it starts; its picture gets to the video device through the virtual camera.",
		Next:   "Restart OBS.",
	}
}

// cameraType is obs.vcam.type. There is no request for it; it is in OBS's file.
func (m *Machine) cameraType(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	shows, err := m.shownByCamera(ctx, obs)
	switch {
	case errors.Is(err, errNoFiles):
		return doctor.Skipped("%v", err)
	case err != nil:
		return doctor.Skipped("OBS's files do not say (%v)", err)
	case shows == showsFeed:
		return doctor.Fine("the programme without the peer, as far as OBS's files tell")
	case shows == "" && m.CleanFeed && m.Route == control.RouteDevices:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: "OBS's virtual camera shows the programme, which may include the peer.",
			Why:    "The peer is to get the programme without their own picture, so they get nothing on the devices route.",
			Next:   "Prepare OBS for it: `costream-obs setup clean-feed`",
		}
	case shows == "" && m.CleanFeed && m.Route == control.RouteAuto:
		return doctor.Fine("with the peer in it, so pictures take the portable route; `costream-obs setup clean-feed` prepares the devices route")
	case shows == "":
		return doctor.Fine("as far as OBS's files tell")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("OBS's virtual camera shows %s, not the programme.", shows),
		Why:    "The peer would get that instead of what your viewers see.",
		Next:   "In OBS click the gear beside \"Start Virtual Camera\" and choose Output Type: Program.",
	}
}

// errNoFiles is the state of an OBS whose files we cannot see.
var errNoFiles = errors.New("OBS's files are not available")

// shownByCamera is what OBS's files say that its virtual camera shows, "" for the programme.
func (m *Machine) shownByCamera(ctx context.Context, obs OBS) (string, error) {
	processes, _ := m.Processes(ctx)
	for _, p := range processes {
		if p.PID != obs.PID {
			continue
		}
		file, err := collection.Dir{Path: filepath.Join(m.path(p.ConfigHome), "obs-studio")}.Open(obs.Collection)
		if err != nil {
			return "", err
		}
		doc, err := file.Read()
		if err != nil {
			return "", err
		}
		return cameraShows(doc.Get(collection.CameraPath), obs.Version.OBS), nil
	}
	return "", errNoFiles
}

// showsFeed is what the virtual camera outputs after setup clean-feed.
const showsFeed = "the scene for the peer"

// cameraShows says in words what the virtual camera outputs by a scene collection's settings, if that is not the programme.
// OBS 30.0.0 has new keys; a new value other than 0 takes precedence over the old ones.
func cameraShows(settings json.RawMessage, version obsctl.Semver) string {
	var c struct {
		Type     int    `json:"type"`
		Internal int    `json:"internal"`
		Type2    int    `json:"type2"`
		Scene    string `json:"scene"`
	}
	if settings == nil || json.Unmarshal(settings, &c) != nil {
		return ""
	}
	scene := "one scene"
	if cleanfeed.MayBeOurs(c.Scene) {
		scene = showsFeed
	}
	if version.AtLeast(ver(30, 0, 0)) && c.Type2 != 0 {
		return map[int]string{1: scene, 2: "one source", 4: "the preview"}[c.Type2]
	}
	switch {
	case c.Type == 1:
		return scene
	case c.Type == 2:
		return "one source"
	case c.Internal == 1:
		return "the preview"
	}
	return ""
}

// cameraDevice is obs.vcam.device.
func (m *Machine) cameraDevice(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	if !obs.CameraOn {
		return doctor.Fine("it is off now")
	}
	open, err := obsctl.OpenVideoDevices(obs.PID, m.path("proc"))
	if obs.PID == 0 || err != nil {
		return doctor.Skipped("it is not known which devices OBS has open")
	}
	if slices.Contains(open, m.VideoOut) {
		return doctor.Fine("%s", m.VideoOut)
	}
	others := slices.DeleteFunc(open, func(path string) bool { return path == m.VideoIn })
	detail := fmt.Sprintf("OBS's virtual camera is on but does not write to %s.", m.VideoOut)
	if len(others) > 0 {
		detail = fmt.Sprintf("OBS's virtual camera is on and writes to %s, not to %s.", strings.Join(others, " or "), m.VideoOut)
	}
	return doctor.Result{
		Status: doctor.Fail, Detail: detail,
		Why:  "It keeps its device until it is stopped, and the peer gets no picture.",
		Next: "Click \"Stop Virtual Camera\" in OBS; costream-obs starts it when you go on air. If it takes the other device again, see v4l2.dev.order and v4l2.dev.holders above.",
	}
}

// smoothPortable is how many pixels a second the portable route carries: 1920x1080 at 30 (measured, two cores, software GL).
const smoothPortable = 1920 * 1080 * 30

// video is obs.video.
func (m *Machine) video(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	v := obs.Video
	rate := float64(v.FPSNum) / float64(v.FPSDen)
	picture := fmt.Sprintf("%dx%d at %.4g frames a second", v.OutputW, v.OutputH, rate)
	const next = "In OBS open Settings → Video and choose a lower \"Common FPS Values\" or \"Output (Scaled) Resolution\"."
	if rate > 60 {
		return doctor.Result{Status: doctor.Fail, Detail: "OBS outputs " + picture + ".",
			Why: "More than 60 frames a second are hardly visible and cost each side CPU time and bitrate.", Next: next}
	}
	pixels := float64(v.OutputW*v.OutputH) * rate
	if pixels > smoothPortable && m.portable(ctx) {
		return doctor.Result{Status: doctor.Fail, Detail: "OBS outputs " + picture + ", which is more than the portable route carries smoothly (about 1920x1080 at 30).",
			Why: "The peer would see fewer frames a second than your viewers.", Next: next + " Or use the devices route: `costream-obs setup`"}
	}
	return doctor.Fine("%s", picture)
}

// portable reports whether pictures go by the portable route.
func (m *Machine) portable(ctx context.Context) bool {
	name, _ := m.route(ctx).Choose(0, obsctl.Version{})
	return name == control.RoutePortable
}

// route is the route of the costream-obs that is on air, or else the one that would be chosen.
func (m *Machine) route(ctx context.Context) companion.RouteSettings {
	s := companion.RouteSettings{
		Route: m.Route, VideoOut: m.VideoOut, VideoIn: m.VideoIn, CleanFeed: m.CleanFeed,
		Pair: func(setup.PairOptions) error { return m.bothThere(ctx) },
		OnCamera: func(int) bool {
			obs, err := m.OBS(ctx)
			if err != nil {
				return false
			}
			shows, err := m.shownByCamera(ctx, obs)
			return err == nil && shows == showsFeed
		},
	}
	if d, err := m.Daemon(ctx); err == nil && d.Report.Route != "" {
		s.Route = d.Report.Route
	}
	return s
}

// bothThere says why one of the devices cannot be used. Other checks look at the rest.
func (m *Machine) bothThere(ctx context.Context) error {
	nodes, err := m.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, path := range []string{m.VideoOut, m.VideoIn} {
		if n, found := node(nodes, path); !found || !n.Loopback {
			return setup.ErrNoDevice
		}
	}
	return nil
}

// peerSource is obs.source.
func (m *Machine) peerSource(ctx context.Context) doctor.Result {
	obs, err := m.OBS(ctx)
	if err != nil {
		return unknownOBS(err)
	}
	var sources []Input
	for _, in := range obs.Inputs {
		if in.Kind != kindDevice && in.Kind != kindMedia {
			continue
		}
		if in.Settings[scenes.MarkKey] != nil || in.Settings["device_id"] == m.VideoIn || in.Name == obs.Peer.Input {
			sources = append(sources, in)
		}
	}
	var names []string
	for _, in := range sources {
		names = append(names, fmt.Sprintf("%q", in.Name))
		if in.Kind == kindDevice && in.Settings["buffering"] != false {
			return m.buffered(in)
		}
	}
	switch {
	case len(sources) > 1:
		return doctor.Result{
			Status: doctor.Fail,
			Detail: fmt.Sprintf("OBS has more than one source for the peer: %s.", strings.Join(names, ", ")),
			Why:    "costream-obs manages all of them, and you may show or hide the wrong one.",
			Next:   fmt.Sprintf("Delete all but %s in OBS (right-click → Remove).", names[0]),
		}
	case len(obs.Peer.Spots) == 0 && m.onAir(ctx):
		return doctor.Result{
			Status: doctor.Fail,
			Detail: "You are on air, but the peer is in none of your scenes: somebody deleted the source.",
			Why:    "Your viewers do not see the peer. costream-obs does not restore what somebody deleted by hand.",
			Next:   "Put it into the programme: `costream-obs peer add`",
			Fix: &doctor.Fix{What: fmt.Sprintf("Put the peer's picture into the scene %q again, as `costream-obs peer add` does.", obs.Program),
				Do: m.addPeer},
		}
	case len(sources) == 0:
		return doctor.Fine("it is made when you go on air")
	}
	return doctor.Fine("%s, in %s", names[0], places(obs.Peer.Spots))
}

func places(spots []scenes.Spot) string {
	var in []string
	for _, s := range spots {
		if !slices.Contains(in, s.Scene) {
			in = append(in, s.Scene)
		}
	}
	if len(in) == 0 {
		return "no scene now"
	}
	return strings.Join(in, ", ")
}

func (m *Machine) buffered(in Input) doctor.Result {
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("The source %q buffers its pictures.", in.Name),
		Why:    "You see the peer later than necessary, and interrupt each other.",
		Next:   fmt.Sprintf("In OBS double-click %q and untick \"Use Buffering\".", in.Name),
		Fix: &doctor.Fix{What: fmt.Sprintf("Switch off \"Use Buffering\" of the source %q.", in.Name),
			Do: func(ctx context.Context) error {
				return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error {
					return c.SetInputSettings(ctx, in.Name, map[string]any{"buffering": false}, true)
				})
			}},
	}
}

// addPeer does the same as `costream-obs peer add`, with the input for the current route. A running costream-obs adds its
// settings.
func (m *Machine) addPeer(ctx context.Context) error {
	source := m.route(ctx).PeerSource(m.SourceName, 0, obsctl.Version{})
	return m.Change(ctx, func(ctx context.Context, c *obsctl.Client) error {
		changes, err := scenes.Add(ctx, obsscenes.NewWriter(c, filepath.Dir(m.ControlSocket), 5*time.Second), source, nil, scenes.Layouts{})
		if err == nil && len(changes) == 0 {
			err = errors.New("OBS has it already")
		}
		return err
	})
}
