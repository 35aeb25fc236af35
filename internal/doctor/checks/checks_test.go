// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/encoders"
	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/priority"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// A fault is one way to break the healthy machine. The checks named, and no
// others, must find it.
type fault struct {
	name    string
	inflict func(*fixture)
	found   []string
}

var faults = []fault{
	{"settings wrong", func(f *fixture) {
		f.o = checks.Options{SettingsError: errors.New(`~/.config/costream-obs/config.toml:2: unknown setting "colour"`)}
	}, []string{"svc.config"}},
	{"daemon hangs", func(f *fixture) {
		f.daemon, f.daemonErr = checks.Daemon{Running: true}, errors.New("control socket: context deadline exceeded")
	}, []string{"svc.run"}},
	{"daemon has a problem", func(f *fixture) {
		f.daemon.Report.Problems = []string{"OBS's picture: OBS's virtual camera did not start"}
	}, []string{"svc.run"}},
	{"service unreadable", func(f *fixture) { f.unit("LoadState=bad-setting", "ActiveState=inactive") }, []string{"svc.unit"}},
	{"service changed on disk", func(f *fixture) { f.unit("NeedDaemonReload=yes") }, []string{"svc.unit"}},
	{"service of before the update", func(f *fixture) { f.links["proc/5000/exe"] = "/usr/local/bin/costream-obs (deleted)" }, []string{"svc.unit"}},
	{"service and one by hand", func(f *fixture) {
		f.unit("ActiveState=activating", "SubState=auto-restart", "Result=exit-code", "ExecMainStatus=1", "MainPID=0")
	}, []string{"svc.unit"}},
	{"service without settings", func(f *fixture) {
		f.offAir()
		f.unit("ActiveState=failed", "SubState=failed", "Result=exit-code", "ExecMainStatus=2")
	}, []string{"svc.unit"}},
	{"service fails", func(f *fixture) {
		f.offAir()
		f.unit("ActiveState=activating", "SubState=auto-restart", "Result=exit-code", "ExecMainStatus=203")
	}, []string{"svc.unit"}},
	{"service stopped", func(f *fixture) { f.offAir(); f.unit("UnitFileState=enabled") }, []string{"svc.unit"}},
	{"GStreamer lacks elements", func(f *fixture) {
		f.missing = &media.MissingElementError{Missing: []media.MissingElement{{Element: "x264enc", Package: "gstreamer1.0-plugins-ugly"}, {Element: "avdec_h264", Package: "gstreamer1.0-libav"}}}
	}, []string{"host.gst"}},
	{"GStreamer broken", func(f *fixture) { f.missing = errors.New("could not link x264enc0 to rtph264pay0") }, []string{"host.gst"}},
	{"an encoder is refused", func(f *fixture) {
		f.encoders = []encoders.Result{
			{Name: "vah264enc", EncoderTrial: media.EncoderTrial{Fault: "its driver crashed: signal: aborted"}},
			{Name: "x264enc", EncoderTrial: media.EncoderTrial{PerFrame: 4 * time.Millisecond}},
		}
	}, []string{"media.encoder"}},
	{"a software encoder is refused", func(f *fixture) {
		f.encoders = []encoders.Result{
			{Name: "x264enc", EncoderTrial: media.EncoderTrial{Fault: "it makes B-frames, which come late"}},
			{Name: "openh264enc", EncoderTrial: media.EncoderTrial{PerFrame: 4 * time.Millisecond}},
		}
	}, []string{"media.encoder"}},
	{"all encoders are too slow", func(f *fixture) {
		f.encoders = []encoders.Result{{Name: "x264enc", EncoderTrial: media.EncoderTrial{Fault: "it takes 80ms for a picture, where 67ms is the limit", Slow: true}}}
	}, []string{"media.encoder"}},
	{"no encoder at all", func(f *fixture) { f.encoders = []encoders.Result{{Name: "x264enc", Absent: true}} }, []string{"media.encoder"}},
	{"an encoder failed on air", func(f *fixture) {
		f.daemon.Encoder = &call.Encoder{Name: "x264enc", Why: "vah264enc failed", PerFrame: call.Millis(4 * time.Millisecond), Frame: call.Millis(33 * time.Millisecond)}
		f.daemon.Report.Problems, f.daemon.Report.Codes = []string{"encoder: vah264enc failed, and x264enc replaces it"}, []problem.Code{problem.Encoder}
	}, []string{"media.encoder", "svc.run"}},
	{"a software encoder failed on air", func(f *fixture) {
		f.daemon.Encoder = &call.Encoder{Name: "openh264enc", Why: "x264enc failed", PerFrame: call.Millis(4 * time.Millisecond), Frame: call.Millis(33 * time.Millisecond)}
		f.daemon.Report.Problems, f.daemon.Report.Codes = []string{"encoder: x264enc failed, and openh264enc replaces it"}, []problem.Code{problem.Encoder}
	}, []string{"media.encoder", "svc.run"}},
	{"no permission", func(f *fixture) {
		f.nodes[1].Err = &fs.PathError{Op: "open", Path: "/dev/video10", Err: syscall.EACCES}
		f.nodes[2].Err = &fs.PathError{Op: "open", Path: "/dev/video11", Err: syscall.EACCES}
	}, []string{"host.user"}},

	{"group joined since the login", func(f *fixture) {
		f.files["etc/group"] = "root:x:0:\nvideo:x:44:you,me\n"
		f.nodes[2].Err = &fs.PathError{Op: "open", Path: "/dev/video11", Err: syscall.EACCES}
	}, []string{"host.user"}},

	{"module not installed", func(f *fixture) { f.offAir(); f.unload(); f.files[modules] = "kernel/drivers/net/dummy.ko:\n" }, []string{"v4l2.module.file"}},
	{"module for another kernel, no headers", func(f *fixture) {
		f.offAir()
		f.unload()
		f.kernel = "6.1.0-29-amd64"
		f.files["lib/modules/6.1.0-29-amd64/modules.dep"] = "kernel/drivers/net/dummy.ko:\n"
		f.files["usr/src/v4l2loopback-0.12.7/dkms.conf"] = ""
	}, []string{"v4l2.module.file"}},
	{"module not built", func(f *fixture) {
		f.offAir()
		f.unload()
		f.files[modules] = ""
		f.files["usr/src/v4l2loopback-0.12.7/dkms.conf"] = ""
	}, []string{"v4l2.module.file"}},
	{"container", func(f *fixture) { f.offAir(); f.unload(); f.kernel = "6.12.1-host" }, []string{"v4l2.module.file"}},
	{"not signed", func(f *fixture) {
		f.offAir()
		f.unload()
		f.files[secureBootFile] = "\x06\x00\x00\x00\x01"
		f.programs["modinfo -k "+kernel+" -F signer v4l2loopback"] = "\n"
	}, []string{"v4l2.module.sign"}},
	{"key not enrolled", func(f *fixture) {
		f.offAir()
		f.unload()
		f.files[secureBootFile] = "\x06\x00\x00\x00\x01"
		f.files["var/lib/dkms/mok.pub"] = ""
		f.programs["modinfo -k "+kernel+" -F signer v4l2loopback"] = "DKMS module signing key\n"
		f.programs["mokutil --test-key /var/lib/dkms/mok.pub"] = "/var/lib/dkms/mok.pub is not enrolled\n"
	}, []string{"v4l2.module.sign"}},
	{"module not loaded", func(f *fixture) { f.offAir(); f.unload() }, []string{"v4l2.module.loaded"}},
	{"module not loaded, devices route", func(f *fixture) { f.offAir(); f.unload(); f.o.Route = "devices" }, []string{"v4l2.module.loaded"}},
	{"module too new for OBS", func(f *fixture) { f.files[loopback] = "0.15.3\n" }, []string{"v4l2.module.version"}},
	{"module too new for the installed OBS", func(f *fixture) {
		f.offAir()
		f.closed()
		f.files[loopback] = "0.14.0\n"
	}, []string{"v4l2.module.version"}},
	{"module too old for the kernel", func(f *fixture) { f.kernel = "6.18.2-amd64"; f.files[loopback] = "0.13.2\n" }, []string{"v4l2.module.version"}},
	{"module and OBS of a bad pair", func(f *fixture) { f.version("32.0.4") }, []string{"v4l2.module.version"}},
	{"nothing at boot", func(f *fixture) {
		delete(f.files, modprobeD)
		delete(f.files, "etc/modules-load.d/costream.conf")
	}, []string{"v4l2.conf"}},
	{"not loaded at boot", func(f *fixture) { delete(f.files, "etc/modules-load.d/costream.conf") }, []string{"v4l2.conf"}},
	{"no options at boot", func(f *fixture) { delete(f.files, modprobeD) }, []string{"v4l2.conf"}},
	{"options contradicted", func(f *fixture) {
		f.files["usr/lib/modprobe.d/98-v4l2loopback.conf"] = "options v4l2loopback video_nr=9 card_label=\"OBS Virtual Camera\"\n"
		f.files["etc/modprobe.d/99-x.conf"] = "# nothing\n"
		delete(f.files, modprobeD)
		f.files["etc/modprobe.d/10-costream.conf"] = "options v4l2loopback video_nr=10,11 exclusive_caps=1,1\n"
	}, []string{"v4l2.conf"}},
	{"one exclusive_caps at boot", func(f *fixture) {
		f.files[modprobeD] = "options v4l2loopback video_nr=10,11 exclusive_caps=1\n"
	}, []string{"v4l2.conf"}},

	{"other numbers", func(f *fixture) {
		f.offAir()
		f.nodes = []v4l2.Node{free(0, "Dummy video device (0x0000)"), free(1, "Dummy video device (0x0001)")}
	}, []string{"v4l2.dev.pair"}},
	{"number taken by a camera", func(f *fixture) {
		f.offAir()
		f.nodes[2] = v4l2.Node{Path: "/dev/video11", Number: 11, Label: "Capture card", Capture: true}
	}, []string{"v4l2.dev.pair"}},
	{"device broken", func(f *fixture) {
		f.offAir()
		f.nodes[1].Err = &fs.PathError{Op: "open", Path: "/dev/video10", Err: syscall.ENODEV}
	}, []string{"v4l2.dev.pair"}},
	{"a third loopback", func(f *fixture) {
		f.offAir()
		f.nodes = slices.Insert(f.nodes, 1, free(3, "DroidCam"))
	}, []string{"v4l2.dev.order"}},
	{"OBS's own loopback", func(f *fixture) {
		f.offAir()
		f.nodes = slices.Insert(f.nodes, 1, free(2, "OBS Virtual Camera"))
	}, []string{"v4l2.dev.order"}},
	{"one exclusive_caps, nobody uses it", func(f *fixture) { f.offAir(); f.nodes[2].Capture = true }, []string{"v4l2.dev.excl"}},
	{"one exclusive_caps", func(f *fixture) {
		f.nodes[2].Output = true
		f.files[parameters+"exclusive_caps"] = "Y,N,N,N,N,N,N,N\n"
	}, []string{"v4l2.dev.excl"}},
	{"keep_format", func(f *fixture) { f.controls = map[string]v4l2.Controls{"/dev/video11": {KeepFormat: true}} }, []string{"v4l2.dev.keepformat"}},
	{"timeout", func(f *fixture) { f.controls = map[string]v4l2.Controls{"/dev/video10": {Timeout: 1000}} }, []string{"v4l2.dev.keepformat"}},
	{"another writer", func(f *fixture) {
		f.offAir()
		f.nodes[1] = written(10, "costream-topeer", "YUYV:1280x720@30")
		f.holders[777] = holder{"ffmpeg", []string{"/dev/video10"}}
	}, []string{"v4l2.dev.holders"}},
	{"too many have it open", func(f *fixture) {
		f.nodes[2].MaxOpeners = 3
		f.holders[777] = holder{"ffplay", []string{"/dev/video11"}}
	}, []string{"v4l2.dev.holders"}},
	{"another user's writer", func(f *fixture) {
		f.offAir()
		f.nodes[2] = written(11, "costream-frompeer", "YUYV:1280x720@30")
	}, []string{"v4l2.dev.holders"}},
	{"nothing arrives", func(f *fixture) { f.nodes[1] = free(10, "costream-topeer") }, []string{"v4l2.dev.state"}},
	{"another size arrives", func(f *fixture) { f.nodes[1].Format = "YUYV:1280x720@30" }, []string{"v4l2.dev.state"}},

	{"WebSocket server off", func(f *fixture) {
		f.findErr = fmt.Errorf("%w (x)", obsctl.ErrServerDisabled)
	}, []string{"obs.ws.config"}},
	{"WebSocket server off, OBS closed", func(f *fixture) {
		f.offAir()
		f.closed()
		f.findErr = obsctl.ErrServerDisabled
	}, []string{"obs.ws.config"}},
	{"OBS never started", func(f *fixture) { f.offAir(); f.closed(); f.findErr = obsctl.ErrNoConfig }, []string{"obs.ws.config"}},
	{"OBS without obs-websocket, closed", func(f *fixture) {
		f.offAir()
		f.closed()
		f.files["proc/self/root/etc/os-release"] = "ID=arch\n"
		f.findErr = fmt.Errorf("%w: %w", obsctl.ErrNoConfig, obsctl.ErrNoWebSocket)
	}, []string{"obs.ws.config"}},
	{"OBS without obs-websocket, or in safe mode", func(f *fixture) {
		f.obsErr = fmt.Errorf("%w: %w", obsctl.ErrRefused, obsctl.ErrNoWebSocket)
	}, []string{"obs.ws.connect"}},
	{"refused at one address", func(f *fixture) {
		f.endpoint.Host, f.obsErr = "::1", &obsctl.ConnectError{Reason: obsctl.ErrRefused, Elsewhere: "127.0.0.1"}
	}, []string{"obs.ws.connect"}},
	{"OBS not installed", func(f *fixture) {
		f.offAir()
		f.closed()
		delete(f.programs, "obs --version")
		f.findErr = obsctl.ErrNoConfig
	}, []string{"obs.ws.config"}},
	{"OBS's file broken", func(f *fixture) {
		f.findErr = errors.New("OBS's websocket settings cannot be read from /home/me/.config/obs-studio/global.ini: ServerPort=x is not a number")
	}, []string{"obs.ws.config"}},
	{"refused", func(f *fixture) { f.obsErr = obsctl.ErrRefused }, []string{"obs.ws.connect"}},
	{"refused by another machine", func(f *fixture) {
		f.o.RemoteOBS, f.endpoint.Host, f.obsErr = true, "192.168.1.9", obsctl.ErrRefused
	}, []string{"obs.ws.connect"}},
	{"wrong password", func(f *fixture) { f.obsErr = obsctl.ErrAuth }, []string{"obs.ws.connect"}},
	{"no password found", func(f *fixture) { f.obsErr, f.endpoint.Password = obsctl.ErrAuth, "" }, []string{"obs.ws.connect"}},
	{"OBS too old", func(f *fixture) {
		f.obsErr = &obsctl.ConnectError{Reason: obsctl.ErrTooOld, Text: "OBS 27.2.4 at 127.0.0.1:4455 is too old: OBS 28.0 or newer is needed"}
	}, []string{"obs.ws.connect"}},
	{"not OBS", func(f *fixture) { f.obsErr = obsctl.ErrNotOBS }, []string{"obs.ws.connect"}},
	{"unreachable", func(f *fixture) {
		f.o.RemoteOBS, f.endpoint.Host = true, "192.168.1.9"
		f.obsErr = fmt.Errorf("%w: no route to host", obsctl.ErrUnreachable)
	}, []string{"obs.ws.connect"}},
	{"OBS hangs", func(f *fixture) { f.obsErr = obsctl.ErrNoAnswer }, []string{"obs.ws.connect"}},
	{"OBS changes its scenes", func(f *fixture) { f.obsErr = scenes.ErrChanging }, []string{"obs.ws.connect"}},
	{"no authentication", func(f *fixture) { f.obs.Password = false }, []string{"obs.ws.auth"}},
	{"OBS that cannot monitor the default", func(f *fixture) { f.version("29.1.3") }, []string{"obs.version"}},
	{"no virtual camera", func(f *fixture) { f.offAir(); f.obs.HasCamera = false }, []string{"obs.vcam.avail"}},
	{"camera shows a scene", func(f *fixture) {
		f.files[scenesOf] = `{"name":"Untitled","virtual-camera":{"type":1,"internal":0,"scene":"Cam"}}`
	}, []string{"obs.vcam.type"}},
	{"camera shows the preview, OBS 30", func(f *fixture) {
		f.version("30.2.3")
		f.files[scenesOf] = `{"name":"Untitled","virtual-camera":{"type":0,"internal":0,"type2":4}}`
	}, []string{"obs.vcam.type"}},
	{"the virtual camera shows the programme, devices route", func(f *fixture) { f.programmeOnCamera(); f.o.Route = "devices" }, []string{"obs.vcam.type"}},
	{"camera on another device", func(f *fixture) {
		f.holders[recordedPID] = holder{"obs", []string{"/dev/video3", "/dev/video11"}}
		f.nodes[1] = free(10, "costream-topeer")
		f.daemon.Report.State = control.Ready
	}, []string{"obs.vcam.device"}},
	{"camera on no device", func(f *fixture) {
		f.holders[recordedPID] = holder{"obs", []string{"/dev/video11"}}
		f.nodes[1] = free(10, "costream-topeer")
		f.daemon.Report.State = control.Ready
	}, []string{"obs.vcam.device"}},
	{"120 frames a second", func(f *fixture) { f.obs.Video.FPSNum = 120 }, []string{"obs.video"}},
	{"too much for the portable route", func(f *fixture) {
		f.o.Route, f.daemon.Report.Route = "portable", control.RoutePortable
		f.obs.Video = obsctl.Video{CanvasW: 1920, CanvasH: 1080, OutputW: 1920, OutputH: 1080, FPSNum: 60, FPSDen: 1}
	}, []string{"obs.video"}},
	{"44.1 kHz", func(f *fixture) { f.obs.SampleRate = "44100" }, []string{"obs.rate"}},
	{"peer deleted", func(f *fixture) {
		f.obs.Peer.Spots, f.obs.Peer.Input = nil, ""
		f.obs.Inputs = slices.DeleteFunc(f.obs.Inputs, func(in checks.Input) bool { return in.Name == "Peer" })
	}, []string{"obs.source"}},
	{"peer twice", func(f *fixture) {
		f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Peer 2", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "buffering": false}})
	}, []string{"obs.source"}},
	{"peer buffered", func(f *fixture) {
		f.change("Peer", func(in *checks.Input) { delete(in.Settings, "buffering") })
	}, []string{"obs.source"}},
	{"killed on air", func(f *fixture) {
		f.offAir()
		f.obs.Left = []string{`the monitoring of "Mic/Aux"`, `the input "Peer (sound)"`}
	}, []string{"obs.changes"}},
	{"peer in the programme, no clean feed", func(f *fixture) { f.obs.Feed = false }, []string{"obs.loop"}},
	{"peer in the clean feed", func(f *fixture) { f.obs.FeedLoop = "To peer: Scene" }, []string{"obs.loop"}},
	{"clean feed as programme", func(f *fixture) { f.obs.Program, f.obs.FeedScenes = "To peer", map[string]bool{"To peer": true} }, []string{"obs.loop"}},
	{"hotkeys wait", func(f *fixture) { f.hotkeys.Entry = &hotkeys.Entry{Waiting: true} }, []string{"obs.hotkeys"}},
	{"hotkeys refused", func(f *fixture) {
		f.hotkeys.Entry = &hotkeys.Entry{Problem: `F9 is already the key of the hotkey "libobs.mute" of "Mic/Aux": choose another key`}
	}, []string{"obs.hotkeys"}},
	{"hotkeys in another scene collection", func(f *fixture) { f.hotkeys.Script = "" }, []string{"obs.hotkeys"}},
	{"hotkeys without their script", func(f *fixture) {
		f.hotkeys.ScriptErr = &fs.PathError{Op: "open", Path: f.hotkeys.Script, Err: syscall.ENOENT}
	}, []string{"obs.hotkeys"}},
	{"hotkeys of another version", func(f *fixture) { f.hotkeys.Current = false }, []string{"obs.hotkeys"}},
	{"dock waits", func(f *fixture) { f.dock.Order.Waiting = true }, []string{"obs.dock"}},
	{"dock refused", func(f *fixture) {
		f.dock.Order.Problem = "OBS's list of docks is not in the form that OBS writes"
	}, []string{"obs.dock"}},
	{"dock in an OBS without browser", func(f *fixture) { f.dock.Browser = dock.NoDocks }, []string{"obs.dock"}},
	{"dock removed in OBS", func(f *fixture) { f.dock.Address, f.dock.Leads = "", false }, []string{"obs.dock"}},
	{"dock with a stale address", func(f *fixture) {
		f.dock.Address, f.dock.Leads = "file:///home/old/.local/state/costream-obs/panel-dock.html", false
	}, []string{"obs.dock"}},
	{"dock without its page", func(f *fixture) {
		f.dock.PageErr = &fs.PathError{Op: "open", Path: f.dock.Order.Page, Err: syscall.ENOENT}
	}, []string{"obs.dock"}},
	{"Flatpak without devices", func(f *fixture) {
		f.flatpak("[Context]\nshared=network;ipc;\nsockets=x11;wayland;pulseaudio;\ndevices=dri;\n")
	}, []string{"obs.flatpak"}},
	{"Flatpak without network", func(f *fixture) {
		f.flatpak("[Context]\nshared=ipc;\nsockets=x11;wayland;pulseaudio;\ndevices=all;\n")
	}, []string{"obs.flatpak"}},
	{"Flatpak without sound", func(f *fixture) {
		f.flatpak("[Context]\nshared=network;ipc;\nsockets=x11;wayland;\ndevices=all;\n")
	}, []string{"obs.flatpak"}},

	{"Snap without camera", func(f *fixture) { f.snap("camera") }, []string{"obs.flatpak"}},
	{"Snap without kernel-module-observe", func(f *fixture) { f.snap("kernel-module-observe") }, []string{"obs.flatpak"}},
	{"Snap without audio-record", func(f *fixture) { f.snap("audio-record") }, []string{"obs.flatpak"}},

	{"no pactl", func(f *fixture) { f.soundErr = pulse.ErrNoPactl }, []string{"audio.server"}},
	{"old pactl", func(f *fixture) { f.soundErr = pulse.ErrOldPactl }, []string{"audio.server"}},
	{"no sound server", func(f *fixture) { f.soundErr = pulse.ErrNoServer }, []string{"audio.server"}},
	{"sound server hangs", func(f *fixture) { f.soundErr = pulse.ErrHangs }, []string{"audio.server"}},
	{"strange sound server", func(f *fixture) { f.soundErr = errors.New("pactl info: exit status 1") }, []string{"audio.server"}},
	{"PipeWire without real-time priority", func(f *fixture) { f.pipeWire(0) }, []string{"audio.priority"}},
	{"PipeWire without real-time priority, rtkit installed", func(f *fixture) {
		f.pipeWire(0)
		f.files["usr/libexec/rtkit-daemon"] = ""
	}, []string{"audio.priority"}},
	{"costream-obs without real-time priority", func(f *fixture) {
		f.urgentErr = errors.New("real-time priority: operation not permitted; rtkit: no system bus")
	}, []string{"audio.urgent"}},
	{"our sink is the default", func(f *fixture) { f.sound.Info.DefaultSink = "costream_topeer" }, []string{"audio.sink"}},
	{"our sink is gone", func(f *fixture) {
		f.sound.Sinks = slices.DeleteFunc(f.sound.Sinks, func(s pulse.Sink) bool { return s.Name == "costream_topeer" })
	}, []string{"audio.sink"}},
	{"our sink is muted", func(f *fixture) {
		for i := range f.sound.Sinks {
			f.sound.Sinks[i].Mute = f.sound.Sinks[i].Name == "costream_topeer"
		}
	}, []string{"audio.sink"}},
	{"no microphone", func(f *fixture) { f.obs.Special.Mics = nil; f.offAir() }, []string{"audio.mic"}},
	{"microphone of another name", func(f *fixture) { f.o.Mics = []string{"Headset"}; f.offAir() }, []string{"audio.mic"}},
	{"source past OBS unplugged", func(f *fixture) { f.o.MicSource = "alsa_input.usb"; f.offAir() }, []string{"audio.mic"}},
	{"microphone muted", func(f *fixture) { f.change(microphone, func(in *checks.Input) { in.Muted = true }) }, []string{"audio.mute"}},
	{"microphone silent", func(f *fixture) { f.peak = 0 }, []string{"audio.level"}},
	{"microphone muted in the desktop", func(f *fixture) {
		f.peak = 0
		for i := range f.sound.Sources {
			f.sound.Sources[i].Mute = f.sound.Sources[i].Name == "mic"
		}
	}, []string{"audio.level"}},
	{"monitoring device gone", func(f *fixture) {
		f.obs.Monitoring = obsctl.MonitoringDevice{ID: "usb_headset.monitor", Name: "Monitor of USB headset"}
	}, []string{"audio.monitor.device"}},
	{"monitoring device of an older OBS", func(f *fixture) {
		f.version("30.2.3")
		f.obs.Monitoring = obsctl.MonitoringDevice{ID: "default_out.monitor", Name: "Monitor of DefaultOut"}
	}, []string{"audio.monitor.device"}},
	{"monitoring device is ours", func(f *fixture) {
		f.obs.Monitoring = obsctl.MonitoringDevice{ID: "costream_topeer.monitor", Name: "Monitor of CoStreamToPeer"}
	}, []string{"audio.monitor.device"}},
	{"microphone not monitored", func(f *fixture) {
		f.change(microphone, func(in *checks.Input) { in.Monitor = obsctl.MonitorOff })
	}, []string{"audio.monitor.inputs"}},
	{"microphone monitored without a stream", func(f *fixture) { f.sound.SinkInputs = nil }, []string{"audio.monitor.inputs"}},
	{"microphone plays elsewhere", func(f *fixture) { f.stream(func(s *pulse.SinkInput) { s.Sink = 0 }) }, []string{"audio.monitor.inputs"}},
	{"microphone's stream muted", func(f *fixture) { f.stream(func(s *pulse.SinkInput) { s.Mute = true }) }, []string{"audio.monitor.inputs"}},
	{"microphone's stream with a volume of 0", func(f *fixture) { f.stream(func(s *pulse.SinkInput) { s.Silent = true }) }, []string{"audio.monitor.inputs"}},
	{"OBS has sound of the microphone and plays silence", func(f *fixture) { f.heard = map[string]checks.Heard{microphone: {Moved: true}} }, []string{"audio.monitor.inputs"}},
	{"our recording stream elsewhere", func(f *fixture) { f.voice(func(s *pulse.SourceOutput) { s.Source = headphones }) }, []string{"audio.place"}},
	{"our recording stream muted", func(f *fixture) { f.voice(func(s *pulse.SourceOutput) { s.Silent = true }) }, []string{"audio.place"}},
	{"no recording stream of ours", func(f *fixture) {
		f.sound.SourceOutputs = slices.DeleteFunc(f.sound.SourceOutputs, func(s pulse.SourceOutput) bool { return s.PID() == ownPID })
	}, []string{"audio.place"}},
	{"the peer's voice goes back to the peer", func(f *fixture) {
		f.sound.SinkInputs = append(f.sound.SinkInputs, pulse.SinkInput{Stream: own(901, media.StreamSpeaker), Sink: toPeer})
	}, []string{"audio.place"}},
	{"another program plays to the peer", func(f *fixture) {
		f.sound.SinkInputs = append(f.sound.SinkInputs, pulse.SinkInput{Sink: toPeer,
			Stream: pulse.Stream{Index: 902, Properties: map[string]string{"application.name": "Firefox", "media.name": "a song"}}})
	}, []string{"audio.place"}},
	{"OBS records what goes to the peer in place of the microphone", func(f *fixture) {
		for i := range f.sound.SourceOutputs {
			if f.sound.SourceOutputs[i].MediaName() == microphone {
				f.sound.SourceOutputs[i].Source = toPeerSource
			}
		}
	}, []string{"audio.place"}},
	{"the second microphone dead, the first well", func(f *fixture) {
		f.o.Mics = []string{microphone, "Guitar"}
		f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Guitar", Kind: "pulse_input_capture", Monitor: obsctl.MonitorOff})
		f.offAir()
	}, []string{"audio.level"}},
	{"Desktop Audio monitored", func(f *fixture) {
		f.change("Desktop Audio", func(in *checks.Input) { in.Monitor = obsctl.MonitorAndOutput })
	}, []string{"audio.monitor.peer"}},
	{"peer monitored", func(f *fixture) {
		f.change("Peer", func(in *checks.Input) { in.Monitor = obsctl.MonitorOnly })
	}, []string{"audio.monitor.peer"}},
	{"music monitored on air", func(f *fixture) {
		f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Music", Kind: "vlc_source", Monitor: obsctl.MonitorOnly})
	}, []string{"audio.monitor.peer"}},
	{"what is shared captures the peer", func(f *fixture) {
		f.daemon.Report.Shared = []string{"Desktop Audio"}
		f.change("Desktop Audio", func(in *checks.Input) { in.Monitor = obsctl.MonitorAndOutput })
	}, []string{"audio.monitor.inputs", "audio.monitor.peer"}},
	{"what is shared is not monitored", func(f *fixture) {
		f.daemon.Report.Shared = []string{"Music"}
		f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Music", Kind: "vlc_source"})
	}, []string{"audio.monitor.inputs"}},
	{"own sink captured", func(f *fixture) { f.captureOwn() }, []string{"audio.monitor.dup"}},
	{"OBS leaves the microphone out of the stream", func(f *fixture) { f.deduplicates("32.2.2") }, []string{"audio.viewers"}},
	{"OBS leaves the microphone out of the stream, and cannot be kept from it", func(f *fixture) { f.deduplicates("32.0.3") }, []string{"audio.viewers"}},
	{"muted but played", func(f *fixture) {
		f.version("32.2.0")
		f.daemon = checks.Daemon{}
		f.holders[ownPID] = holder{"costream-obs", []string{"/dev/video11"}}
		f.change(microphone, func(in *checks.Input) { in.Muted = true })
	}, []string{"audio.mute", "audio.mute.hazard"}},
	{"muted by the button of OBS 32.1, but played", func(f *fixture) {
		f.version("32.1.2")
		f.files[loopback] = "0.15.3\n"
		f.daemon = checks.Daemon{}
		f.holders[ownPID] = holder{"costream-obs", []string{"/dev/video11"}}
		f.change(microphone, func(in *checks.Input) { in.Monitor = obsctl.MonitorOnly })
	}, []string{"audio.mute.hazard"}},
	{"microphone late", func(f *fixture) { f.stream(func(s *pulse.SinkInput) { s.Latency = late }) }, []string{"audio.latency"}},

	{"port taken", func(f *fixture) {
		f.offAir()
		f.bindErr = &link.PortError{Port: 5002, PID: 321, Process: "recv-from-peer", Err: syscall.EADDRINUSE}
	}, []string{"net.ports"}},
	{"port taken by another user", func(f *fixture) {
		f.offAir()
		f.bindErr = &link.PortError{Port: 5002, Err: syscall.EADDRINUSE}
	}, []string{"net.ports"}},
	{"port forbidden", func(f *fixture) { f.offAir(); f.bindErr = &link.PortError{Port: 500, Err: syscall.EACCES} }, []string{"net.ports"}},
	{"address of another machine", func(f *fixture) {
		f.offAir()
		f.bindErr = &link.PortError{Port: 5000, Address: netip.MustParseAddr("10.9.8.7"), Err: syscall.EADDRNOTAVAIL}
	}, []string{"net.ports"}},
	{"cannot listen", func(f *fixture) { f.offAir(); f.bindErr = errors.New(`listen address "home": no such host`) }, []string{"net.ports"}},
	{"peer unknown", func(f *fixture) {
		f.lookup = &net.DNSError{Err: "no such host", Name: "friend.example", IsNotFound: true}
	}, []string{"net.addr"}},
	{"name server away", func(f *fixture) {
		f.lookup = &net.DNSError{Err: "server misbehaving", Name: "friend.example", IsTemporary: true}
	}, []string{"net.addr"}},
	{"no route", func(f *fixture) { f.routeErr = fmt.Errorf("connect: %w", syscall.ENETUNREACH) }, []string{"net.addr"}},
	{"no route from the listen address", func(f *fixture) {
		f.o.Listen, f.routeErr = "fd00::1", errors.New("mismatched local address type fd00::1")
	}, []string{"net.addr"}},
	{"no route, but the two look for each other", func(f *fixture) {
		f.o.Auto, f.routeErr = true, fmt.Errorf("connect: %w", syscall.ENETUNREACH)
	}, []string{"net.addr"}},
	{"peer is this machine", func(f *fixture) { f.local = f.addrs[0] }, []string{"net.addr"}},
	{"ports change", func(f *fixture) {
		f.reached.NAT, f.reached.Outer, f.reached.Router = reach.NATChanging, []string{"203.0.113.9:61000", "203.0.113.9:61002"}, reach.RouterUnknown
	}, []string{"net.nat"}},
	{"ports change, no router", func(f *fixture) { f.reached.NAT, f.reached.Router = reach.NATChanging, reach.RouterNone }, []string{"net.nat", "net.router"}},
	{"the router refuses", func(f *fixture) {
		f.reached.NAT, f.reached.Router, f.reached.RouterError = reach.NATUnknown, reach.RouterRefuses, "it has no room for another port"
	}, []string{"net.router"}},
	{"the address is shared", func(f *fixture) { f.reached.NAT, f.reached.Router = reach.NATUnknown, reach.RouterShared }, []string{"net.router"}},
	{"nobody to meet", func(f *fixture) { f.unreached(); f.reached.Nodes, f.reached.Note = 0, false }, []string{"net.meet", "net.probe"}},
	{"no note", func(f *fixture) { f.unreached(); f.reached.Note = false }, []string{"net.probe"}},
	{"both networks change ports", func(f *fixture) {
		f.unreached()
		f.reached.NAT, f.reached.PeerNAT, f.reached.Router, f.reached.Relay = reach.NATChanging, reach.NATChanging, reach.RouterShared, reach.RelayNone
	}, []string{"net.nat", "net.probe", "net.router"}},
	{"the relay refuses", func(f *fixture) { f.reached.Relay, f.reached.RelayError = reach.RelayFailed, "wrong user or password" }, []string{"net.relay"}},
	{"the relay is silent", func(f *fixture) { f.reached.Relay = reach.RelayAsked }, []string{"net.relay"}},
	{"another key", func(f *fixture) {
		f.probe = link.ProbeReport{Asked: f.probe.Asked, Strangers: []netip.AddrPort{strangerAt}}
	}, []string{"net.key"}},
	{"the pair copied", func(f *fixture) { f.probe = link.ProbeReport{Asked: f.probe.Asked, Twins: []netip.AddrPort{peerAt}} }, []string{"net.key"}},
	{"another version", func(f *fixture) { f.probe.Version = 9 }, []string{"net.key"}},
	{"no probe", func(f *fixture) {
		f.probeErr = errors.New("the running costream-obs says: its link is not up at this moment: try again in a few seconds")
	}, []string{"net.key"}},
	{"peer away", func(f *fixture) {
		f.reached = reach.State{}
		f.probe = link.ProbeReport{Asked: []netip.AddrPort{peerAt, strangerAt}}
	}, []string{"net.probe"}},
	{"peer has not called", func(f *fixture) { f.reached = reach.State{}; f.probe = link.ProbeReport{} }, []string{"net.probe"}},
	{"peer falls silent", func(f *fixture) { f.probe.Lost, f.probe.PacketSize = f.probe.Sent, 0 }, []string{"net.probe"}},
	{"small packets alone", func(f *fixture) { f.probe.PacketSize = 0 }, []string{"net.probe"}},
	{"much is lost", func(f *fixture) { f.probe.Lost, f.probe.LostOut = 7, 7 }, []string{"net.probe"}},
	{"much is lost on the way back", func(f *fixture) { f.probe.Lost = 7 }, []string{"net.probe"}},
	{"much is lost both ways", func(f *fixture) { f.probe.Lost, f.probe.LostOut = 7, 4 }, []string{"net.probe"}},
	{"far away", func(f *fixture) { f.probe.RTT, f.probe.MinRTT = 312*time.Millisecond, 280*time.Millisecond }, []string{"net.probe"}},
	{"queues on the way", func(f *fixture) { f.probe.RTT = 312 * time.Millisecond }, []string{"net.probe"}},
	{"the peer's clock is wrong", func(f *fixture) {
		f.probe.ClockAhead = -63 * time.Minute
		f.programs["timedatectl show --property=NTPSynchronized --value"] = "yes\n"
	}, []string{"net.clock"}},
	{"our clock is wrong", func(f *fixture) {
		f.probe.ClockAhead = 3 * time.Second
		f.programs["timedatectl show --property=NTPSynchronized --value"] = "no\n"
	}, []string{"net.clock"}},
	{"one clock is wrong, no timedatectl", func(f *fixture) { f.probe.ClockAhead = 3 * time.Second }, []string{"net.clock"}},
	{"small buffer", func(f *fixture) { f.files[rmem] = "65536\n" }, []string{"net.rmem"}},
	{"dropped packets", func(f *fixture) { f.files["proc/net/udp"] = udpTable(17) }, []string{"net.rmem"}},
	{"dropped packets, large buffer", func(f *fixture) {
		f.files["proc/net/udp"] = udpTable(17)
		f.files[rmem] = "8388608\n"
	}, []string{"net.rmem"}},
}

