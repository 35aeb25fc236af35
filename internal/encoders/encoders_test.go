// SPDX-License-Identifier: Apache-2.0

package encoders

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed/fakeencoder"
	"github.com/costream-obs/costream-obs/media"
)

// TestMain is also the program that runs a trial.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == TrialCommand {
		if err := RunTrial(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(fakeencoder.Main(m))
}

var format = media.VideoFormat{W: 640, H: 360, FPSNum: 30, FPSDen: 1}

// newChooser makes one that keeps its results in a directory of the test.
func newChooser(t *testing.T, name, dir string) *Chooser {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Name: name, Program: program, File: filepath.Join(dir, "encoders.json")})
	c.hardwareWithin = 10 * time.Second // The race detector is slow.
	c.pauses = slices.Repeat([]time.Duration{500 * time.Millisecond}, 30)
	return c
}

func survey(t *testing.T, c *Chooser) []Result {
	t.Helper()
	results, err := c.Survey(t.Context(), format)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// awaitChoice awaits a choice that the machine is not too busy for.
func awaitChoice(t *testing.T, c *Chooser) media.EncoderChoice {
	t.Helper()
	deadline := time.After(time.Minute)
	c.Prepare(t.Context(), format)
	for {
		news := c.News()
		got := c.Choose(format)
		if !got.Provisional {
			return got
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("no trial ends in time: %+v", got)
		}
	}
}

func TestAutoTakesTheFirstThatPasses(t *testing.T) {
	tests := []struct {
		behaviour, want, why string
		keyOnRate, kept      bool // whether the fake encoder's result is kept
	}{
		{"", fakeencoder.Name, "it passed its trial at 640x360@30", false, true},
		{"keyrate", fakeencoder.Name, "it passed its trial", true, true},
		{"crash=3", "x264enc", "vah264enc did not pass its trial: its driver crashed", false, true},
		{"deaf", "x264enc", "does not follow its bitrate", false, true},
		{"hang=3", "x264enc", "vah264enc did not pass its trial", false, false},
		{"fail=3", "x264enc", "vah264enc did not pass its trial: The device is gone", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.behaviour, func(t *testing.T) {
			t.Setenv(fakeencoder.Behaviour, tt.behaviour)
			dir := t.TempDir()
			c := newChooser(t, Auto, dir)
			if before := c.Choose(format); before.Name != "x264enc" || !before.Provisional || !strings.Contains(before.Why, "not been tried") {
				t.Errorf("before the trials: got %+v, want x264enc for now", before)
			}
			news := c.News()
			began := time.Now()
			c.Prepare(t.Context(), format)
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("Prepare took %v", took)
			}
			survey(t, c)
			t.Logf("after %v: %+v", time.Since(began).Round(time.Millisecond), c.Choose(format))
			select {
			case <-news:
			default:
				t.Error("nobody was told")
			}
			got := c.Choose(format)
			if tt.kept {
				got = awaitChoice(t, c)
			}
			if got.Name != tt.want || got.Provisional == tt.kept || got.KeyOnRate != tt.keyOnRate || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v, want %s because %q", got, tt.want, tt.why)
			}
			_, kept := c.store.get(c.store.key(c.store.machine(), fakeencoder.Name, format, defaultKbps))
			if kept != tt.kept {
				t.Errorf("kept: %v, want %v", kept, tt.kept)
			}
			if !tt.kept {
				return
			}
			// The next one knows it without a trial, which would fail.
			again := newChooser(t, Auto, dir)
			again.o.Program = "/nonexistent"
			survey(t, again)
			if got := again.Choose(format); got.Name != tt.want {
				t.Errorf("the next time: got %+v, want %s", got, tt.want)
			}
		})
	}
}

