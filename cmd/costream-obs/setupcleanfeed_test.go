// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

// closedDir is the directory of closedOBS, whichever other OBS runs on this machine.
func closedDir(t *testing.T) (file string, obs collection.Dir) {
	t.Helper()
	file = closedOBS(t)
	obs, err := collection.Find(obsctl.FindOptions{ProcRoot: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return file, obs
}

// testCamera is a feedSetup that can set the camera of an OBS.
func testCamera(t *testing.T, out io.Writer, m setup.Machine, obs collection.Dir) feedSetup {
	t.Helper()
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	return feedSetup{obs: obs, machine: m, camera: camera.NewStore(state), out: out}
}

// TestSetupCleanFeed: OBS's file is written where OBS keeps what is written, and taken back everywhere.
func TestSetupCleanFeed(t *testing.T) {
	const kernel = "6.1.0-28-amd64"
	loaded := map[string]string{"sys/module/v4l2loopback/version": "0.12.7\n"}
	installed := map[string]string{
		"proc/sys/kernel/osrelease":              kernel + "\n",
		"lib/modules/" + kernel + "/modules.dep": "updates/dkms/v4l2loopback.ko.xz: kernel/drivers/media/v4l2-core/videodev.ko\n",
	}
	other := map[string]string{
		"proc/sys/kernel/osrelease":              kernel + "\n",
		"lib/modules/" + kernel + "/modules.dep": "kernel/drivers/net/dummy.ko:\n",
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		undo  bool
		err   error
		out   string
		shows bool // the camera shows the clean feed afterwards
	}{
		{"loaded", loaded, false, nil, "From OBS's next start, its virtual camera outputs the scene for your peer", true},
		{"installed, not loaded", installed, false, nil, "From OBS's next start, its virtual camera outputs the scene for your peer", true},
		{"none", other, false, errNoCamera, "", false},
		{"none, and none for this kernel", nil, false, errNoCamera, "", false},
		{"none, to take back", other, true, nil, "nothing to undo", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			file, obs := closedDir(t)
			m := setup.Machine{Root: t.TempDir()}
			for name, text := range tt.files {
				path := filepath.Join(m.Root, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			if err := testCamera(t, &out, m, obs).setCamera(camera.Order{Undo: tt.undo}); !errors.Is(err, tt.err) || !strings.Contains(out.String(), tt.out) {
				t.Errorf("got %q and %v, want %q and %v", out.String(), err, tt.out, tt.err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(text), cleanfeed.Scene); got != tt.shows {
				t.Errorf("the camera shows the clean feed: got %t, want %t in %s", got, tt.shows, text)
			}
		})
	}
}

// TestCleanFeedDropped: what waited for the end of OBS, and is undone before that, is said to be dropped.
func TestCleanFeedDropped(t *testing.T) {
	isolate(t)
	_, obs := closedDir(t)
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := camera.NewStore(state).Save(camera.Order{Waiting: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The prepared change of OBS's virtual camera is dropped. OBS did not have it yet.\n",
		"There is nothing to undo for OBS's virtual camera.\n",
	} {
		var out strings.Builder
		if err := testCamera(t, &out, setup.Machine{Root: t.TempDir()}, obs).setCamera(camera.Order{Undo: true}); err != nil || out.String() != want {
			t.Errorf("got %v and %q, want %q", err, out.String(), want)
		}
	}
}

// TestCleanFeedTakenBackWithoutCamera: what was set while the module was there is taken back after it went.
func TestCleanFeedTakenBackWithoutCamera(t *testing.T) {
	isolate(t)
	file, obs := closedDir(t)
	m := setup.Machine{Root: t.TempDir()}
	module := filepath.Join(m.Root, "sys/module/v4l2loopback")
	if err := os.MkdirAll(module, 0o700); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := testCamera(t, &out, m, obs).setCamera(camera.Order{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(module); err != nil {
		t.Fatal(err)
	}
	if err := testCamera(t, &out, m, obs).setCamera(camera.Order{Undo: true}); err != nil || !strings.Contains(out.String(), "outputs what it did before") {
		t.Errorf("got %v and %q", err, out.String())
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != collectionText {
		t.Errorf("the scene collection: got %s, %v; want it as it was", text, err)
	}
}
