// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
	"github.com/costream-obs/costream-obs/setup"
)

// outputsWorld is an OBS with outputs and a screen for the peer. It notes what is done to them.
type outputsWorld struct {
	saidTo
	outputs []obsctl.Output
	colours obsctl.Colours
	camera  error // why the virtual camera does not start
	lost    error // why the connection ended
}

func (w *outputsWorld) Outputs(context.Context) ([]obsctl.Output, error)      { return w.outputs, nil }
func (w *outputsWorld) OutputColours(context.Context) (obsctl.Colours, error) { return w.colours, nil }
func (w *outputsWorld) Err() error                                            { return w.lost }
func (w *outputsWorld) saveFormat(media.VideoFormat) error                    { return nil }
func (w *outputsWorld) set(r route, _ media.VideoFormat)                      { w.say("screen of %s", r.name()) }
func (w *outputsWorld) SetOutputSettings(_ context.Context, name string, s map[string]any) error {
	w.say("%s writes %s", name, s["device_name"])
	return nil
}

func (w *outputsWorld) StartOutput(_ context.Context, name string) error {
	w.say("start %s", name)
	return nil
}

func (w *outputsWorld) StopOutput(_ context.Context, name string) error {
	w.say("stop %s", name)
	return nil
}

func (w *outputsWorld) EnsureVirtualCam(ctx context.Context, cam obsctl.VirtualCam) (bool, error) {
	if err := cam.Preflight(ctx); err != nil {
		return false, err
	}
	if w.camera != nil {
		return false, w.camera
	}
	w.say("camera on %s", cam.Device)
	return true, nil
}

func (w *outputsWorld) StopVirtualCam(context.Context) error {
	w.say("camera off")
	return nil
}

// newTestPicture is a picture of OBS on a machine where pair stands against the devices.
func newTestPicture(w *outputsWorld, configured control.Route, pair error) *picture {
	seen := new(observed)
	return &picture{
		obs: w, outputs: outputs{obs: w, seen: seen, ledger: newTestLedger()}, screen: w, feed: new(cleanFeed), seen: seen, log: slog.New(slog.DiscardHandler),
		routes: &routes{
			devices:  &devices{out: "/dev/video10", in: "/dev/video11", pair: func(setup.PairOptions) error { return pair }},
			portable: new(portable), configured: configured,
		},
	}
}

