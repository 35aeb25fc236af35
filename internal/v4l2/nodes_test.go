// SPDX-License-Identifier: Apache-2.0

package v4l2_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/v4l2"
	"github.com/costream-obs/costream-obs/internal/v4l2/v4l2test"
)

func TestNodes(t *testing.T) {
	got, err := v4l2test.System(t, v4l2test.Free(10), v4l2test.Webcam(2), v4l2test.Written(11, 500), v4l2test.Denied(12)).Nodes()
	if err != nil {
		t.Fatal(err)
	}
	want := []v4l2.Node{
		{Path: "/dev/video2", Number: 2, Label: "Webcam", Capture: true},
		{Path: "/dev/video10", Number: 10, Label: "loop10", Loopback: true, MaxOpeners: 10, Output: true},
		{Path: "/dev/video11", Number: 11, Label: "loop11", Loopback: true, MaxOpeners: 10, Capture: true, Format: "YUYV:1280x720@30"},
		{Path: "/dev/video12", Number: 12, Label: "locked", Loopback: true, MaxOpeners: 10},
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Err" }, cmp.Ignore())); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if got[3].Err == nil || got[2].Err != nil {
		t.Errorf("errors: got %v for video12 and %v for video11, want one and none", got[3].Err, got[2].Err)
	}
	if !got[2].Written() || got[1].Written() {
		t.Errorf("written: got video11 %t and video10 %t, want true and false", got[2].Written(), got[1].Written())
	}
}

func TestHolders(t *testing.T) {
	got, err := v4l2test.System(t, v4l2test.Written(10, 700, 500)).Holders("/dev/video10")
	if err != nil {
		t.Fatal(err)
	}
	want := []v4l2.Holder{{500, "writer"}, {700, "writer"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("holders (-want +got):\n%s", diff)
	}
}

// The real machine: this process holds what it has opened.
func TestHoldersHere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	holders, err := v4l2.System{}.Holders(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(holders) != 1 || holders[0].PID != os.Getpid() {
		t.Errorf("holders: got %v, want this process, %d", holders, os.Getpid())
	}
}

// A plain file has no controls; the real ones are read in the kernel test.
func TestControlsOfAFile(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "video0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := v4l2.System{Root: root}
	if _, err := s.Controls("/video0"); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("error: got %v, want %v", err, unix.ENOTTY)
	}
	if _, err := s.Controls("/video1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error: got %v, want %v", err, os.ErrNotExist)
	}
}
