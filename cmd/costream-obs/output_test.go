// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// runFull is runCLI with a standard output that takes nothing.
func runFull(t *testing.T, args ...string) result {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	var stderr bytes.Buffer
	code := Run(t.Context(), args, strings.NewReader(""), full, &stderr)
	return result{Code: code, Stderr: stderr.String()}
}

// TestOutputLost: output that cannot be written is a failure, and is said so once.
func TestOutputLost(t *testing.T) {
	isolate(t)
	t.Setenv("COSTREAM_OBS_PORT", "1")
	if got := runCLI(t.Context(), "pair", "new"); got.Code != exitOK {
		t.Fatalf("pair new: got %+v", got)
	}
	for _, args := range [][]string{
		{"pair", "show"},
		{"pair", "--help"},
		{"version"},
		{"doctor", "--list"},
		{"doctor", "--only", "svc.config"}, // all is well
		{"doctor", "--only", "obs.ws"},     // something is not
		{"pair", "forget"},
	} {
		got := runFull(t, args...)
		if got.Code != exitFailure || strings.Count(got.Stderr, "print the output: ") != 1 || !strings.Contains(got.Stderr, "no space left on device") {
			t.Errorf("%s: got %+v, want exit code 1 and why", strings.Join(args, " "), got)
		}
	}
}

// TestPairNewOutputLost: no pair is saved, and none replaced, whose line nobody has.
func TestPairNewOutputLost(t *testing.T) {
	isolate(t)
	path, err := pairing.DefaultFile()
	if err != nil {
		t.Fatal(err)
	}
	lost := func(args ...string) {
		t.Helper()
		if got := runFull(t, args...); got.Code != exitFailure || !strings.Contains(got.Stderr, "no space left on device") || !strings.Contains(got.Stderr, "nothing was saved") {
			t.Errorf("%q: got %+v, want exit code 1 and that nothing was saved", args, got)
		}
	}
	lost("pair", "new")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("got %v, want no pair", err)
	}
	if got := runCLI(t.Context(), "pair", "new"); got.Code != exitOK {
		t.Fatalf("pair new: got %+v", got)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lost("pair", "new", "--yes")
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("got another pair (%v), want the one before", err)
	}
}
