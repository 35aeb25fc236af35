// SPDX-License-Identifier: Apache-2.0

package pulse_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/costream-obs/costream-obs/internal/pulse"
)

// recorded puts a pactl in front of the real one that answers from the
// recordings in testdata, one file for each command line.
func recorded(t *testing.T, dir string) pulse.Client {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata", dir))
	if err != nil {
		t.Fatal(err)
	}
	fakePactl(t, `exec cat "`+dir+`/$(echo " $*" | sed 's/^ -f//; s/^ //; s/ /_/g')"`)
	return pulse.Client{}
}

func fakePactl(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "pactl"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func TestInfo(t *testing.T) {
	got, err := recorded(t, "pulseaudio-16.1").Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := pulse.Info{Name: "pulseaudio", Version: "16.1", DefaultSink: "default_out", DefaultSource: "mic"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
}

func TestSinks(t *testing.T) {
	got, err := recorded(t, "pulseaudio-16.1").Sinks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []pulse.Sink{
		{Index: 0, Name: "default_out", Description: "DefaultOut", Monitor: "default_out.monitor", Module: 0},
		{Index: 1, Name: "fakemic", Description: "FakeMic", Monitor: "fakemic.monitor", Module: 1},
		{Index: 2, Name: "costream_topeer", Description: "CoStreamToPeer", Monitor: "costream_topeer.monitor", Module: 3},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(pulse.Sink{}, "Properties")); diff != "" {
		t.Errorf("sinks (-want +got):\n%s", diff)
	}
}

func TestSources(t *testing.T) {
	got, err := recorded(t, "pulseaudio-16.1").Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []pulse.Source{
		{Index: 0, Name: "default_out.monitor", Description: "Monitor of DefaultOut", MonitorOf: "default_out"},
		{Index: 1, Name: "fakemic.monitor", Description: "Monitor of FakeMic", MonitorOf: "fakemic"},
		{Index: 2, Name: "mic", Description: "Remapped Monitor of FakeMic"},
		{Index: 3, Name: "costream_topeer.monitor", Description: "Monitor of CoStreamToPeer", MonitorOf: "costream_topeer"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(pulse.Source{}, "Properties")); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

// The recording holds what OBS opens for two monitored inputs, one of which
// has a name that pactl's JSON loses.
func TestSinkInputs(t *testing.T) {
	got, err := recorded(t, "pulseaudio-16.1").SinkInputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type input struct {
		Index   int
		Name    string
		PID     int
		Sink    int
		Latency time.Duration
	}
	var inputs []input
	for _, s := range got {
		inputs = append(inputs, input{s.Index, s.MediaName(), s.PID(), s.Sink, s.Latency})
	}
	want := []input{
		{0, "tone", 1973, 1, 10 * time.Millisecond},
		{1, "Mic/Aux", 4242, 0, 15 * time.Millisecond},
		{2, `Büro "links"`, 4242, 0, 17499 * time.Microsecond},
	}
	if diff := cmp.Diff(want, inputs); diff != "" {
		t.Errorf("sink inputs (-want +got):\n%s", diff)
	}
}

// OBS captures for three inputs; the first stream is the sound server's own.
func TestSourceOutputs(t *testing.T) {
	got, err := recorded(t, "pulseaudio-16.1").SourceOutputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type output struct {
		Index  int
		Name   string
		PID    int
		Source int
	}
	var outputs []output
	for _, s := range got {
		outputs = append(outputs, output{s.Index, s.MediaName(), s.PID(), s.Source})
	}
	want := []output{
		{0, "Remapped Stream", 0, 1},
		{1, "Desktop Audio", 4242, 0},
		{2, "Mic/Aux", 4242, 2},
		{3, `Büro "links"`, 4242, 2},
	}
	if diff := cmp.Diff(want, outputs); diff != "" {
		t.Errorf("source outputs (-want +got):\n%s", diff)
	}
}

func TestPactlErrors(t *testing.T) {
	for _, test := range []struct {
		name, script string
		want         error
		text         string // must be in the message
	}{
		{"refused", `echo "Connection failure: Connection refused" >&2; echo "pa_context_connect() failed: Connection refused" >&2; exit 1`,
			pulse.ErrNoServer, "systemctl --user start pipewire-pulse"},
		{"died meanwhile", `echo "Connection failure: Connection terminated" >&2; exit 1`, pulse.ErrNoServer, "unix:/nowhere"},
		{"before 16.0", `echo "pactl: invalid option -- 'f'" >&2; exit 1`, pulse.ErrOldPactl, "version 16"},
		{"not there", `echo "Failure: No such entity" >&2; exit 1`, pulse.ErrNotFound, "pactl -f json info"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakePactl(t, test.script)
			_, err := pulse.Client{Server: "unix:/nowhere"}.Info(t.Context())
			if !errors.Is(err, test.want) {
				t.Errorf("error: got %v, want %v", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("message: got %q, want one with %q", err, test.text)
			}
		})
	}
	t.Run("not installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := (pulse.Client{}).Info(t.Context()); !errors.Is(err, pulse.ErrNoPactl) {
			t.Errorf("error: got %v, want %v", err, pulse.ErrNoPactl)
		}
	})
	t.Run("hangs", func(t *testing.T) {
		fakePactl(t, "exec sleep 60")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := pulse.Client{}.Info(ctx)
		if !errors.Is(err, pulse.ErrHangs) || !errors.Is(err, pulse.ErrNoServer) {
			t.Errorf("error: got %v, want %v", err, pulse.ErrHangs)
		}
	})
	t.Run("has nothing of ours open", func(t *testing.T) {
		// As a C library opens a file.
		fd, err := syscall.Open("/dev/null", syscall.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Close(fd) }()
		fakePactl(t, fmt.Sprintf("if [ -e /proc/self/fd/%d ]; then echo open >&2; exit 1; fi; echo '{}'", fd))
		if _, err := (pulse.Client{}).Info(t.Context()); err != nil {
			t.Errorf("got %v, want the file closed", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		fakePactl(t, "exec sleep 60")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := pulse.Client{}.Info(ctx)
		if !errors.Is(err, context.Canceled) || errors.Is(err, pulse.ErrNoServer) {
			t.Errorf("error: got %v, want %v", err, context.Canceled)
		}
	})
}

func TestLoadNullSinkNames(t *testing.T) {
	for _, name := range []string{"", "costream-topeer", "a b", `a"b`, "a'b"} {
		if _, err := (pulse.Client{}).LoadNullSink(t.Context(), name, "X"); err == nil {
			t.Errorf("sink name %q: got no error, want one", name)
		}
		if name == "costream-topeer" {
			continue
		}
		if _, err := (pulse.Client{}).LoadNullSink(t.Context(), "x", name); err == nil {
			t.Errorf("sink description %q: got no error, want one", name)
		}
	}
}

// A server that does not know norewinds gets the sink without it.
func TestLoadNullSinkOldServer(t *testing.T) {
	fakePactl(t, `case "$*" in *norewinds*) echo "Failure: Module initialization failed" >&2; exit 1;; esac; echo 23`)
	got, err := pulse.Client{}.LoadNullSink(t.Context(), "costream_topeer", "CoStreamToPeer")
	if err != nil || got != 23 {
		t.Errorf("module: got %d, error %v, want 23", got, err)
	}
}