// TestOpenPicture: by which route our picture goes, what that does to OBS, and that it is undone.
func TestOpenPicture(t *testing.T) {
	const auto, onDevices, onPortable = control.RouteAuto, control.RouteDevices, control.RoutePortable
	module, busy, gone := errors.New("the module is not loaded"), errors.New("the camera is busy"), errors.New("gone")
	hdr := obsctl.Colours{Format: "P010", Space: "2100PQ"}
	plugin := []obsctl.Output{{Name: "v4l2sink", Kind: sinkOutputKind}}
	camera := []string{"camera on /dev/video10", "screen of devices"}
	for _, tt := range []struct {
		name       string
		configured control.Route
		pair       error
		obs        outputsWorld
		feed       cleanFeed
		usersCam   bool // the user started the virtual camera

		want   control.Route
		why    string // part of it
		err    string // part of it
		done   []string
		undone []string
	}{
		{name: "devices are there", configured: auto, want: onDevices, why: "devices route: /dev/video10 and /dev/video11 are there", done: camera, undone: []string{"camera off"}},
		{name: "the user's camera runs", configured: auto, usersCam: true, want: onDevices, why: "are there", done: camera},
		{name: "devices are not there", configured: auto, pair: module, want: onPortable, why: "the devices route cannot be used: the module is not loaded", done: []string{"screen of portable"}},
		{name: "portable by choice", configured: onPortable, want: onPortable, why: "portable route, as configured", done: []string{"screen of portable"}},
		{name: "devices by choice", configured: onDevices, want: onDevices, why: "devices route, as configured", done: camera, undone: []string{"camera off"}},
		{name: "devices by choice are not there", configured: onDevices, pair: module, err: "the module is not loaded"},
		{name: "the camera fails", configured: auto, obs: outputsWorld{camera: busy}, want: onPortable, why: "the virtual camera cannot be used: the camera is busy", done: []string{"screen of portable"}},
		{name: "the camera fails, devices by choice", configured: onDevices, obs: outputsWorld{camera: busy}, err: "the camera is busy"},
		{name: "the camera fails with OBS", configured: auto, obs: outputsWorld{camera: busy, lost: gone}, err: "the camera is busy"},
		{name: "the plugin's output", configured: auto, obs: outputsWorld{outputs: plugin}, want: onDevices, why: "are there",
			done: []string{"v4l2sink writes /dev/video10", "start v4l2sink", "screen of devices"}, undone: []string{"stop v4l2sink"}},
		{name: "the plugin's output, which cannot show the clean feed", configured: auto, obs: outputsWorld{outputs: plugin}, feed: cleanFeed{camera: true, ready: true}, want: onDevices, why: "are there", done: camera, undone: []string{"camera off"}},
		{name: "colours that cannot be sent", configured: auto, obs: outputsWorld{colours: hdr}, err: "cannot be sent"},
		{name: "the clean feed is not made yet", configured: auto, feed: cleanFeed{chosen: true}},
		{name: "the clean feed, and the camera shows the programme", configured: auto, feed: cleanFeed{chosen: true, ready: true}, want: onPortable, why: errUnclean.Error(), done: []string{"screen of portable"}},
		{name: "the clean feed, and devices by choice", configured: onDevices, feed: cleanFeed{chosen: true, ready: true}, err: errUnclean.Error()},
		{name: "the clean feed on the camera", configured: auto, feed: cleanFeed{camera: true, ready: true}, want: onDevices, why: "are there", done: camera, undone: []string{"camera off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &tt.obs
			p := newTestPicture(w, tt.configured, tt.pair)
			*p.feed, p.seen.virtualCam = tt.feed, tt.usersCam
			err := p.open(t.Context())
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("got error %v, want one with %q", err, tt.err)
			}
			if route, why := p.used(); route != tt.want || !strings.Contains(why, tt.why) || p.arrives != (tt.want != "") {
				t.Errorf("got route %q, %q, arriving %t; want %q, %q", route, why, p.arrives, tt.want, tt.why)
			}
			if diff := cmp.Diff(saidTo(tt.done), w.saidTo); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			w.saidTo = nil
			if err := p.close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(saidTo(tt.undone), w.saidTo); diff != "" {
				t.Errorf("undone (-want +got):\n%s", diff)
			}
			if p.arrives || p.outputs.ledger.Output != "" {
				t.Errorf("after close: arriving %t, still noted %q", p.arrives, p.outputs.ledger.Output)
			}
		})
	}
}

// TestCameraEnds: where OBS's virtual camera carries our picture, its end calls for opening it again.
func TestCameraEnds(t *testing.T) {
	for configured, want := range map[control.Route]bool{control.RouteDevices: false, control.RoutePortable: true} {
		p := newTestPicture(new(outputsWorld), configured, nil)
		p.note(obsctl.VirtualCamState{}) // before anything
		if err := p.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.note(obsctl.VirtualCamState{Active: true})
		if !p.arrives {
			t.Errorf("%s: a camera that starts ends our picture", configured)
		}
		p.note(obsctl.VirtualCamState{})
		if p.arrives != want {
			t.Errorf("%s: our picture arrives without the camera: got %t, want %t", configured, p.arrives, want)
		}
	}
}

