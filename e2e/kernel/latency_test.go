// SPDX-License-Identifier: Apache-2.0

package kernel_test

import (
	"cmp"
	"context"
	"fmt"
	"image/color"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media"
)

// The colours of what changes, and how often it does.
var (
	latencyDark   = color.RGBA{0x20, 0x20, 0x20, 0xff}
	latencyBright = color.RGBA{0xe0, 0xe0, 0xe0, 0xff}
)

const (
	latencyChanges = 24
	// lookPause keeps the looking from slowing down what is looked at.
	lookPause = 10 * time.Millisecond
)

// TestGuestLatency: OBS's virtual camera is one picture later than its programme, and its video capture shows a picture with
// the next of its own. The companion takes both into account when it brings voice and picture together.
func TestGuestLatency(t *testing.T) {
	needGuest(t, "alone")
	rootSetup(t, "--yes").check(t, 0, "Done.")
	alice, _ := friends("a")
	p := e2e.NewPerson(t, alice, testbed.NewDisplay(t))
	t.Cleanup(func() { keepLogs(t, p.OBS) })
	frame := time.Second / time.Duration(p.FPS)

	// Of changes at all times within a picture the quickest need not wait for OBS's next one, and meets a guest that is
	// not busy.
	camera, capture := cameraTimes(t, p), captureTimes(t, p)
	t.Logf("OBS at %d pictures a second: a change is in the camera after %v (median %v), and from the device in OBS after %v (median %v)",
		p.FPS, camera[0], camera[latencyChanges/2], capture[0], capture[latencyChanges/2])
	if got := camera[0].Seconds() / frame.Seconds(); got < 0.8 || got > 1.9 {
		t.Errorf("virtual camera: got it %.1f pictures after the programme, want about 1", got)
	}
	if got := capture[0].Seconds() / frame.Seconds(); got > 0.9 {
		t.Errorf("video capture: got it after %.1f pictures, want less than one", got)
	}
}

// cameraTimes are how long changes of the programme take to the camera, in order.
func cameraTimes(t *testing.T, p *e2e.Person) []time.Duration {
	t.Helper()
	p.OBS.Request("StartVirtualCam", nil, nil)
	await(t, "the camera writes", pictureLimit, func() error { return orNil(written(t, videoOut), "nobody writes to %s", videoOut) })
	// Without Go's poller: v4l2loopback 0.12.7 does not say to those who read when there is something.
	fd, err := unix.Open(videoOut, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	device := os.NewFile(uintptr(fd), videoOut)
	bright := make(chan bool, 1)
	stop := testbed.Run(t, "reader of the camera", func(ctx context.Context) error {
		picture := make([]byte, p.Width*p.Height*2) // YUYV
		for ctx.Err() == nil {
			if _, err := io.ReadFull(device, picture); err != nil {
				return fmt.Errorf("read %s: %w", videoOut, err)
			}
			select {
			case <-bright:
			default:
			}
			// A pixel of the first quarter.
			bright <- picture[(p.Height/4*p.Width+p.Width/4)*2] > 0x80
		}
		return nil
	})
	took := times(p.FPS, func(c color.RGBA) {
		p.SetColour(0, c)
		limit := time.After(pictureLimit)
		for {
			select {
			case is := <-bright:
				if is == (c == latencyBright) {
					return
				}
			case <-limit:
				t.Fatalf("the camera does not show %v", c)
			}
		}
	})
	stop()
	_ = device.Close()
	p.OBS.Request("StopVirtualCam", nil, nil)
	return took
}

// captureTimes are how long what is written to the device takes to OBS's video capture, in order, with the look at it.
func captureTimes(t *testing.T, p *e2e.Person) []time.Duration {
	t.Helper()
	format := media.VideoFormat{W: p.Width, H: p.Height, FPSNum: p.FPS, FPSDen: 1}
	screen, err := media.NewDeviceScreen(videoIn, media.ScreenOptions{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	testbed.Run(t, "screen", screen.Run)
	await(t, "the screen writes", pictureLimit, func() error { return orNil(written(t, videoIn), "nobody writes to %s", videoIn) })
	p.OBS.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": e2e.PeerInput, "inputKind": "v4l2_input",
		"inputSettings": testbed.D{"device_id": videoIn, "buffering": false}}, nil)
	shows := func(c color.RGBA) error {
		img, err := p.OBS.TryScreenshot(e2e.PeerInput)
		if err != nil {
			return err
		}
		return testbed.CheckRegion(img, img.Bounds().Inset(p.Height/4), c, 40)
	}
	screen.Placeholder(false)
	return times(p.FPS, func(c color.RGBA) {
		screen.Show(grey(format, c))
		for deadline := time.Now().Add(pictureLimit); ; time.Sleep(lookPause) {
			err := shows(c)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the change is not seen: %v", err)
			}
		}
	})
}

// times are how long changes take, in order, which come at all times within a picture of OBS.
func times(fps int, change func(color.RGBA)) []time.Duration {
	var all []time.Duration
	for i := range latencyChanges {
		time.Sleep(time.Second/2 + time.Second/time.Duration(fps)*time.Duration(i)/latencyChanges)
		began := time.Now()
		change([]color.RGBA{latencyBright, latencyDark}[i%2])
		all = append(all, time.Since(began).Round(time.Millisecond))
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}

// grey is a picture of one shade of grey.
func grey(f media.VideoFormat, c color.RGBA) media.Frame {
	data := make([]byte, f.FrameSize())
	for i := range data {
		if data[i] = 0x80; i < f.W*f.H {
			data[i] = 16 + byte(int(c.R)*219/255)
		}
	}
	return media.Frame{Data: data, W: f.W, H: f.H}
}