func TestFailureInACall(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "")
	dir := t.TempDir()
	c := newChooser(t, "", dir)
	if got := awaitChoice(t, c); got.Name != fakeencoder.Name {
		t.Fatalf("got %+v, want %s", got, fakeencoder.Name)
	}
	c.rest = 300 * time.Millisecond
	if !c.Failed(fakeencoder.Name, "no picture came out of it", format) {
		t.Fatal("nothing is left")
	}
	if got := c.Choose(format); got.Name != "x264enc" || !got.Provisional {
		t.Errorf("got %+v, want x264enc for now", got)
	}
	// It passes its further trial.
	if got := awaitChoice(t, c); got.Name != fakeencoder.Name {
		t.Fatalf("after a rest: got %+v, want %s", got, fakeencoder.Name)
	}
	if !c.Failed(fakeencoder.Name, "the device is gone", format) {
		t.Fatal("nothing is left")
	}
	got := c.Choose(format)
	if got.Provisional || got.Name != "x264enc" || !strings.Contains(got.Why, "vah264enc failed: the device is gone") {
		t.Errorf("got %+v, want x264enc, and why", got)
	}
	if _, kept := c.store.get(c.store.key(c.store.machine(), fakeencoder.Name, format, defaultKbps)); kept {
		t.Error("the result of the trial is kept although the encoder failed")
	}
	if !c.Failed("x264enc", "no memory", format) || c.Choose(format).Name != "openh264enc" {
		t.Errorf("then: got %+v, want openh264enc", c.Choose(format))
	}
	// With none left, the call tries again with what there is.
	if c.Failed("openh264enc", "no memory", format) {
		t.Error("something is left after all have failed")
	}
	if got := c.Choose(format); got.Name != fakeencoder.Name {
		t.Errorf("at last: got %+v, want the best again", got)
	}
}

func TestForced(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "crash=3")
	c := newChooser(t, "openh264enc", t.TempDir())
	c.Prepare(t.Context(), format)
	if got := c.Choose(format); got.Name != "openh264enc" || got.Provisional || got.Why != "--encoder names it" {
		t.Errorf("got %+v, want openh264enc", got)
	}
	if len(c.trying) > 0 {
		t.Error("encoders are tried although one is forced")
	}
	c.rest = time.Hour
	if !c.Failed("openh264enc", "it is tired", format) {
		t.Fatal("nothing is left")
	}
	if got := c.Choose(format); got.Name != "x264enc" || !strings.Contains(got.Why, "openh264enc failed: it is tired") {
		t.Errorf("after its failure: got %+v, want x264enc", got)
	}
	// A hardware encoder that was forced without a trial may make a key frame with each change of the bitrate.
	if got := newChooser(t, fakeencoder.Name, t.TempDir()).Choose(format); !got.KeyOnRate {
		t.Errorf("got %+v, want few changes of the bitrate", got)
	}
}

func TestCheck(t *testing.T) {
	for name, want := range map[string]string{
		"": "", Auto: "", "x264enc": "",
		"nvh264enc": "this machine has no encoder nvh264enc; it has: auto, vah264enc, x264enc, openh264enc",
		"h264":      `"h264" is no encoder that costream-obs knows; this machine has: auto, vah264enc, x264enc, openh264enc`,
	} {
		got := ""
		if err := Check(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestMachine(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"sys/class/drm/renderD128/device/vendor": "0x8086\n", "sys/class/drm/renderD128/device/device": "0x46a6\n",
		"proc/driver/nvidia/version":                    "NVRM version: NVIDIA UNIX  550.1\nGCC version: 12\n",
		"usr/lib/x86_64-linux-gnu/dri/iHD_drv_video.so": "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := machine(root)
	for _, want := range []string{"GStreamer " + media.GStreamerVersion(), "kernel ", "card 0x8086:0x46a6", "NVRM version: NVIDIA UNIX 550.1", "drivers 2"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want it to have %q", got, want)
		}
	}
	if f := filepath.Join(root, "usr/lib/x86_64-linux-gnu/dri"); os.Chtimes(f, time.Unix(0, 0), time.Unix(0, 0)) != nil || machine(root) == got {
		t.Error("an update of the drivers changes nothing")
	}
}

func TestRefusalsExpire(t *testing.T) {
	s := store{file: filepath.Join(t.TempDir(), "encoders.json")}
	for name, tt := range map[string]struct {
		fault string
		age   time.Duration
		found bool
	}{
		"refused lately": {"broken", time.Hour, true}, "refused long ago": {"broken", refusedFor + time.Hour, false}, "passed long ago": {"", 100 * refusedFor, true},
	} {
		r := Result{Name: name, EncoderTrial: media.EncoderTrial{Fault: tt.fault}, At: time.Now().Add(-tt.age)}
		if err := s.put(name, r); err != nil {
			t.Fatal(err)
		}
		if _, found := s.get(name); found != tt.found {
			t.Errorf("%s: found %v, want %v", name, found, tt.found)
		}
	}
	// A file that somebody damaged is written anew.
	if err := os.WriteFile(s.file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.put("new", Result{Name: "x264enc"}); err != nil {
		t.Fatal(err)
	}
	if _, found := s.get("new"); !found {
		t.Error("nothing is kept in a file that was damaged")
	}
}

// TestSurveyEnds: a survey that nobody needs any more does not keep its caller.
func TestSurveyEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newChooser(t, "", t.TempDir()).Survey(ctx, format); err == nil {
		t.Error("got no error")
	}
}
