// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed/fakeencoder"
)

// TestMain gives GStreamer an encoder that fails as a test says.
func TestMain(m *testing.M) { os.Exit(fakeencoder.Main(m)) }

func TestEncoderTrial(t *testing.T) {
	hd := VideoFormat{1280, 720, 30, 1}
	tests := []struct {
		name, encoder, behaviour string
		format                   VideoFormat
		fault                    string // a part of it; empty means that the encoder passes
		keyOnRate                bool
	}{
		{"x264", "x264enc", "", hd, "", false},
		{"openh264", "openh264enc", "", hd, "", false},
		{"odd rate", "x264enc", "", VideoFormat{854, 480, 30000, 1001}, "", false},
		{"hardware", fakeencoder.Name, "", hd, "", false},
		{"key frame with each rate", fakeencoder.Name, "keyrate", hd, "", true},
		{"holds pictures back", fakeencoder.Name, "hold", hd, "holds pictures back", false},
		{"does not follow", fakeencoder.Name, "deaf", hd, "does not follow its bitrate", false},
		{"no key frames", fakeencoder.Name, "keyless", hd, "no key frame on request", false},
		{"B-frames", fakeencoder.Name, "bframes", hd, "holds pictures back", false},
		{"green pictures", fakeencoder.Name, "green", hd, "its pictures differ by", false},
		{"fails", fakeencoder.Name, "fail=5", hd, "The device is gone", false},
		{"wakes slowly", fakeencoder.Name, "wake=1300", hd, "", false},
		{"hangs", fakeencoder.Name, "hang=5", hd, "no picture c", false},
		{"absent", "nvh264enc", "", hd, "has no element nvh264enc", false},
		{"unknown", "nosuch", "", hd, "unknown encoder nosuch", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(fakeencoder.Behaviour, tt.behaviour)
			began := time.Now()
			got := TryEncoder(t.Context(), tt.encoder, tt.format, 6000)
			// What is only too slow is tried again, since the machine may be busy.
			for try := 0; got.Slow && (tt.fault == "" || !strings.Contains(got.Fault, tt.fault)) && try < 5; try++ {
				t.Logf("%+v", got)
				got = TryEncoder(t.Context(), tt.encoder, tt.format, 6000)
			}
			t.Logf("%+v in %v", got, time.Since(began).Round(time.Millisecond))
			if tt.fault == "" {
				if got.Fault != "" || got.PerFrame <= 0 || got.KeyOnRate != tt.keyOnRate {
					t.Errorf("got %+v, want it to pass, with a key frame at each change of rate: %v", got, tt.keyOnRate)
				}
				return
			}
			if failed := strings.HasPrefix(tt.behaviour, "fail"); got.Failed != failed {
				t.Errorf("got %+v, want one that reported an error: %v", got, failed)
			}
			if !strings.Contains(got.Fault, tt.fault) {
				t.Errorf("got the fault %q, want one that says %q", got.Fault, tt.fault)
			}
		})
	}
}

// TestPictureKinds: B-frames and key frames are known by their packets.
func TestPictureKinds(t *testing.T) {
	tests := []struct {
		name, x264 string
		b          bool
	}{
		{"none", "tune=zerolatency", false},
		{"B-frames", "bframes=2 b-adapt=false", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line, sink := tapped(t, row(
				element("videotestsrc", "num-buffers=30", "pattern=snow"), caps("video/x-raw,width=320,height=180,framerate=30/1"),
				element("x264enc", tt.x264, "key-int-max=10", "speed-preset=ultrafast"),
				element("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1200"), packetSink()))
			keys, b := 0, false
			var kinds nalKinds
			err := line.Run(t.Context(), func(ctx context.Context) {
				sink.Pull(ctx, func(packet []byte) {
					kinds.add(packet)
					if packet[1]&0x80 == 0 {
						return
					}
					if kinds.key() {
						keys++
					}
					b = b || kinds.b
					kinds = nalKinds{}
				})
			})
			if !errors.Is(err, ErrEnded) {
				t.Fatal(err)
			}
			if keys != 3 || b != tt.b {
				t.Errorf("got %d key frames and B-frames: %v, want 3 and %v", keys, b, tt.b)
			}
		})
	}
}

// A trial ends with its context, whatever the driver does.
func TestEncoderTrialHasADeadline(t *testing.T) {
	t.Setenv(fakeencoder.Behaviour, "hang=1")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	got := TryEncoder(ctx, fakeencoder.Name, VideoFormat{320, 180, 30, 1}, 1000)
	if took := time.Since(began); got.Fault == "" || !got.Slow || took > 2*time.Second {
		t.Errorf("got %+v after %v, want a slow one after 300 ms", got, took)
	}
}