const secureBootFile = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

// unload takes the module and its devices away.
func (f *fixture) unload() {
	delete(f.files, loopback)
	delete(f.files, parameters+"exclusive_caps")
	delete(f.files, parameters+"video_nr")
	f.nodes = f.nodes[:1]
}

// closed closes OBS.
func (f *fixture) closed() {
	f.obsErr, f.processes, f.endpoint.PID = obsctl.ErrRefused, nil, 0
	f.sound.SinkInputs, f.sound.SourceOutputs = nil, nil
}

func (f *fixture) flatpak(permissions string) {
	f.processes[0].ConfigHome = "/home/me/.var/app/com.obsproject.Studio/config"
	f.programs["flatpak info --show-permissions com.obsproject.Studio"] = permissions
}

// pipeWire makes the sound server PipeWire, whose sound threads have a policy of the scheduler: 0 the usual one, 1 first
// in, first out (measured, 0.3.65, 1.4.2 and 1.6.9).
func (f *fixture) pipeWire(policy int) {
	f.sound.Info.Name = "PulseAudio (on PipeWire 1.4.2)"
	for pid, program := range map[int]string{600: "pipewire", 610: "pipewire-pulse"} {
		f.files[fmt.Sprintf("proc/%d/comm", pid)] = program + "\n"
		for thread, policy := range []int{0, policy} {
			f.files[fmt.Sprintf("proc/%d/task/%d/stat", pid, pid+thread)] = fmt.Sprintf("%d (data-loop.0 (x) S) S 1 600 600 0 -1 4194368 185 0 0 0 0 0 0 0 -89 "+
				"0 2 0 12 20000000 1600 18446744073709551615 1 1 0 0 0 0 0 4096 16384 0 0 0 -1 1 %d %d 0 0 0\n", pid+thread, 88*policy, policy)
		}
	}
}

