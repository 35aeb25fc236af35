// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecordingDir(t *testing.T) {
	home := isolate(t)
	t.Setenv("HOME", home)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{
		{"", ""},
		{"/srv/recordings", "/srv/recordings"},
		{"recordings", filepath.Join(here, "recordings")},
		{"~", home},
		{"~/Videos", filepath.Join(home, "Videos")},
		{"~bob", filepath.Join(here, "~bob")},
	} {
		if got, err := recordingDir(tt.dir); err != nil || got != tt.want {
			t.Errorf("%q: got %q, %v; want %q", tt.dir, got, err, tt.want)
		}
	}
}

// TestRecordingDirIsTaken: run does not start where it could not record.
func TestRecordingDirIsTaken(t *testing.T) {
	home := isolate(t)
	taken := filepath.Join(home, "file")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := runCLI(t.Context(), "run", "--peer=192.0.2.1", "--record-peer="+taken)
	if got.Code != exitFailure || !strings.Contains(got.Stderr, "--record-peer: mkdir "+taken+": not a directory. Give a directory that you may write into") {
		t.Errorf("got %+v", got)
	}
}