// TestVideoSenderReportsItsEncoder: an encoder that fails or hangs ends the sender soon, with an error that names it.
func TestVideoSenderReportsItsEncoder(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	for _, behaviour := range []string{"fail=20", "hang=20"} {
		t.Run(behaviour, func(t *testing.T) {
			t.Setenv(fakeencoder.Behaviour, behaviour)
			var last atomic.Int64
			s, err := NewVideoSender(VideoSenderOptions{
				Source: ImageSource{f}, Encoder: EncoderOptions{Choice: EncoderChoice{Name: fakeencoder.Name}},
				Out: func([]byte) { last.Store(time.Now().UnixNano()) },
			})
			if err != nil {
				t.Fatal(err)
			}
			img := jpegOf(t, filled(f.W, f.H, color.RGBA{0x40, 0x80, 0xc0, 0xff}))
			ran := make(chan error, 1)
			go func() { ran <- s.Run(t.Context()) }()
			feed(t, f, func() { s.PushImage(img) })
			select {
			case err = <-ran:
			case <-time.After(soon):
				t.Fatal("the sender goes on")
			}
			var failed *EncoderError
			if !errors.As(err, &failed) || failed.Name != fakeencoder.Name {
				t.Errorf("got %v, want an EncoderError of %s", err, fakeencoder.Name)
			}
			took := time.Since(time.Unix(0, last.Load()))
			t.Logf("%v after the last packet: %v", took.Round(time.Millisecond), err)
			if s.Stats().Frames < 15 || took > time.Second {
				t.Errorf("after %d pictures and %v, want about 20 and less than a second", s.Stats().Frames, took)
			}
		})
	}
}

func TestStallWatch(t *testing.T) {
	type step struct{ brought, entered, left uint64 }
	repeat := func(s step, n int) (out []step) {
		for range n {
			out = append(out, s)
		}
		return out
	}
	tests := []struct {
		name  string
		every time.Duration
		steps []step
		want  bool
	}{
		{"nothing comes", watchEvery, repeat(step{5, 5, 5}, 100), false},
		{"one inside, moving", watchEvery, []step{{2, 2, 1}, {3, 3, 2}, {4, 4, 3}, {5, 5, 4}, {6, 6, 5}, {7, 7, 6}, {8, 8, 7}, {9, 9, 8}, {10, 10, 9}, {11, 11, 10}}, false},
		{"stuck", watchEvery, repeat(step{20, 10, 9}, 9), true},
		{"not yet", watchEvery, repeat(step{20, 10, 9}, 7), false},
		{"we did not run", 4 * watchEvery, repeat(step{20, 10, 9}, 100), false},
		{"opens its device", watchEvery, repeat(step{20, 0, 0}, 30), false},
		{"never opens it", watchEvery, repeat(step{20, 0, 0}, 50), true},
		{"no pictures at the start", watchEvery, repeat(step{0, 0, 0}, 100), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := stallWatch{limit: hardwareStall, start: startWithin}
			at := time.Unix(1000, 0)
			got := false
			for _, s := range tt.steps {
				at = at.Add(tt.every)
				got = got || w.look(at, s.brought, s.entered, s.left) > 0
			}
			if got != tt.want {
				t.Errorf("got stuck: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRatePace(t *testing.T) {
	at := time.Unix(1000, 0)
	var got []string
	p := ratePace{slow: true}
	for _, step := range []struct{ ms, kbps int }{
		{0, 3000}, {100, 2000}, {300, 2000}, {1000, 2000}, {1200, 1900}, {2100, 1500}, {3000, 2500}, {7000, 2500}, {7200, 2700}, {20000, 2800}, {21000, 3000},
	} {
		p.wanted = step.kbps
		p.look(at.Add(time.Duration(step.ms)*time.Millisecond), func(kbps int) { got = append(got, fmt.Sprintf("%d at %d", kbps, step.ms)) })
	}
	want := []string{"3000 at 0", "2000 at 1000", "1500 at 2100", "2700 at 7200"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFitting: a property that an element does not have is never set, nor a word that it does not know.
func TestFitting(t *testing.T) {
	tests := []struct {
		name    string
		encoder string
		want    []string // of the options below
	}{
		{"x264", "x264enc", []string{"tune=zerolatency", "speed-preset=ultrafast", "key-int-max=3000", "bitrate=4000", "vbv-buf-capacity=100"}},
		// The fake vah264enc takes no more than 1024 for key-int-max.
		{"range", fakeencoder.Name, []string{"rate-control=cbr", "b-frames=0", "ref-frames=1", "key-int-max=1024", "bitrate=4000", "cpb-size=400"}},
		{"bit/s", "openh264enc", []string{"rate-control=bitrate", "complexity=low", "usage-type=camera", "scene-change-detection=false",
			"enable-frame-skip=false", "slice-mode=auto", "gop-size=3000", "bitrate=4000000", "max-bitrate=4000000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := chooseEncoder(EncoderOptions{BitrateKbps: 4000, Choice: EncoderChoice{Name: tt.encoder}}.normal(), VideoFormat{640, 360, 30, 1})
			if err != nil {
				t.Fatal(err)
			}
			words := strings.Fields(e.nodes[len(e.nodes)-1].text)
			if diff := cmp.Diff(append([]string{tt.encoder, "name=" + nameEncoder}, tt.want...), words); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	// As NVIDIA's elements before and after 1.26.
	row := nvidia("nvh264enc")
	old := map[string]string{"preset": "low-latency-hq", "rc-mode": "cbr", "zerolatency": "true", "bframes": "0", "gop-size": "3000", "bitrate": "4000"}
	fit := func(_, name, value string) (string, bool) { v, ok := old[name]; return value, ok && v == value }
	got := make(map[string]string)
	for _, p := range fitting(fit, row.name, append(row.fixed(EncoderOptions{}.normal()), row.rate(4000, 100)...)) {
		got[p.name] = p.value
	}
	if diff := cmp.Diff(old, got); diff != "" {
		t.Errorf("of a version with other names (-want +got):\n%s", diff)
	}
}