// snap makes OBS a Snap, with all interfaces connected but the one that is given.
func (f *fixture) snap(without string) {
	f.processes[0].ConfigHome = "/home/me/snap/obs-studio/117/.config"
	said := "Interface              Plug                              Slot                    Notes\n"
	for _, plug := range []string{"audio-playback", "audio-record", "camera", "kernel-module-observe", "network-bind"} {
		slot := ":" + plug
		if plug == without {
			slot = "-"
		}
		said += fmt.Sprintf("%-22s obs-studio:%-22s %-23s -\n", plug, plug, slot)
	}
	f.programs["snap connections obs-studio"] = said
}

// deduplicates makes OBS one that leaves what it monitors out of the stream: so its log says from 32.0.4 on.
func (f *fixture) deduplicates(version string) {
	f.version(version)
	f.files[loopback] = "0.15.3\n"
	if stops, _ := f.obs.Version.DeduplicationStops(); stops {
		f.obs.Deduplication = obsctl.DeduplicationOn
	}
}

func (f *fixture) captureOwn() {
	f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Copy", Kind: "pulse_output_capture", Settings: map[string]any{"device_id": "costream_topeer.monitor"}})
}

func TestHealthy(t *testing.T) {
	for name, change := range map[string]func(*fixture){
		"on air":                        func(*fixture) {},
		"off air":                       (*fixture).offAir,
		"OBS closed":                    func(f *fixture) { f.offAir(); f.closed() },
		"portable route":                func(f *fixture) { f.offAir(); f.unload(); f.o.Route = "portable" },
		"Flatpak":                       func(f *fixture) { f.flatpak("[Context]\nshared=network;\nsockets=pulseaudio;\ndevices=all;\n") },
		"PipeWire":                      func(f *fixture) { f.pipeWire(1) },
		"PipeWire, in turns":            func(f *fixture) { f.pipeWire(2) },
		"PipeWire on a host":            func(f *fixture) { f.sound.Info.Name = "PulseAudio (on PipeWire 1.4.2)" },
		"Snap":                          func(f *fixture) { f.snap("") },
		"no peer":                       func(f *fixture) { f.o.Peer = "" },
		"service not enabled":           func(f *fixture) { f.unit("UnitFileState=disabled") },
		"by hand":                       func(f *fixture) { f.unit("ActiveState=inactive", "SubState=dead", "UnitFileState=disabled") },
		"no service":                    func(f *fixture) { f.programs[askUnit] = unitGone },
		"no systemd":                    func(f *fixture) { delete(f.programs, askUnit) },
		"not paired":                    func(f *fixture) { f.o.Secure = nil },
		"changes of a run":              func(f *fixture) { f.obs.Left = []string{`the monitoring of "Mic/Aux"`} },
		"unknown changes":               func(f *fixture) { f.offAir(); f.obs.LeftError = "persistent data: unexpected end of JSON input" },
		"only the peer is asked":        func(f *fixture) { f.reached = reach.State{Port: 5000, Way: reach.WayDirect} },
		"no router is needed":           func(f *fixture) { f.reached.Router = reach.RouterNone },
		"nothing was needed":            func(f *fixture) { f.reached = reach.State{Auto: true, Port: 5000, Way: reach.WayDirect} },
		"ports change, but one is open": func(f *fixture) { f.reached.NAT = reach.NATChanging },
		"no relay":                      func(f *fixture) { f.reached.Relay = reach.RelayNone },
		"one packet lost":               func(f *fixture) { f.probe.Lost = 1 },
		"no one but us":                 func(f *fixture) { f.o.Peer, f.o.PairHosts = "", []string{"192.168.1.9", "fd00::1"} },
		"microphone past": func(f *fixture) {
			f.o.MicSource = "mic"
			f.sound.SinkInputs = nil
			f.voice(func(s *pulse.SourceOutput) { s.Source = micSource })
		},
		"signed module": func(f *fixture) {
			f.files[secureBootFile] = "\x06\x00\x00\x00\x01"
		},
		"newer OBS and module":       func(f *fixture) { f.version("32.2.1"); f.files[loopback] = "0.15.3\n" },
		"held, with both directions": func(f *fixture) { f.nodes[2].Output = true },
		"module without a version":   func(f *fixture) { delete(f.files, loopback) },
		"browser watches": func(f *fixture) {
			f.holders[900] = holder{"firefox", []string{"/dev/video10"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			change(f)
			findings := f.look(t)
			for _, id := range wrong(findings) {
				t.Errorf("got %+v", findings[id])
			}
		})
	}
}

// TestFaults breaks one thing after the other; each must be found by its own
// check alone, with a text that is held to the golden file.
func TestFaults(t *testing.T) {
	var report strings.Builder
	found := make(map[string]bool)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			f := healthy(t)
			fault.inflict(f)
			findings := f.look(t)
			if diff := cmp.Diff(fault.found, wrong(findings)); diff != "" {
				t.Errorf("checks that find it (-want +got):\n%s", diff)
				for _, id := range wrong(findings) {
					t.Logf("%+v", findings[id])
				}
			}
			fmt.Fprintf(&report, "## %s\n", fault.name)
			for _, id := range fault.found {
				g := findings[id]
				found[id] = true
				if g.Detail == "" || g.Why == "" || g.Next == "" {
					t.Errorf("%s: got %+v, want detail, why and next", id, g)
				}
				for _, text := range []string{g.Detail, g.Why, g.Next} {
					if strings.Count(text, "`")%2 != 0 || !strings.ContainsAny(text[len(text)-1:], ".`)") {
						t.Errorf("%s: %q does not end like a sentence, or leaves a quote open", id, text)
					}
				}
				fmt.Fprintf(&report, "%s %s: %s\nwhy: %s\nnext: %s\n", g.Status, id, g.Detail, g.Why, g.Next)
				if g.Fix != "" {
					fmt.Fprintf(&report, "fix: %s\n", g.Fix)
				}
			}
			report.WriteString("\n")
		})
	}
	for _, c := range checks.All(healthy(t).machine(t)) {
		if !found[c.ID] {
			t.Errorf("no fault makes %s fail", c.ID)
		}
	}
	golden.Check(t, "testdata/faults.golden", report.String())
}

