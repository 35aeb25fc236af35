// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"image/color"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// The tests put an appsink in the place of the device: what it gets is what
// v4l2sink would write.

// deviceFrames starts a screen without a device and returns what it writes.
func deviceFrames(t *testing.T, f VideoFormat, placeholder color.RGBA) (s *DeviceScreen, yuy2 <-chan []byte, written *atomic.Int64) {
	t.Helper()
	const name = "device"
	s, err := newDeviceScreen(element("appsink", prop("name", name), "sync=false", "async=false", "max-buffers=1", "drop=true"),
		ScreenOptions{Format: f, Placeholder: solid(f, placeholder)})
	if err != nil {
		t.Fatal(err)
	}
	sink, err := s.pipe.Sink(name)
	if err != nil {
		t.Fatal(err)
	}
	pictures, put := latest[[]byte]()
	written = new(atomic.Int64)
	start(t, func(ctx context.Context) error {
		return s.pipe.Run(ctx, s.feed, func(ctx context.Context) {
			sink.Pull(ctx, func(b []byte) {
				written.Add(1)
				put(append([]byte(nil), b...))
			})
		})
	})
	return s, pictures, written
}

// middle returns brightness and colour differences in the middle of a YUY2
// picture.
func middle(b []byte, f VideoFormat) [3]byte {
	at := f.H/2*f.W*2 + f.W/2/2*4
	return [3]byte{b[at], b[at+1], b[at+3]}
}

func TestDeviceScreenWritesExactColours(t *testing.T) {
	for _, f := range []VideoFormat{{640, 360, 30, 1}, {641, 361, 25, 1}, {854, 480, 50, 1}, {1280, 720, 60, 1}} {
		t.Run(f.String(), func(t *testing.T) {
			even := f.Even()
			s, pictures, _ := deviceFrames(t, f, violet)
			want := func(c color.RGBA) func([]byte) bool {
				y, cb, cr := bt709(c)
				return func(b []byte) bool {
					return len(b) == even.W*even.H*2 && middle(b, even) == [3]byte{level(y), level(cb), level(cr)}
				}
			}
			await(t, "placeholder", pictures, 2*time.Second, want(violet))
			s.Placeholder(false)
			s.Show(solid(f, teal))
			await(t, "picture", pictures, 2*time.Second, want(teal))
			s.Placeholder(true)
			await(t, "placeholder again", pictures, 2*time.Second, want(violet))
		})
	}
}

func TestDeviceScreenNeverFallsSilent(t *testing.T) {
	f := VideoFormat{320, 180, 50, 1}
	s, pictures, written := deviceFrames(t, f, violet)
	await(t, "first", pictures, 2*time.Second, func([]byte) bool { return true })
	s.Placeholder(false)
	s.Show(solid(f, teal))
	// The peer stalls: the last picture is written on.
	before := written.Load()
	time.Sleep(500 * time.Millisecond)
	if got := written.Load() - before; got < 15 || got > 30 {
		t.Errorf("got %d pictures in half a second without news, want about 25", got)
	}
}

func TestDeviceScreenShowsOnArrival(t *testing.T) {
	f := VideoFormat{320, 180, 2, 1}
	s, pictures, _ := deviceFrames(t, f, violet)
	await(t, "first", pictures, 2*time.Second, func([]byte) bool { return true })
	s.Placeholder(false)
	y, _, _ := bt709(teal)
	begin := time.Now()
	s.Show(solid(f, teal))
	await(t, "picture", pictures, 2*time.Second, func(b []byte) bool { return middle(b, f)[0] == level(y) })
	// The screen's own next tick would be up to half a second away.
	if took := time.Since(begin); took > 200*time.Millisecond {
		t.Errorf("took %v, want at once", took)
	}
}

func TestDeviceScreenWithoutDevice(t *testing.T) {
	s, err := NewDeviceScreen("/dev/video-of-nobody", ScreenOptions{Format: VideoFormat{320, 180, 30, 1}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = s.Run(ctx)
	var fault *pipe.Error
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a PipelineError", err)
	}
	for _, want := range []string{"device screen", "/dev/video-of-nobody", "ls -l /dev/video"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to contain %q", err, want)
		}
	}
}

func TestDeviceSourceWithoutDevice(t *testing.T) {
	s, err := NewVideoSender(VideoSenderOptions{
		Source: DeviceSource{"/dev/video-of-nobody", VideoFormat{320, 180, 30, 1}}, Out: func([]byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = s.Run(ctx)
	if err == nil || !strings.Contains(err.Error(), "/dev/video-of-nobody") || !strings.Contains(err.Error(), "ls -l /dev/video") {
		t.Errorf("got %v, want an error that names the device and the next command", err)
	}
	t.Log(err)
}
