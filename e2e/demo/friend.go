// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// looks say what a friend streams.
type looks struct {
	e2e.PersonOptions
	theme theme
	file  string
	code  []string
}

var (
	aliceLooks = looks{
		PersonOptions: withPreview(e2e.Alice(), 640, 360),
		theme:         theme{back: color.RGBA{0x1d, 0x1f, 0x2b, 0xff}, bar: color.RGBA{0xb0, 0x3a, 0x5b, 0xff}},
		file:          "gateway.go",
		code: []string{
			"// serve answers until ctx ends.",
			"func (g *Gateway) serve(ctx context.Context) error {",
			"\tfor {",
			"\t\tselect {",
			"\t\tcase <-ctx.Done():",
			"\t\t\treturn nil",
			"\t\tcase req := <-g.requests:",
			"\t\t\tif err := g.answer(req); err != nil {",
			"\t\t\t\tg.log.Warn(\"no answer\", \"error\", err)",
			"\t\t\t}",
			"\t\t}",
			"\t}",
			"}",
		},
	}
	bobLooks = looks{
		PersonOptions: withPreview(e2e.Bob(), 800, 450),
		theme:         theme{back: color.RGBA{0x12, 0x26, 0x2b, 0xff}, bar: color.RGBA{0x1f, 0x7a, 0x8c, 0xff}},
		file:          "gateway_test.go",
		code: []string{
			"func TestServe(t *testing.T) {",
			"\tg := newGateway(t)",
			"\tgot, err := g.ask(\"ping\")",
			"\tif err != nil {",
			"\t\tt.Fatalf(\"ask: %v\", err)",
			"\t}",
			"\tif want := \"pong\"; got != want {",
			"\t\tt.Errorf(\"got %q, want %q\", got, want)",
			"\t}",
			"}",
		},
	}
)

func withPreview(o e2e.PersonOptions, w, h int) e2e.PersonOptions {
	o.Width, o.Height, o.Preview = w, h, true
	return o
}

// friend is a person with a programme worth looking at.
type friend struct {
	*e2e.Person
	companion *e2e.Companion
}

const (
	lampInput = "Lamp"
	codeInput = "Editor"
)

func newFriend(tb testbed.TB, l looks) *friend {
	f := &friend{Person: e2e.NewPerson(tb, l.PersonOptions, testbed.NewDisplay(tb))}
	path := filepath.Join(tb.TempDir(), l.Name+".png")
	if err := savePicture(path, l.paint()); err != nil {
		tb.Fatalf("%v", err)
	}
	f.OBS.Request("CreateInput", testbed.D{
		"sceneName": testbed.Scene, "inputName": codeInput, "inputKind": "image_source",
		"inputSettings": testbed.D{"file": path},
	}, nil)
	f.OBS.AddPatch(testbed.Scene, testbed.Patch{Name: lampInput, Colour: lampOff, Area: f.lamp()})
	return f
}

func (f *friend) canvas() string { return fmt.Sprintf("%dx%d at %d fps", f.Width, f.Height, f.FPS) }

var (
	lampOff = color.RGBA{0x30, 0x30, 0x30, 0xff}
	lampOn  = color.RGBA{0xf0, 0xc0, 0x20, 0xff}
)

// lamp is where the lamp is on the canvas, at its upper right.
func (f *friend) lamp() image.Rectangle {
	side := f.Height / 10
	return image.Rect(f.Width-2*side, side/2, f.Width-side, side*3/2)
}

// glancePause keeps the watching from slowing down what is watched.
const glancePause = 8 * time.Millisecond

// measure returns the median time from a request that changes the lamp in one OBS to the moment
// when a small screenshot of the other's peer source shows it. The screenshot's own time, some
// milliseconds, is included.
func measure(tb testbed.TB, from, to *friend) time.Duration {
	colours := []color.RGBA{lampOn, lampOff}
	var times []time.Duration
	for i := range probes {
		want := colours[i%2]
		began := time.Now()
		from.OBS.SetPatchColour(lampInput, want)
		for {
			img, err := to.glance()
			if err == nil {
				err = testbed.CheckRegion(img, scaled(from.lamp(), from.Width, img.Bounds().Dx()), want, 60)
			}
			if err == nil {
				break
			}
			if time.Since(began) > airLimit {
				tb.Fatalf("the lamp's change did not reach %s: %v", to.Name, err)
			}
			time.Sleep(glancePause)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// glance is a small picture of the peer source: a large one would keep OBS from its work.
func (f *friend) glance() (image.Image, error) {
	var shot struct{ ImageData string }
	if err := f.OBS.TryRequest("GetSourceScreenshot", testbed.D{
		"sourceName": e2e.PeerInput, "imageFormat": "jpg", "imageWidth": 160, "imageCompressionQuality": 90,
	}, &shot); err != nil {
		return nil, err
	}
	_, data, _ := strings.Cut(shot.ImageData, ",")
	return jpeg.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
}

// lockPeer locks the peer's item: OBS selects what is new and draws handles around it otherwise.
func (f *friend) lockPeer() {
	var item struct{ SceneItemID int }
	f.OBS.Request("GetSceneItemId", testbed.D{"sceneName": testbed.Scene, "sourceName": e2e.PeerInput}, &item)
	f.OBS.Request("SetSceneItemLocked", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item.SceneItemID, "sceneItemLocked": true}, nil)
}

// scaled is the middle of an area of a canvas in a picture of another size but the same shape.
func scaled(r image.Rectangle, canvas, picture int) image.Rectangle {
	r = r.Inset(r.Dx() / 4)
	return image.Rect(r.Min.X*picture/canvas, r.Min.Y*picture/canvas, r.Max.X*picture/canvas, r.Max.Y*picture/canvas)
}