// TestPass: each check is seen to pass on a machine that it can judge.
func TestPass(t *testing.T) {
	onAir := healthy(t).look(t)
	for id, f := range onAir {
		if f.Status != doctor.OK {
			t.Errorf("%s: got %s %q, want ok", id, f.Status, f.Detail)
		}
	}
}

// programmeOnCamera is healthy without setup clean-feed.
func (f *fixture) programmeOnCamera() {
	f.files[scenesOf] = `{"name":"Untitled","virtual-camera":{"type":0,"internal":0,"scene":"","source":""}}`
}

// TestCameraShowsProgramme: where the peer is to get the clean feed, a virtual camera that shows the programme makes --route=auto
// take the portable route, which is told and is no fault.
func TestCameraShowsProgramme(t *testing.T) {
	for _, test := range []struct {
		name string
		feed bool
		want string // part of the detail of obs.vcam.type
		slow bool   // the portable route is too slow for the picture
	}{
		{"clean feed", true, "pictures take the portable route", true},
		{"no clean feed", false, "as far as OBS's files tell", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy(t)
			f.offAir()
			f.programmeOnCamera()
			f.o.CleanFeed = test.feed
			f.obs.Video.OutputW, f.obs.Video.OutputH, f.obs.Video.FPSNum, f.obs.Video.FPSDen = 1920, 1080, 60, 1
			findings := f.look(t)
			if got := findings["obs.vcam.type"]; got.Status != doctor.OK || !strings.Contains(got.Detail, test.want) {
				t.Errorf("obs.vcam.type: got %s %q, want ok with %q", got.Status, got.Detail, test.want)
			}
			if got := findings["obs.video"]; (got.Status == doctor.Warn) != test.slow {
				t.Errorf("obs.video: got %s %q, want a warning: %t", got.Status, got.Detail, test.slow)
			}
		})
	}
}

