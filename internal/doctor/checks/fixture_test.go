// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/encoders"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/media"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	kernel = "6.1.0-28-amd64"
	ownPID = 5000 // of costream-obs
	// recordedPID is OBS's process id in the recordings.
	recordedPID = 4242
	modules     = "lib/modules/" + kernel + "/modules.dep"
	loopback    = "sys/module/v4l2loopback/version"
	parameters  = "sys/module/v4l2loopback/parameters/"
	modprobeD   = "etc/modprobe.d/costream.conf"
	rmem        = "proc/sys/net/core/rmem_max"
	globalOf    = "home/me/.config/obs-studio/global.ini"
	scenesOf    = "home/me/.config/obs-studio/basic/scenes/Untitled.json"
)

// fixture is a machine that consists of files and recordings. healthy is on
// air on the devices route, with OBS 29.0.2 and v4l2loopback 0.12.7.
type fixture struct {
	o        checks.Options
	kernel   string
	files    map[string]string // below the root
	links    map[string]string // symbolic links below the root
	holders  map[int]holder
	nodes    []v4l2.Node
	controls map[string]v4l2.Controls
	programs map[string]string // what programs print, by their command line
	missing  error

	encoders    []encoders.Result
	encodersErr error

	daemon    checks.Daemon
	daemonErr error
	endpoint  obsctl.Endpoint
	findErr   error
	processes []obsctl.Process
	obs       checks.OBS
	obsErr    error
	hotkeys   checks.Hotkeys
	sound     checks.Sound
	soundErr  error
	peak      float64
	heard     map[string]checks.Heard

	addrs     []string
	lookup    error
	local     string
	routeErr  error
	bindErr   error
	urgentErr error
	probe     link.ProbeReport
	probeErr  error
	reached   reach.State

	later *fixture // the same machine at the next look
}

// holder is a process with what it has open.
type holder struct {
	name string
	open []string
}

func healthy(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		o: checks.Options{
			Route: "auto", VideoOut: "/dev/video10", VideoIn: "/dev/video11", CleanFeed: true, BasePort: 5000,
			SourceName: "Peer", Peer: "friend.example", Secure: noLink, SettingsFile: "/home/me/.config/costream-obs/config.toml",
		},
		kernel: kernel,
		encoders: []encoders.Result{
			{Name: "nvh264enc", Absent: true},
			{Name: "vah264enc", EncoderTrial: media.EncoderTrial{PerFrame: 3 * time.Millisecond}},
		},
		files: map[string]string{
			"dev/null": "",
			modules:    "updates/dkms/v4l2loopback.ko.xz: kernel/drivers/media/v4l2-core/videodev.ko\nkernel/drivers/net/dummy.ko:\n",
			"lib/modules/" + kernel + "/build/Makefile": "",
			loopback:                           "0.12.7\n",
			parameters + "exclusive_caps":      "Y,Y,N,N,N,N,N,N\n",
			parameters + "video_nr":            "10,11,-1,-1,-1,-1,-1,-1\n",
			"etc/modules-load.d/costream.conf": "# by costream-obs setup\nv4l2loopback\n",
			modprobeD:                          `options v4l2loopback video_nr=10,11 card_label="costream-topeer,costream-frompeer" exclusive_caps=1,1` + "\n",
			rmem:                               "212992\n",
			"proc/net/udp":                     udpTable(0),
			globalOf:                           "[Basic]\nSceneCollection=Untitled\nSceneCollectionFile=Untitled\n",
			scenesOf:                           `{"name":"Untitled","virtual-camera":{"type":1,"internal":0,"scene":"To peer","source":""}}`,
			"etc/os-release":                   "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		},
		links: map[string]string{"proc/5000/exe": "/usr/local/bin/costream-obs"},
		holders: map[int]holder{
			recordedPID: {"obs", []string{"/dev/video10", "/dev/video11", "/dev/null"}},
			ownPID:      {"costream-obs", []string{"/dev/video10", "/dev/video11"}},
		},
		nodes: []v4l2.Node{
			{Path: "/dev/video0", Number: 0, Label: "Webcam", Capture: true},
			written(10, "costream-topeer", "YUYV:640x360@30"),
			written(11, "costream-frompeer", "YU12:640x360@30"),
		},
		programs: map[string]string{
			"obs --version": "OBS Studio - 29.0.2.1-1+b1 (linux)\n",
			askUnit:         unitRuns,
		},
		daemon:    checks.Daemon{Running: true, PID: ownPID, Report: control.Report{State: control.OnAirWithPeer, Route: control.RouteDevices}},
		endpoint:  obsctl.Endpoint{Host: "localhost", Port: 4455, Password: "correct horse", AuthRequired: true, Enabled: true, PID: recordedPID, Source: "/home/me/.config/obs-studio/global.ini"},
		processes: []obsctl.Process{{PID: recordedPID, ConfigHome: "/home/me/.config"}},
		hotkeys: checks.Hotkeys{
			Entry: &hotkeys.Entry{Order: hotkeys.Order{Keys: map[hotkeys.Action]collection.Key{hotkeys.Toggle: {Key: "OBS_KEY_F9"}}}}, Collection: "Untitled", Script: "/home/me/.local/share/costream-obs/costream-obs.lua", Current: true,
			Keys: map[hotkeys.Action][]string{hotkeys.Toggle: {"F9"}},
		},
		peak:  0.02,
		addrs: []string{"198.51.100.7"},
		local: "192.168.1.5",
	}
	f.probe = link.ProbeReport{
		Peer: peerAt, Asked: []netip.AddrPort{peerAt}, Seen: netip.MustParseAddrPort("203.0.113.9:61000"),
		Sent: 50, RTT: 23400 * time.Microsecond, MinRTT: 21 * time.Millisecond, MaxRTT: 40 * time.Millisecond,
		PacketSize: 1492, ClockAhead: -12 * time.Millisecond, Version: link.ProbeVersion,
	}
	f.reached = reach.State{
		Auto: true, Port: 5000, Way: reach.WayDirect, At: peerAt, Searched: time.Minute, Router: reach.RouterOpen, Protocol: "PCP",
		Opened: []string{"203.0.113.9:5000"}, NAT: reach.NATSame, Outer: []string{"203.0.113.9:61000"}, Nodes: 40, Note: true,
		Relay: reach.RelayReady, RelayHost: "turn.example.org",
	}
	readJSON(t, "obs-29.0.2.json", &f.obs)
	readJSON(t, "sound-on-air.json", &f.sound)
	// Nobody was on air when that was recorded.
	f.sound.SourceOutputs = append(f.sound.SourceOutputs, pulse.SourceOutput{Stream: own(900, media.StreamVoice), Source: toPeerSource})
	// It was recorded where there is no kernel module.
	f.obs.HasCamera, f.obs.CameraOn, f.obs.Feed = true, true, true
	f.change("Peer", func(in *checks.Input) {
		in.Kind, in.Settings = "v4l2_input", map[string]any{"device_id": "/dev/video11", "buffering": false, "costream_obs": "peer"}
	})
	return f
}

