// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

const lampInput = "Lamp"

var (
	lampOff = color.RGBA{0x30, 0x30, 0x30, 0xff}
	lampOn  = color.RGBA{0xf0, 0xc0, 0x20, 0xff}
)

const (
	// glancePause keeps the watching from slowing down what is watched.
	glancePause = 8 * time.Millisecond
	lampLimit   = 30 * time.Second
)

// AddLamp puts a lamp on the person's canvas, at its upper right, by which PictureDelays are measured.
func (p *Person) AddLamp() {
	p.tb.Helper()
	p.OBS.AddPatch(testbed.Scene, testbed.Patch{Name: lampInput, Colour: lampOff, Area: p.lamp()})
}

func (p *Person) lamp() image.Rectangle {
	side := p.Height / 10
	return image.Rect(p.Width-2*side, side/2, p.Width-side, side*3/2)
}

// PictureDelays switches the person's lamp on and off and returns how long after each request a small screenshot of the
// viewer's OBS shows it: of the peer source, or, where the viewer is the person, of the own scene. The screenshot's own
// time, some milliseconds, is included.
func (p *Person) PictureDelays(viewer *Person, count int) []time.Duration {
	p.tb.Helper()
	source := PeerInput
	if viewer == p {
		source = testbed.Scene
	}
	colours := []color.RGBA{lampOn, lampOff}
	var delays []time.Duration
	frame := time.Second / time.Duration(p.FPS)
	for i := range count {
		want := colours[i%2]
		// Anywhere between two pictures.
		time.Sleep(time.Duration(i*7%33) * frame / 33)
		began := time.Now()
		p.OBS.SetPatchColour(lampInput, want)
		for {
			err := viewer.glance(source, func(img image.Image) error {
				return testbed.CheckRegion(img, scaled(p.lamp(), p.Width, img.Bounds().Dx()), want, 60)
			})
			if err == nil {
				break
			}
			if time.Since(began) > lampLimit {
				p.tb.Fatalf("the lamp's change did not reach %s: %v", viewer.Name, err)
			}
			time.Sleep(glancePause)
		}
		delays = append(delays, time.Since(began))
	}
	return delays
}

// glance looks at a small picture of a source: a large one would keep OBS from its work.
func (p *Person) glance(source string, look func(image.Image) error) error {
	var shot struct{ ImageData string }
	if err := p.OBS.TryRequest("GetSourceScreenshot", testbed.D{
		"sourceName": source, "imageFormat": "jpg", "imageWidth": 160, "imageCompressionQuality": 90,
	}, &shot); err != nil {
		return err
	}
	_, data, _ := strings.Cut(shot.ImageData, ",")
	img, err := jpeg.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	if err != nil {
		return err
	}
	return look(img)
}

// scaled is the middle of an area of a canvas in a picture of another size but the same shape.
func scaled(r image.Rectangle, canvas, picture int) image.Rectangle {
	r = r.Inset(r.Dx() / 4)
	return image.Rect(r.Min.X*picture/canvas, r.Min.Y*picture/canvas, r.Max.X*picture/canvas, r.Max.Y*picture/canvas)
}
