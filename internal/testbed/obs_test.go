// SPDX-License-Identifier: Apache-2.0

package testbed_test

import (
	"image"
	"image/color"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestRealOBS(t *testing.T) {
	testbed.Need(t)
	blue := color.RGBA{0x20, 0x40, 0xc0, 0xff}
	began := time.Now()
	obs := testbed.StartOBS(t, testbed.OBSOptions{
		Width: 320, Height: 180, FPS: 10, Password: "correct horse",
		Patches: []testbed.Patch{{Name: "left", Colour: blue, Area: image.Rect(0, 0, 160, 180)}},
	})
	t.Logf("started in %v", time.Since(began))

	var video struct{ BaseWidth, BaseHeight, FPSNumerator int }
	obs.Request("GetVideoSettings", nil, &video)
	if got, want := [3]int{video.BaseWidth, video.BaseHeight, video.FPSNumerator}, [3]int{320, 180, 10}; got != want {
		t.Errorf("video settings: got %v, want %v", got, want)
	}
	check := func() error {
		img, err := obs.TryScreenshot(testbed.Scene)
		if err != nil {
			return err
		}
		return testbed.CheckRegion(img, image.Rect(10, 10, 150, 170), blue, 4)
	}
	testbed.Await(t, "the patch is in the picture", 5*time.Second, check)

	began = time.Now()
	obs.Interrupt()
	obs.Start()
	t.Logf("restarted in %v", time.Since(began))
	testbed.Await(t, "the patch is back after a restart", 5*time.Second, check)
}