// TestUnanswered: of a peer that did not answer, neither the key nor the clock is known.
func TestUnanswered(t *testing.T) {
	for _, asked := range [][]netip.AddrPort{nil, {peerAt}} {
		f := healthy(t)
		f.unreached()
		f.probe.Asked = asked
		findings := f.look(t)
		for _, id := range []string{"net.key", "net.clock"} {
			if got := findings[id]; got.Status != doctor.Skip || got.Detail == "" {
				t.Errorf("asked %v: %s: got %s %q, want it skipped with its cause", asked, id, got.Status, got.Detail)
			}
		}
		if got := findings["net.probe"]; got.Status != doctor.Warn && got.Status != doctor.Fail {
			t.Errorf("asked %v: net.probe: got %s, want a warning or a failure", asked, got.Status)
		}
	}
}

// TestSecureBoot: where Secure Boot is on and the module not loaded yet.
func TestSecureBoot(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*fixture)
		want   doctor.Status
		detail string
	}{
		{"off", func(f *fixture) { f.files[secureBootFile] = "\x06\x00\x00\x00\x00" }, doctor.OK, "Secure Boot is off"},
		{"no modinfo", func(*fixture) {}, doctor.Skip, "modinfo"},
		{"enrolled", func(f *fixture) {
			f.signed()
			f.files["var/lib/dkms/mok.pub"] = ""
			f.programs["mokutil --test-key /var/lib/dkms/mok.pub"] = "/var/lib/dkms/mok.pub is already enrolled\n"
		}, doctor.OK, "whose key is enrolled"},
		{"signed by the distribution", (*fixture).signed, doctor.OK, "signed by"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy(t)
			f.offAir()
			f.unload()
			f.files[secureBootFile] = "\x06\x00\x00\x00\x01"
			test.change(f)
			got := f.look(t)["v4l2.module.sign"]
			if got.Status != test.want || !strings.Contains(got.Detail, test.detail) {
				t.Errorf("got %s %q, want %s with %q", got.Status, got.Detail, test.want, test.detail)
			}
		})
	}
}

