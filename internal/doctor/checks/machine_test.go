// SPDX-License-Identifier: Apache-2.0

package checks_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestVersionPairs goes through facts that were looked up version by version.
func TestVersionPairs(t *testing.T) {
	for _, test := range []struct {
		loopback, obs, kernel string
		want                  doctor.Status
	}{ // "+" behind OBS's version: its virtual camera is that of 31.0.4
		{"0.12.7", "28.1.2", "6.1.0", doctor.Warn},
		{"0.12.7", "29.0.0", "6.1.0", doctor.OK},
		{"0.12.7", "31.0.3", "6.1.0", doctor.OK},
		{"0.12.7", "31.0.4", "6.1.0", doctor.Warn},
		{"0.12.7", "30.2.3+", "6.1.0", doctor.Warn},
		{"0.12.7", "31.1.0", "6.1.0", doctor.Warn},
		{"0.12.7", "32.1.9", "6.1.0", doctor.Warn},
		{"0.12.7", "32.2.0", "6.1.0", doctor.OK},
		{"0.13.2", "29.0.2", "6.1.0", doctor.OK},
		{"0.13.2", "32.0.0", "6.17.9", doctor.OK},
		{"0.13.2", "32.0.0", "6.18.0", doctor.Fail},
		{"0.14.0", "31.0.3", "6.1.0", doctor.Fail},
		{"0.14.0", "31.0.4", "6.1.0", doctor.OK},
		{"0.15.0", "30.2.3", "6.1.0", doctor.Fail},
		{"0.15.0", "30.2.3+", "6.1.0", doctor.OK},
		{"0.14.0", "31.1.0", "6.1.0", doctor.OK},
		{"0.15.2", "32.2.0", "6.18.44-fc", doctor.Fail},
		{"0.15.3", "32.2.0", "6.18.44-fc", doctor.OK},
		{"", "29.0.2", "6.1.0", doctor.OK},
		{"", "32.0.0", "6.1.0", doctor.Warn}, // a module that does not tell is of 0.12
		{"0.15.3", "32.2.0", "", doctor.OK},
	} {
		t.Run(strings.Join([]string{test.loopback, test.obs, test.kernel}, "_"), func(t *testing.T) {
			f := healthy(t)
			f.o.Route = "devices"
			version, patched := strings.CutSuffix(test.obs, "+")
			f.version(version)
			f.obs.Version.CameraPatched = patched
			f.files[loopback], f.kernel = test.loopback+"\n", test.kernel
			if test.loopback == "" {
				delete(f.files, loopback)
			}
			got := f.look(t)["v4l2.module.version"]
			if got.Status != test.want {
				t.Errorf("got %s %q, want %s", got.Status, got.Detail, test.want)
			}
			// The companion goes by obsctl's table before it starts the camera.
			module := obsctl.Semver{Minor: 14}
			if v, err := obsctl.ParseSemver(test.loopback); err == nil && v.AtLeast(module) && strings.HasPrefix(test.kernel, "6.1.") {
				if refused := f.obs.Version.VirtualCamRefused(); refused != (got.Status == doctor.Fail) {
					t.Errorf("got %s, but the companion takes the camera as refused: %t", got.Status, refused)
				}
			}
		})
	}
}

// TestInstalledPair looks at the plugin of an OBS that does not run.
func TestInstalledPair(t *testing.T) {
	for name, want := range map[string]doctor.Status{
		"Failed to start streaming on '%s' (%s)":                                                  doctor.Fail,
		"Attempting to reset output capability of '%s'\x00Failed to start streaming on '%s' (%s)": doctor.OK,
	} {
		f := healthy(t)
		f.offAir()
		f.closed()
		f.o.Route = "devices"
		f.programs["obs --version"] = "OBS Studio - 30.2.3.1-3\n"
		f.files[loopback] = "0.15.0\n"
		f.files["usr/lib/x86_64-linux-gnu/obs-plugins/linux-v4l2.so"] = "\x7fELF\x00" + name
		if got := f.look(t)["v4l2.module.version"]; got.Status != want {
			t.Errorf("plugin with %q: got %s %q, want %s", name, got.Status, got.Detail, want)
		}
	}
}

