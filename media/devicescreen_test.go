// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"image/color"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// paper stands for a device and keeps what is written to it.
type paper struct {
	put     func([]byte)
	written atomic.Int64
}

func (p *paper) Write(picture []byte) (int, error) {
	p.written.Add(1)
	p.put(append([]byte(nil), picture...))
	return len(picture), nil
}

func (p *paper) Close() error { return nil }

// deviceFrames starts a screen without a device and returns what it writes.
func deviceFrames(t *testing.T, f VideoFormat, placeholder color.RGBA) (s *DeviceScreen, pictures <-chan []byte, written *atomic.Int64) {
	t.Helper()
	pictures, put := latest[[]byte]()
	device := &paper{put: put}
	s, err := newDeviceScreen(ScreenOptions{Format: f, Placeholder: solid(f, placeholder)},
		func(VideoFormat) (io.WriteCloser, error) { return device, nil })
	if err != nil {
		t.Fatal(err)
	}
	start(t, s.Run)
	return s, pictures, &device.written
}

// middle returns brightness and colour differences in the middle of an I420
// picture.
func middle(b []byte, f VideoFormat) [3]byte {
	colour := f.H/4*(f.W/2) + f.W/4
	return [3]byte{b[f.H/2*f.W+f.W/2], b[f.W*f.H+colour], b[f.W*f.H*5/4+colour]}
}

func TestDeviceScreenWritesExactColours(t *testing.T) {
	for _, f := range []VideoFormat{{640, 360, 30, 1}, {641, 361, 25, 1}, {854, 480, 50, 1}, {1280, 720, 60, 1}} {
		t.Run(f.String(), func(t *testing.T) {
			even := f.Even()
			s, pictures, _ := deviceFrames(t, f, violet)
			want := func(c color.RGBA) func([]byte) bool {
				y, cb, cr := bt709(c)
				return func(b []byte) bool {
					return len(b) == even.FrameSize() && middle(b, even) == [3]byte{level(y), level(cb), level(cr)}
				}
			}
			await(t, "placeholder", pictures, soon, want(violet))
			s.Placeholder(false)
			s.Show(solid(f, teal))
			await(t, "picture", pictures, soon, want(teal))
			s.Placeholder(true)
			await(t, "placeholder again", pictures, soon, want(violet))
		})
	}
}

func TestDeviceScreenNeverFallsSilent(t *testing.T) {
	f := VideoFormat{320, 180, 50, 1}
	s, pictures, written := deviceFrames(t, f, violet)
	await(t, "first", pictures, soon, func([]byte) bool { return true })
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
	await(t, "first", pictures, soon, func([]byte) bool { return true })
	s.Placeholder(false)
	y, _, _ := bt709(teal)
	begin := time.Now()
	s.Show(solid(f, teal))
	await(t, "picture", pictures, soon, func(b []byte) bool { return middle(b, f)[0] == level(y) })
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
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want fs.ErrNotExist", err)
	}
	for _, want := range []string{"device screen", "/dev/video-of-nobody", "ls -l /dev/video"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to contain %q", err, want)
		}
	}
}

func TestDeviceScreenOnNoVideoDevice(t *testing.T) {
	s, err := NewDeviceScreen("/dev/null", ScreenOptions{Format: VideoFormat{320, 180, 30, 1}})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Run(t.Context())
	if want := "/dev/null is no video device that can be written to"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
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