func (f *fixture) signed() {
	f.programs["modinfo -k "+kernel+" -F signer v4l2loopback"] = "DKMS module signing key\n"
}

// TestViewers: what OBS's log says is a fault only where it takes a microphone from the viewers.
func TestViewers(t *testing.T) {
	const id = "audio.viewers"
	muteCapture := func(f *fixture) { f.change("Desktop Audio", func(in *checks.Input) { in.Muted = true }) }
	for _, test := range []struct {
		name   string
		change func(*fixture)
		want   doctor.Status
		detail string
	}{
		{"OBS before 32", func(f *fixture) { f.version("31.1.2") }, doctor.OK, "OBS 31.1.2 streams what it monitors"},
		{"never said", func(f *fixture) { f.version("32.2.2") }, doctor.OK, "OBS streams what it monitors"},
		{"kept from it", func(f *fixture) { f.version("32.2.2"); f.obs.Deduplication = obsctl.DeduplicationOff }, doctor.OK, "OBS streams what it monitors"},
		{"does so", func(f *fixture) { f.deduplicates("32.2.2") }, doctor.Fail, "OBS 32.2.2 leaves Mic/Aux out of your stream."},
		{"does so for the sake of a muted capture", func(f *fixture) { f.deduplicates("32.2.2"); muteCapture(f) }, doctor.OK, "OBS streams what it monitors"},
		{"does so off air", func(f *fixture) {
			f.offAir()
			f.deduplicates("32.2.2")
			f.change(microphone, func(in *checks.Input) { in.Monitor = obsctl.MonitorAndOutput })
		}, doctor.OK, "not on air now; OBS's own monitoring is not changed"},
		{"microphone for the peer alone", func(f *fixture) {
			f.deduplicates("32.2.2")
			f.change(microphone, func(in *checks.Input) { in.Monitor = obsctl.MonitorOnly })
		}, doctor.OK, "OBS monitors no microphone that is in your stream"},
		{"microphone past OBS", func(f *fixture) { f.deduplicates("32.2.2"); f.o.MicSource = "mic" }, doctor.OK, "the microphone goes to the peer without OBS (--mic-source)"},
		{"OBS elsewhere", func(f *fixture) { f.version("32.2.2"); f.obs.LogError = "OBS's log: process 0 has none open" }, doctor.Skip,
			"only OBS's log shows it, and that cannot be read (OBS's log: process 0 has none open)"},
		{"OBS 32.0.3 compares the devices", func(f *fixture) { f.version("32.0.3") }, doctor.Fail, "OBS 32.0.3 leaves Mic/Aux out of your stream."},
		{"one is chosen by name", func(f *fixture) {
			f.version("32.0.3")
			f.obs.Monitoring = obsctl.MonitoringDevice{ID: f.sound.Info.DefaultSink, Name: "DefaultOut"}
		}, doctor.Fail, "OBS 32.0.3 leaves Mic/Aux out of your stream."},
		{"they differ", func(f *fixture) {
			f.version("32.0.3")
			f.obs.Monitoring = obsctl.MonitoringDevice{ID: "usb_headset", Name: "USB headset"}
		}, doctor.OK, "OBS streams what it monitors"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := healthy(t)
			test.change(f)
			if got := f.look(t)[id]; got.Status != test.want || got.Detail != test.detail {
				t.Errorf("got %s %q, want %s %q", got.Status, got.Detail, test.want, test.detail)
			}
		})
	}
}