// TestRoutes: what each route is for OBS and for a call.
func TestRoutes(t *testing.T) {
	hd := media.VideoFormat{W: 1280, H: 720, FPSNum: 50, FPSDen: 1}
	shoot := func(context.Context, func([]byte)) error { return nil }
	p := newTestPicture(new(outputsWorld), control.RouteAuto, nil)
	d := p.routes.devices.picture(hd, shoot)
	if diff := cmp.Diff(media.DeviceSource{Path: "/dev/video10", VideoFormat: hd}, d.source); diff != "" || d.feed != nil || d.latency != hd.FrameTime()+cameraLatency {
		t.Errorf("devices: got %+v (source -want +got:\n%s)", d, diff)
	}
	s := p.routes.portable.picture(hd, shoot)
	if diff := cmp.Diff(media.ImageSource{VideoFormat: hd}, s.source); diff != "" || s.feed == nil || s.latency != 0 {
		t.Errorf("portable: got %+v (source -want +got:\n%s)", s, diff)
	}
	if got, want := p.routes.devices.screenLatency(hd), hd.FrameTime()/2; got != want {
		t.Errorf("devices: OBS has our picture after %v, want %v", got, want)
	}
	if got, want := p.routes.portable.screenLatency(hd), hd.FrameTime()/2+readLatency; got != want {
		t.Errorf("portable: OBS has our picture after %v, want %v", got, want)
	}
}

// TestPeerSource: `peer add` and doctor make the input for the peer's picture that run would make.
func TestPeerSource(t *testing.T) {
	device, socket := scenes.FromDevice("Peer", "/dev/video11"), scenes.FromSocket("Peer", nil)
	for _, tt := range []struct {
		name       string
		configured control.Route
		pair       error
		feed       string // "chosen", or "on the camera" as well
		route      control.Route
		want       scenes.Source
	}{
		{"devices can be used", control.RouteAuto, nil, "", control.RouteDevices, device},
		{"devices cannot be used", control.RouteAuto, setup.ErrWritten, "", control.RoutePortable, socket},
		{"devices by choice", control.RouteDevices, setup.ErrWritten, "", control.RouteDevices, device},
		{"portable by choice", control.RoutePortable, nil, "", control.RoutePortable, socket},
		{"the camera shows the programme", control.RouteAuto, nil, "chosen", control.RoutePortable, socket},
		{"the camera shows the programme, devices by choice", control.RouteDevices, nil, "chosen", control.RouteDevices, device},
		{"the camera shows the clean feed", control.RouteAuto, nil, "on the camera", control.RouteDevices, device},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked setup.PairOptions
			s := RouteSettings{Route: tt.configured, VideoOut: "/dev/video10", VideoIn: "/dev/video11", Pair: func(o setup.PairOptions) error {
				asked = o
				return tt.pair
			}, CleanFeed: tt.feed != "", OnCamera: func(pid int) bool { return pid == 42 && tt.feed == "on the camera" }}
			obs32 := obsctl.Version{OBS: obsctl.Semver{Major: 32}}
			if name, why := s.Choose(42, obs32); name != tt.route || why == "" {
				t.Errorf("route: got %q because %q, want %q", name, why, tt.route)
			}
			if diff := cmp.Diff(tt.want, s.PeerSource("Peer", 42, obs32)); diff != "" {
				t.Errorf("source (-want +got):\n%s", diff)
			}
			if tt.configured == control.RouteAuto && (asked.Out != "/dev/video10" || asked.In != "/dev/video11" || !slices.Contains(asked.Ours, 42)) {
				t.Errorf("asked for %+v, want both devices, which OBS may hold", asked)
			}
		})
	}
}

// TestRunningAddsItsOwnSource: what a `peer add` that costream-obs run carries out puts into OBS is the input of run's screen.
func TestRunningAddsItsOwnSource(t *testing.T) {
	s := newTestSession(t, Options{}, nil)
	s.c.display = newDisplay("", "", nil, nil, s.log)
	s.c.routes = RouteSettings{Route: control.RouteAuto, VideoIn: "/dev/video11", Pair: func(setup.PairOptions) error { return nil }}.routes()
	if diff := cmp.Diff(scenes.FromDevice("Friend", "/dev/video11"), s.c.newPeerSource("Friend", s.obs)); diff != "" {
		t.Errorf("without a screen (-want +got):\n%s", diff)
	}
	running := scenes.FromSocket("", map[string]any{"input": "tcp://127.0.0.1:4711"})
	s.c.display.now, s.c.display.input = &media.SocketScreen{}, running
	running.Name = "Friend"
	if diff := cmp.Diff(running, s.c.newPeerSource("Friend", s.obs)); diff != "" {
		t.Errorf("with a screen (-want +got):\n%s", diff)
	}
}
