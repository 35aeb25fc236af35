// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// sendShape sends a picture of one colour in another shape than OBS's canvas.
const sendShape = "videotestsrc is-live=true pattern=solid-color foreground-color=0xffff8000 ! video/x-raw,format=I420,width=%d,height=%d,framerate=30/1" +
	" ! x264enc tune=zerolatency bitrate=1000 speed-preset=ultrafast key-int-max=30 ! rtph264pay ! udpsink host=%s port=5000"

// TestRealPeerShape: a peer whose picture is 4:3, then upright, then wide again is seen whole and without borders.
func TestRealPeerShape(t *testing.T) {
	testbed.Need(t)
	alice := e2e.NewPerson(t, withCanvas(e2e.Alice(), 640, 360), testbed.NewDisplay(t))
	friend := &e2e.Person{PersonOptions: e2e.PersonOptions{Name: "friend"}, Address: testbed.LoopbackAddress(t)}
	companion := alice.Run(binary, friend, "--layout=pip top-left margin 20")
	companion.Await(e2e.Ready, readyLimit)
	alice.OBS.StartStream()
	companion.Await(e2e.OnAir, airLimit)

	orange := color.RGBA{0xff, 0x80, 0, 0xff}
	for _, tt := range []struct {
		w, h int
		want image.Rectangle
	}{
		{640, 480, image.Rect(20, 20, 188, 146)},
		{360, 640, image.Rect(20, 20, 128, 212)},
		{1280, 720, image.Rect(20, 20, 212, 128)},
	} {
		what := fmt.Sprintf("a peer of %dx%d", tt.w, tt.h)
		sender := testbed.Start(t, testbed.Command{Name: what, Path: "gst-launch-1.0", Args: strings.Fields(fmt.Sprintf(sendShape, tt.w, tt.h, alice.Address))})
		testbed.Await(t, what, airLimit, func() error {
			img, err := alice.OBS.TryScreenshot(testbed.Scene)
			if err != nil {
				return err
			}
			// A row of pixels at each side may be mixed of the peer's picture and what is below it.
			inside, outside := tt.want.Inset(1), tt.want.Inset(-1)
			return errors.Join(
				testbed.CheckRegion(img, inside, orange, 16),
				testbed.CheckRegion(img, image.Rect(inside.Min.X, inside.Min.Y, inside.Min.X+1, inside.Max.Y), orange, 16),
				testbed.CheckRegion(img, image.Rect(inside.Max.X-1, inside.Min.Y, inside.Max.X, inside.Max.Y), orange, 16),
				testbed.CheckRegion(img, image.Rect(outside.Max.X, outside.Min.Y, outside.Max.X+2, 180), alice.Colours[0], 16),
				testbed.CheckRegion(img, image.Rect(outside.Min.X-2, outside.Min.Y, outside.Min.X, 180), alice.Colours[0], 16),
			)
		})
		sender.Interrupt()
		companion.Await(e2e.OnAir, airLimit)
	}
}