func TestTable(t *testing.T) {
	if err := doctor.Validate(checks.All(&checks.Machine{})); err != nil {
		t.Error(err)
	}
}

// TestClosedIsFine: what the viewers do not hear, because its fader is down or its key is up, is not monitored on purpose.
func TestClosedIsFine(t *testing.T) {
	for _, tt := range []struct {
		name   string
		closed []string
		want   []string
	}{
		{"closed", []string{"Music"}, nil},
		{"another is closed", []string{microphone}, []string{"audio.monitor.inputs"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := healthy(t)
			f.daemon.Report.Shared, f.daemon.Closed = []string{"Music"}, tt.closed
			f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Music", Kind: "vlc_source"})
			if diff := cmp.Diff(tt.want, wrong(f.look(t))); diff != "" {
				t.Errorf("wrong (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBusyRTKitIsFine: an rtkit that has granted all that it may is there.
func TestBusyRTKitIsFine(t *testing.T) {
	f := healthy(t)
	f.urgentErr = fmt.Errorf("real-time priority: operation not permitted; %w", priority.ErrBusy)
	if got := wrong(f.look(t)); len(got) > 0 {
		t.Errorf("got %q, want nothing wrong", got)
	}
}

// TestSharedIsFine: what is shared, monitored and plays to the peer is as right as a microphone.
func TestSharedIsFine(t *testing.T) {
	f := healthy(t)
	f.daemon.Report.Shared = []string{"Music"}
	f.obs.Inputs = append(f.obs.Inputs, checks.Input{Name: "Music", Kind: "vlc_source", Monitor: obsctl.MonitorAndOutput})
	f.sound.SinkInputs = append(f.sound.SinkInputs, pulse.SinkInput{Sink: toPeer, Stream: pulse.Stream{Index: 903, Properties: map[string]string{
		"application.name": "OBS", "application.process.id": fmt.Sprint(recordedPID), "media.name": "Music",
	}}})
	if got := wrong(f.look(t)); len(got) > 0 {
		t.Errorf("got %q, want nothing wrong", got)
	}
}