// In the recordings: the monitor of our sink, that of the default sink, the microphone, and our sink.
const toPeerSource, headphones, micSource, toPeer = 3, 0, 2, 2

// own is a stream of costream-obs.
func own(index int, purpose string) pulse.Stream {
	return pulse.Stream{Index: index, Properties: map[string]string{"application.process.id": fmt.Sprint(ownPID), media.StreamProperty: purpose}}
}

// voice is the recording stream of costream-obs.
func (f *fixture) voice(do func(*pulse.SourceOutput)) {
	for i := range f.sound.SourceOutputs {
		if f.sound.SourceOutputs[i].Properties[media.StreamProperty] == media.StreamVoice {
			do(&f.sound.SourceOutputs[i])
		}
	}
}

var (
	peerAt     = netip.MustParseAddrPort("198.51.100.7:5000")
	strangerAt = netip.MustParseAddrPort("198.51.100.7:40123")
)

// noLink stands for a pair; fixtures say themselves what its link finds.
func noLink(link.Handler) (link.Link, error) { return nil, errors.New("a fixture has no link") }

// What systemd 252 says of our unit (measured; MainPID set to ownPID).
const (
	askUnit  = "systemctl --user show costream-obs.service --property=LoadState,UnitFileState,ActiveState,SubState,Result,ExecMainStatus,MainPID,NeedDaemonReload"
	unitRuns = "MainPID=5000\nResult=success\nExecMainStatus=0\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\n"
	unitGone = "MainPID=0\nResult=success\nExecMainStatus=0\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNeedDaemonReload=no\n"
)

// unit changes what systemd says of our unit, "key=value" by "key=value".
func (f *fixture) unit(changes ...string) {
	for _, change := range changes {
		key, _, _ := strings.Cut(change, "=")
		f.programs[askUnit] = regexp.MustCompile("(?m)^"+key+"=.*$").ReplaceAllString(f.programs[askUnit], change)
	}
}

// unreached takes the peer away from where it was reached.
func (f *fixture) unreached() {
	f.probe = link.ProbeReport{Asked: f.probe.Asked}
	f.reached.Way, f.reached.At = "", netip.AddrPort{}
}

// offAir is healthy without a running costream-obs.
func (f *fixture) offAir() {
	f.daemon = checks.Daemon{}
	f.unit("ActiveState=inactive", "SubState=dead", "UnitFileState=disabled", "MainPID=0")
	f.obs.CameraOn = false
	f.nodes[1] = free(10, "costream-topeer")
	f.nodes[2] = free(11, "costream-frompeer")
	f.holders = map[int]holder{recordedPID: {name: "obs"}}
	f.sound.SinkInputs = nil
	f.change(microphone, func(in *checks.Input) { in.Monitor = obsctl.MonitorOff })
}

