// SPDX-License-Identifier: Apache-2.0

// Package fakeencoder builds a GStreamer plugin for tests with an encoder that looks like one of a graphics card, and that fails,
// hangs or crashes as the test says. It is x264enc inside, and says nothing about real hardware.
package fakeencoder

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed testdata/encoder.c
var source []byte

// Name is that of the encoder's element.
const Name = "vah264enc"

// Behaviour is the environment variable that says how the encoder behaves, when its element is made. Empty is as a good one does.
const Behaviour = "FAKE_ENCODER"

// Build compiles the plugin in a directory and returns the environment in which GStreamer finds it.
func Build(dir string) ([]string, error) {
	file, plugins := filepath.Join(dir, "encoder.c"), filepath.Join(dir, "plugins")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		return nil, err
	}
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "gstreamer-video-1.0").Output()
	if err != nil {
		return nil, fmt.Errorf("pkg-config: %w", err)
	}
	args := append([]string{"-shared", "-fPIC", "-O1", "-o", filepath.Join(plugins, "libgstfakeencoder.so"), file}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cc: %w\n%s", err, out)
	}
	// GStreamer would write what it found into the user's own registry.
	registry := filepath.Join(dir, "registry.bin")
	if err := copyRegistry(registry); err != nil {
		return nil, err
	}
	return []string{"GST_PLUGIN_PATH=" + plugins, "GST_REGISTRY=" + registry}, nil
}

// Main runs tests with the encoder, which behaves well unless a test sets Behaviour, and returns their exit code.
func Main(tests interface{ Run() int }) int {
	dir, err := os.MkdirTemp("", "costream-encoder")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	env, err := Build(dir)
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if err == nil {
			err = os.Setenv(name, value)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return tests.Run()
}

// copyRegistry copies the user's registry, if there is one: to look at all plugins takes seconds.
func copyRegistry(to string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(cache, "gstreamer-1.0", "registry.*.bin"))
	if err != nil || len(files) == 0 {
		return err
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
