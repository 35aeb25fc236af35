// SPDX-License-Identifier: Apache-2.0

// Package testbed gives tests and the demo real parts to work with: private
// PulseAudio servers, X displays, OBS processes and RTMP servers, and the
// means to play, record and compare tones and pictures.
//
// Nothing here is a mock, and nothing touches the user's own sound server,
// display or OBS: each part lives in a directory of its own, listens where
// nobody else does and dies with the process that started it, even when that
// process is killed. The package knows OBS only through a small websocket
// client of its own, so that it is an independent witness of what the
// companion did; it is no library for controlling OBS.
package testbed

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TB is what the testbed needs of its user: a *testing.T, or the value that
// [Main] hands to a plain program.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	// Fatalf reports and does not return.
	Fatalf(format string, args ...any)
	Failed() bool
	// Cleanup registers a function that runs at the end, last one first.
	Cleanup(func())
	TempDir() string
	// Context ends shortly before the cleanup functions run.
	Context() context.Context
}

var _ TB = (*testing.T)(nil)

// Need skips the test under -short. Every test that starts a real part calls
// it first; a part whose program is not installed fails the test instead, so
// that a machine which lacks it cannot look like one that passed.
func Need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real programs; not run with -short")
	}
}

// packages names the Debian package of each program that the testbed starts.
var packages = map[string]string{
	"Xvfb":       "xvfb",
	"ffmpeg":     "ffmpeg",
	"obs":        "obs-studio",
	"pacat":      "pulseaudio-utils",
	"pactl":      "pulseaudio-utils",
	"pulseaudio": "pulseaudio",
	"xdotool":    "xdotool",
}

func requirePrograms(tb TB, names ...string) {
	tb.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			tb.Fatalf("%s is not installed; install it with: sudo apt install %s", name, packages[name])
		}
	}
}

// shortDir makes a private directory whose path is short enough for Unix
// sockets (107 bytes), which TempDir's paths often are not.
func shortDir(tb TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "testbed")
	if err != nil {
		tb.Fatalf("make a directory: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Logf("remove %s: %v", dir, err)
		}
	})
	return dir
}

func writeFile(tb TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		tb.Fatalf("%v", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatalf("%v", err)
	}
}

// baseEnv is the caller's environment without what would lead a child to the
// user's own sound server, display, session bus or configuration.
func baseEnv() []string {
	private := []string{"DBUS_", "DISPLAY", "HOME", "LC_", "LANG", "PULSE_", "PIPEWIRE_", "WAYLAND_", "XAUTHORITY", "XDG_", "QT_", "COSTREAM_"}
	var env []string
next:
	for _, entry := range os.Environ() {
		for _, prefix := range private {
			if strings.HasPrefix(entry, prefix) {
				continue next
			}
		}
		env = append(env, entry)
	}
	return append(env, "LC_ALL=C.UTF-8")
}

// Await calls check until it returns nil and fails with its last error when
// that has not happened within limit. It is for things that send no event.
func Await(tb TB, what string, limit time.Duration, check func() error) {
	tb.Helper()
	if err := awaitErr(tb.Context(), limit, check); err != nil {
		tb.Fatalf("awaited for %v: %s: %v", limit, what, err)
	}
}

// receiveWithin is how long Receive waits: for longer than anything that a test waits for takes on a busy machine.
const receiveWithin = 10 * time.Second

// Receive returns what comes on a channel, and fails when nothing does.
func Receive[T any](tb TB, c <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(receiveWithin):
		tb.Fatalf("awaited %s for %v", what, receiveWithin)
		panic("unreachable")
	}
}

func awaitErr(ctx context.Context, limit time.Duration, check func() error) error {
	const step = 20 * time.Millisecond
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(step):
		}
	}
}
