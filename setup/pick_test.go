// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPickVirtualCamera(t *testing.T) {
	nodes, err := machine(t, "0.12.7", webcam(0), written(3, 700), free(10), free(11)).VideoNodes()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		needsOutput, refusesSecond bool
		want                       string
	}{
		{false, false, "/dev/video3"},
		{true, false, "/dev/video10"},
		{false, true, "/dev/video10"},
	} {
		got, ok := PickVirtualCamera(nodes, test.needsOutput, test.refusesSecond)
		if !ok || got.Path != test.want {
			t.Errorf("needs output %t, second writer refused %t: got %s, want %s", test.needsOutput, test.refusesSecond, got.Path, test.want)
		}
	}
	if got, ok := PickVirtualCamera(nodes[:1], false, false); ok {
		t.Errorf("a webcam alone: got %s, want none", got.Path)
	}
}

// A plain file has no controls; the real ones are read in the kernel test.
func TestControlsOfAFile(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "video0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := Machine{Root: root}
	if _, err := m.Controls("/video0"); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("error: got %v, want %v", err, unix.ENOTTY)
	}
	if _, err := m.Controls("/video1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error: got %v, want %v", err, os.ErrNotExist)
	}
}
