// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/fakeobs"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
)

// installOBS puts a program obs, which prints its version as the real one does, where it is the only one that is found.
func installOBS(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "obs"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

const (
	obs29 = `[ "$1" = --version ] && echo 'OBS Studio - 29.0.2.1-1+b1 (linux)'`
	obs32 = `[ "$1" = --version ] && echo 'OBS Studio - 32.2.2 (linux)'`
)

func TestVersion(t *testing.T) {
	gstreamer := media.GStreamerVersion()
	built := "(" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, test := range []struct {
		name    string
		program string // what obs does; empty where it is not installed
		running *fakeobs.Server
		broken  bool // the configuration file cannot be read
		obs     string
		json    *obsSeen
	}{
		{name: "no OBS", obs: "OBS: not found"},
		{name: "installed", program: obs29, obs: "OBS 29.0.2 (installed; no running OBS answers)", json: &obsSeen{Version: "29.0.2"}},
		{name: "running, another is installed", program: obs29, running: &fakeobs.Server{Version: "32.2.2"},
			obs: "OBS 32.2.2 (running, obs-websocket 5.1.0)", json: &obsSeen{Version: "32.2.2", Running: true, WebSocket: "5.1.0"}},
		{name: "running, with another password", program: obs32, running: &fakeobs.Server{Password: "other"},
			obs: "OBS 32.2.2 (installed; no running OBS answers)", json: &obsSeen{Version: "32.2.2"}},
		{name: "running, but hangs up", running: &fakeobs.Server{HangUp: true}, obs: "OBS: not found"},
		{name: "broken settings", program: obs32, broken: true, obs: "OBS 32.2.2 (installed; no running OBS answers)", json: &obsSeen{Version: "32.2.2"}},
		{name: "another program of that name", program: "echo observe 1.0", obs: "OBS: not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			home := isolate(t)
			installOBS(t, "exit 1")
			if test.program != "" {
				installOBS(t, test.program)
			}
			// Port 1 is nobody's, unlike OBS's own.
			t.Setenv("COSTREAM_OBS_PORT", "1")
			if test.running != nil {
				t.Setenv("COSTREAM_OBS_PORT", strconv.Itoa(test.running.Start(t).Addr().Port))
			}
			if test.broken {
				file := filepath.Join(home, "config.toml")
				if err := os.WriteFile(file, []byte("nonsense = 1\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Setenv("COSTREAM_CONFIG", file)
			}
			got := runCLI(t.Context(), "--version")
			lines := strings.Split(got.Stdout, "\n")
			if got.Code != exitOK || got.Stderr != "" || len(lines) != 4 {
				t.Fatalf("got %+v, want three lines", got)
			}
			if !strings.HasPrefix(lines[0], "costream-obs ") || !strings.HasSuffix(lines[0], " "+built) {
				t.Errorf("got %q, want the version and %s", lines[0], built)
			}
			if diff := cmp.Diff([]string{"GStreamer " + gstreamer, test.obs, ""}, lines[1:]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			got = runCLI(t.Context(), "version", "-json")
			var seen versions
			if err := json.Unmarshal([]byte(got.Stdout), &seen); err != nil || got.Code != exitOK {
				t.Fatalf("version -json: got %+v: %v", got, err)
			}
			want := builtAs()
			want.GStreamer, want.OBS = gstreamer, test.json
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("version -json: -want +got:\n%s", diff)
			}
		})
	}
}

// TestVersionOfSilentOBS: an OBS that says nothing does not hold up a bug report for long, and is not said to be missing.
func TestVersionOfSilentOBS(t *testing.T) {
	isolate(t)
	t.Setenv("COSTREAM_OBS_PORT", "1")
	installOBS(t, "exec /bin/sleep 60")
	media.GStreamerVersion() // the first time is slow
	begin := time.Now()
	got := runCLI(t.Context(), "version")
	if want := "\nOBS is installed, but `obs --version` did not answer within 2s\n"; got.Code != exitOK || !strings.HasSuffix(got.Stdout, want) {
		t.Errorf("got %+v, want it to end with %q", got, want)
	}
	if took := time.Since(begin); took > obsAnswers+time.Second {
		t.Errorf("it took %v, want no more than %v", took, obsAnswers)
	}
}

// TestRealVersion: the real OBS tells the same version whether it runs or is asked as a program.
func TestRealVersion(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{})
	isolate(t)
	ask := func(port int) obsSeen {
		t.Helper()
		t.Setenv("COSTREAM_OBS_PORT", strconv.Itoa(port))
		got := runCLI(t.Context(), "version", "--json")
		var seen versions
		if err := json.Unmarshal([]byte(got.Stdout), &seen); err != nil || seen.OBS == nil {
			t.Fatalf("got %+v: %v, want an OBS", got, err)
		}
		return *seen.OBS
	}
	running, installed := ask(obs.Port), ask(1)
	if !running.Running || running.WebSocket == "" {
		t.Errorf("got %+v, want the OBS that runs", running)
	}
	if want := (obsSeen{Version: running.Version}); installed != want {
		t.Errorf("got %+v, want %+v", installed, want)
	}
}