// TestSandboxedVersion: the Flatpak and the Snap tell their versions when nothing runs.
func TestSandboxedVersion(t *testing.T) {
	for command, said := range map[string]string{
		"flatpak info com.obsproject.Studio": "\nOBS Studio - Live stream and record videos\n\n          ID: com.obsproject.Studio\n     Version: 31.0.3\n     License: GPL-2.0-or-later\n",
		"snap list obs-studio":               "Name        Version  Rev   Tracking       Publisher     Notes\nobs-studio  30.1.1   1311  latest/stable  snapcrafters  -\n",
	} {
		f := healthy(t)
		f.offAir()
		f.closed()
		delete(f.programs, "obs --version")
		f.programs[command] = said
		f.files[loopback] = "0.15.0\n"
		if got := f.look(t)["v4l2.module.version"]; got.Status != doctor.Warn || !strings.Contains(got.Detail, "OBS 3") {
			t.Errorf("%s: got %s %q, want a warning with the version", command, got.Status, got.Detail)
		}
	}
}

// serveStatus answers on a control socket.
func serveStatus(t *testing.T, answer http.HandlerFunc) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", answer)
	server := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return socket
}

func TestDaemon(t *testing.T) {
	want := control.Report{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), State: control.OnAir, Problems: []string{"no"}}
	m := checks.New(checks.Options{ControlSocket: serveStatus(t, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(want) })})
	got, err := m.Daemon(t.Context())
	if diff := cmp.Diff(checks.Daemon{Running: true, PID: os.Getpid(), Report: want}, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}

	m = checks.New(checks.Options{ControlSocket: serveStatus(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("what?")) })})
	if got, err := m.Daemon(t.Context()); err == nil || !got.Running {
		t.Errorf("nonsense: got %+v, %v, want it running and an error", got, err)
	}

	release := make(chan struct{})
	defer close(release)
	m = checks.New(checks.Options{ControlSocket: serveStatus(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})})
	if got, err := m.Daemon(t.Context()); err == nil || !got.Running {
		t.Errorf("hangs: got %+v, %v, want it running and an error", got, err)
	}

	m = checks.New(checks.Options{ControlSocket: filepath.Join(t.TempDir(), "none")})
	if got, err := m.Daemon(t.Context()); err != nil || got.Running {
		t.Errorf("no socket: got %+v, %v, want none running", got, err)
	}
}

// TestRecordedPactl looks at a sound server by what its pactl printed.
func TestRecordedPactl(t *testing.T) {
	dir, err := filepath.Abs("../../pulse/testdata/pulseaudio-16.1")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\nexec cat \"" + dir + `/$(echo " $*" | sed 's/^ -f//; s/^ //; s/ /_/g')"` + "\n"
	if err := os.WriteFile(filepath.Join(bin, "pactl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	f := healthy(t)
	if f.sound, err = checks.New(checks.Options{}).Sound(t.Context()); err != nil {
		t.Fatal(err)
	}
	// In the recording, OBS monitors its microphone to the headphones.
	findings := f.look(t)
	if got := findings["audio.server"]; got.Status != doctor.OK || got.Detail != "pulseaudio 16.1" {
		t.Errorf("audio.server: got %+v", got)
	}
	if got := findings["audio.monitor.inputs"]; got.Status != doctor.Fail || !strings.Contains(got.Detail, "OBS plays Mic/Aux to default_out") {
		t.Errorf("audio.monitor.inputs: got %+v", got)
	}
	t.Setenv("PATH", t.TempDir())
	f.sound, f.soundErr = checks.New(checks.Options{}).Sound(t.Context())
	if got := f.look(t)["audio.server"]; got.Status != doctor.Fail || !strings.Contains(got.Detail, "not installed") {
		t.Errorf("without pactl: got %+v", got)
	}
}

// TestHere: this machine's own parts can be asked, whatever they are.
func TestHere(t *testing.T) {
	m := checks.New(checks.Options{Route: "auto", VideoOut: "/dev/video10", VideoIn: "/dev/video11", BasePort: 5000, Listen: "127.0.0.1"})
	if m.Kernel == "" {
		t.Error("the kernel has no name")
	}
	if _, err := m.Nodes(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Elements(t.Context()); err != nil {
		t.Errorf("GStreamer: %v", err)
	}
	if addrs, err := m.Resolve(t.Context(), "[::1]"); err != nil || len(addrs) != 1 || addrs[0] != "::1" {
		t.Errorf("resolve: got %q, %v, want ::1", addrs, err)
	}
	if local, err := m.RouteTo(t.Context(), "127.0.0.2"); err != nil || local != "127.0.0.1" {
		t.Errorf("route: got %q, %v, want it from 127.0.0.1", local, err)
	}
	if _, err := m.Controls("/dev/null"); err == nil {
		t.Error("/dev/null has the controls of a loopback device")
	}
	if _, err := m.Exec(t.Context(), "sh", "-c", "echo trouble >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "trouble") {
		t.Errorf("program: got error %v, want what it said", err)
	}
}
