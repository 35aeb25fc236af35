// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// patches are colours that show what a conversion does: greys over the whole range, and the corners of it.
var patches = []color.RGBA{
	{0, 0, 0, 255}, {1, 1, 1, 255}, {8, 8, 8, 255}, {16, 16, 16, 255}, {32, 32, 32, 255}, {64, 64, 64, 255},
	{96, 96, 96, 255}, {128, 128, 128, 255}, {160, 160, 160, 255}, {192, 192, 192, 255}, {224, 224, 224, 255},
	{255, 255, 255, 255}, orange, teal, violet, {200, 30, 30, 255},
}

const patchesAcross = 4

// patchwork is a picture of the patches, four in a row.
func patchwork(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	down := len(patches) / patchesAcross
	for i, c := range patches {
		x, y := i%patchesAcross, i/patchesAcross
		at := image.Rect(x*w/patchesAcross, y*h/down, (x+1)*w/patchesAcross, (y+1)*h/down)
		draw.Draw(img, at, image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

// patchAt is the middle of a patch, in thousandths of the sides.
func patchAt(i int) (x, y int) {
	down := len(patches) / patchesAcross
	return (2*(i%patchesAcross) + 1) * 500 / patchesAcross, (2*(i/patchesAcross) + 1) * 500 / down
}

// exact tells which patches are not what they should be: greys within a level, other colours within three, since JPEG rounds
// three figures of each and video three more: half a level of colour is 1 of blue in either.
func exact(at func(x, y int) color.RGBA) error {
	var wrong []string
	for i, want := range patches {
		most := 3
		if want.R == want.G && want.G == want.B {
			most = 1
		}
		if got := at(patchAt(i)); !near(got, want, most) {
			wrong = append(wrong, fmt.Sprintf("%v instead of %v", got, want))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("got %s", strings.Join(wrong, ", "))
	}
	return nil
}

// TestColoursOfImages sends JPEG images, as the portable route does.
func TestColoursOfImages(t *testing.T) {
	for _, f := range []VideoFormat{{1280, 720, 30, 1}, {854, 480, 30, 1}} {
		t.Run(f.String(), func(t *testing.T) {
			r, frames := newReceiver(t, f)
			newImageSender(t, f, jpegOf(t, patchwork(f.W, f.H)), r.Push)
			var last error
			defer func() {
				if t.Failed() {
					t.Log(last)
				}
			}()
			// The encoder spends some pictures on getting sharp.
			await(t, "the right colours", frames, soon, func(f Frame) bool {
				last = exact(func(x, y int) color.RGBA { return colourAt(f, x, y) })
				return last == nil
			})
		})
	}
}

// TestRealColoursThroughOBS sends what an OBS shows by the portable route, from its screenshots to its Media Source.
func TestRealColoursThroughOBS(t *testing.T) {
	testbed.Need(t)
	f := VideoFormat{640, 360, 30, 1}
	screen, err := NewSocketScreen("127.0.0.1:0", ScreenOptions{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	start(t, screen.Run)
	receiver, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Out: screen.Show})
	if err != nil {
		t.Fatal(err)
	}
	start(t, receiver.Run)
	screen.Placeholder(false)

	obs := testbed.StartOBS(t, testbed.OBSOptions{Width: f.W, Height: f.H, FPS: f.FPSNum})
	file := filepath.Join(t.TempDir(), "patches.png")
	var picture bytes.Buffer
	if err := errors.Join(png.Encode(&picture, patchwork(f.W, f.H)), os.WriteFile(file, picture.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Patches", "inputKind": "image_source",
		"inputSettings": testbed.D{"file": file}}, nil)
	shows := func(m mediaSource) func() error {
		return func() error {
			img, err := m.picture(f.W, f.H)
			if err != nil {
				return err
			}
			return exact(func(x, y int) color.RGBA {
				return color.RGBAModel.Convert(img.At(f.W*x/1000, f.H*y/1000)).(color.RGBA)
			})
		}
	}
	patches := mediaSource{obs, "Patches"}
	testbed.Await(t, "OBS to show the patches", soon, shows(patches))
	shot, err := patches.screenshot(f.W, f.H, "jpg", 80)
	if err != nil {
		t.Fatal(err)
	}
	newImageSender(t, f, shot, receiver.Push)
	testbed.Await(t, "the peer source to show the same", soon, shows(addMediaSource(obs, "Peer", screen.MediaSourceSettings())))
}