func (f *fixture) change(input string, do func(*checks.Input)) {
	for i := range f.obs.Inputs {
		if f.obs.Inputs[i].Name == input {
			do(&f.obs.Inputs[i])
		}
	}
}

func (f *fixture) version(v string) {
	f.obs.Version.OBS, _ = obsctl.ParseSemver(v)
}

// stream is OBS's stream of the microphone.
func (f *fixture) stream(do func(*pulse.SinkInput)) {
	for i := range f.sound.SinkInputs {
		if f.sound.SinkInputs[i].MediaName() == microphone {
			do(&f.sound.SinkInputs[i])
		}
	}
}

func free(number int, label string) v4l2.Node {
	return v4l2.Node{Path: fmt.Sprint("/dev/video", number), Number: number, Label: label, Loopback: true, Output: true}
}

func written(number int, label, format string) v4l2.Node {
	n := free(number, label)
	n.Output, n.Capture, n.Format = false, true, format
	return n
}

// udpTable is /proc/net/udp with our first port, as Linux 6.1 writes it.
func udpTable(drops int) string {
	return "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n" +
		fmt.Sprintf(" 1234: 00000000:1388 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 61234 2 0000000000000000 %d         \n", drops)
}

// machine builds the files and returns what the checks look at.
func (f *fixture) machine(t *testing.T) *checks.Machine {
	t.Helper()
	root := t.TempDir()
	for name, text := range f.files {
		write(t, filepath.Join(root, name), text)
	}
	for pid, h := range f.holders {
		dir := filepath.Join(root, "proc", fmt.Sprint(pid))
		write(t, filepath.Join(dir, "comm"), h.name+"\n")
		if err := os.MkdirAll(filepath.Join(dir, "fd"), 0o700); err != nil {
			t.Fatal(err)
		}
		for i, target := range h.open {
			if err := os.Symlink(target, filepath.Join(dir, "fd", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, target := range f.links {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return &checks.Machine{
		Options: f.o, Root: root, Home: "/home/me", User: "me", Kernel: f.kernel,
		Elements: func(context.Context) error { return f.missing }, GStreamer: func() string { return "1.22.0" },
		Encoders: func(context.Context, media.VideoFormat) ([]encoders.Result, error) { return f.encoders, f.encodersErr },
		Nodes:    func(context.Context) ([]v4l2.Node, error) { return f.nodes, nil },
		Controls: func(path string) (v4l2.Controls, error) { return f.controls[path], nil },
		Exec: func(_ context.Context, name string, args ...string) (string, error) {
			said, known := f.programs[strings.Join(append([]string{name}, args...), " ")]
			if !known {
				return "", errors.New(name + ": executable file not found in $PATH")
			}
			return said, nil
		},
		Daemon:    func(context.Context) (checks.Daemon, error) { return f.daemon, f.daemonErr },
		Endpoint:  func(context.Context) (obsctl.Endpoint, error) { return f.endpoint, f.findErr },
		Processes: func(context.Context) ([]obsctl.Process, error) { return f.processes, nil },
		OBS:       func(context.Context) (checks.OBS, error) { return f.obs, f.obsErr },
		Hotkeys:   func(context.Context) (checks.Hotkeys, error) { return f.hotkeys, nil },
		Sound:     func(context.Context) (checks.Sound, error) { return f.sound, f.soundErr },
		Peak:      func(context.Context, string) (float64, error) { return f.peak, nil },
		Follow: func(context.Context, map[string]pulse.SinkInput) (map[string]checks.Heard, error) {
			return f.heard, nil
		},
		Resolve: func(context.Context, string) ([]string, error) { return f.addrs, f.lookup },
		RouteTo: func(context.Context, string) (string, error) { return f.local, f.routeErr },
		Bind:    func(context.Context) error { return f.bindErr },
		Urgent:  func() (realTime, nice error) { return f.urgentErr, nil },
		Probe:   func(context.Context) (link.ProbeReport, error) { return f.probe, f.probeErr },
		Reached: func(context.Context) (reach.State, error) { return f.reached, f.probeErr },
		Later: func(context.Context) *checks.Machine {
			if f.later == nil {
				return nil
			}
			return f.later.machine(t)
		},
	}
}

// look runs all checks, those on request as well.
func (f *fixture) look(t *testing.T) map[string]doctor.Finding {
	t.Helper()
	table := checks.All(f.machine(t))
	var all []string
	for _, c := range table {
		all = append(all, c.ID)
	}
	findings := make(map[string]doctor.Finding)
	for _, finding := range doctor.Run(t.Context(), table, all, nil).Checks {
		findings[finding.ID] = finding
	}
	return findings
}

// wrong are the ids of the checks that found something.
func wrong(findings map[string]doctor.Finding) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(findings)) {
		if s := findings[id].Status; s == doctor.Warn || s == doctor.Fail {
			ids = append(ids, id)
		}
	}
	return ids
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

const late = 240 * time.Millisecond
