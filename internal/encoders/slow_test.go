// SPDX-License-Identifier: Apache-2.0

package encoders

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/testbed/fakeencoder"
	"github.com/costream-obs/costream-obs/media"
)

// knows has a Chooser find results in its file.
func knows(t *testing.T, c *Chooser, results ...Result) {
	t.Helper()
	for _, r := range results {
		r.At = time.Now()
		if err := c.store.put(c.store.key(c.store.machine(), r.Name, format, defaultKbps), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSlowSoftware: that the machine is slow does not put openh264enc, which is slower, before x264enc.
func TestSlowSoftware(t *testing.T) {
	const fault = "it takes 80ms for a picture, where 67ms is the limit"
	for name, tt := range map[string]struct {
		trial     media.EncoderTrial
		want, why string
	}{
		"slow":    {media.EncoderTrial{Fault: fault, Slow: true}, "x264enc", "vah264enc did not pass its trial: broken; it is slow here: " + fault},
		"refused": {media.EncoderTrial{Fault: "it makes B-frames"}, "openh264enc", "x264enc did not pass its trial: it makes B-frames"},
		"failed":  {media.EncoderTrial{Fault: "no memory", Failed: true}, "openh264enc", "x264enc did not pass its trial: no memory"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChooser(t, "", t.TempDir())
			knows(t, c, Result{Name: fakeencoder.Name, EncoderTrial: media.EncoderTrial{Fault: "broken"}},
				Result{Name: "x264enc", EncoderTrial: tt.trial}, Result{Name: "openh264enc"})
			survey(t, c)
			if got := c.Choose(format); got.Name != tt.want || got.Provisional || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v, want %s because %q", got, tt.want, tt.why)
			}
		})
	}
}

// TestFailuresAreForgotten: one failure each hour is not two in a row.
func TestFailuresAreForgotten(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "")
	c := newChooser(t, "", t.TempDir())
	c.rest, c.forget = 10*time.Millisecond, 0
	for range 3 {
		if got := awaitChoice(t, c); got.Name != fakeencoder.Name {
			t.Fatalf("got %+v, want %s", got, fakeencoder.Name)
		}
		if !c.Failed(fakeencoder.Name, "the device is gone", format) {
			t.Fatal("nothing is left")
		}
	}
}

// TestFormatDuringAFailure: a format that comes while an encoder rests gets that encoder later.
func TestFormatDuringAFailure(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "")
	c := newChooser(t, "", t.TempDir())
	awaitChoice(t, c)
	c.rest = 300 * time.Millisecond
	if !c.Failed(fakeencoder.Name, "the device is gone", format) {
		t.Fatal("nothing is left")
	}
	other := media.VideoFormat{W: 320, H: 180, FPSNum: 30, FPSDen: 1}
	c.Prepare(t.Context(), other)
	if _, err := c.Survey(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	awaitChoice(t, c)
	if got := c.Choose(other); got.Name != fakeencoder.Name {
		t.Errorf("got %+v, want %s", got, fakeencoder.Name)
	}
}

// TestTrialIsCalm has a process that is before others try an encoder.
func TestTrialIsCalm(t *testing.T) {
	level := func(to int) (err error) {
		entries, _ := os.ReadDir("/proc/self/task")
		for _, e := range entries {
			tid, _ := strconv.Atoi(e.Name())
			if errSet := unix.Setpriority(unix.PRIO_PROCESS, tid, to); errSet != nil && errSet != unix.ESRCH {
				err = errSet
			}
		}
		return err
	}
	if err := level(-5); err != nil {
		t.Skipf("this user may not: %v", err)
	}
	defer func() { _ = level(0) }()
	c := newChooser(t, "", t.TempDir())
	c.o.Program = filepath.Join(t.TempDir(), "trial")
	if err := os.WriteFile(c.o.Program, []byte("#!/bin/sh\necho \"{\\\"fault\\\": \\\"level $(nice)\\\"}\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := c.trial(t.Context(), "x264enc", format); got.Fault != "level 0" {
		t.Errorf("got %+v, want level 0", got)
	}
}
