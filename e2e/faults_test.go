// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealMissingElement: a machine without a software encoder is told the package to install.
func TestRealMissingElement(t *testing.T) {
	testbed.Need(t)
	plugins, err := exec.Command("pkg-config", "--variable=pluginsdir", "gstreamer-1.0").Output()
	if err != nil {
		t.Fatalf("pkg-config: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(plugins)), "*.so"))
	if err != nil || len(files) == 0 {
		t.Fatalf("GStreamer's plugins: got %d (%v), want some", len(files), err)
	}
	dir := t.TempDir()
	for _, f := range files {
		if slices.Contains([]string{"libgstx264.so", "libgstopenh264.so"}, filepath.Base(f)) {
			continue
		}
		if err := os.Symlink(f, filepath.Join(dir, filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "run", "--peer=127.0.0.1", "--listen="+testbed.LoopbackAddress(t))
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_RUNTIME_DIR="+t.TempDir(),
		"GST_PLUGIN_SYSTEM_PATH="+dir, "GST_REGISTRY="+filepath.Join(dir, "registry"))
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d (%v), want 1", code, err)
	}
	if got := string(out); !strings.Contains(got, "gstreamer1.0-plugins-ugly") || strings.Count(got, "\n") != 1 {
		t.Errorf("got %q, want one line that names the package gstreamer1.0-plugins-ugly", got)
	}
}

// TestRealUnknownScene: a scene that OBS does not have is told before going on air, and nothing is
// changed for it.
func TestRealUnknownScene(t *testing.T) {
	alice, nobody, before := lonely(t)
	companion := alice.Run(binary, nobody, "--scenes=Scnee")
	ready := companion.AwaitProblem(e2e.Ready, "Scnee", readyLimit)
	if i := slices.IndexFunc(ready.Problems, func(p string) bool {
		return strings.Contains(p, "Scnee") && strings.Contains(p, `"`+testbed.Scene+`"`)
	}); i < 0 {
		t.Errorf("problems %q, want one that names the unknown scene and those there are", ready.Problems)
	}
	companion.Stop()
	wantAsBefore(t, alice, before, "with an unknown scene")
}
