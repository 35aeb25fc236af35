// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/media"
)

const (
	glanceWidth   = 240
	glanceQuality = 70
	// glanceEvery is the least time between two pictures, of which the panel asks for one each second.
	glanceEvery = 800 * time.Millisecond
	// glanceFor is for how long pictures are kept on being taken after the panel asked for one.
	glanceFor = 3 * time.Second
)

// glance keeps the newest of the peer's pictures that pass by, about one each second, while somebody asks for them. No screenshot
// is taken for it: that would cost OBS time, and one of a source that OBS does not draw can stop OBS for good. The pictures that
// the peer gets are looked at where they are encoded.
type glance struct {
	mu    sync.Mutex
	asked time.Time
	taken time.Time
	last  *image.RGBA
}

// pass is called with each picture, and takes one that is due. It must be quick.
func (g *glance) pass(now time.Time, take func() *image.RGBA) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.asked) > glanceFor || now.Sub(g.taken) < glanceEvery {
		return
	}
	g.last, g.taken = take(), now
}

// look returns the newest picture, nil where there is none that is new.
func (g *glance) look(now time.Time) *image.RGBA {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = now
	if now.Sub(g.taken) > glanceFor {
		return nil
	}
	return g.last
}

// forget drops the picture, at the end of a call.
func (g *glance) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = nil
}

// watched is a screen whose pictures are looked at.
type watched struct {
	call.Screen
	friend *glance
}

// Show implements call.Screen.
func (w watched) Show(f media.Frame) {
	w.friend.pass(time.Now(), func() *image.RGBA { return thumbnail(f, glanceWidth) })
	w.Screen.Show(f)
}

// thumbnail is a small copy of the part of a frame that has the picture.
func thumbnail(f media.Frame, width int) *image.RGBA {
	area := f.Area.Intersect(image.Rect(0, 0, f.W, f.H))
	if area.Empty() {
		area = image.Rect(0, 0, f.W, f.H)
	}
	width = min(width, area.Dx())
	small := image.NewRGBA(image.Rect(0, 0, width, max(1, width*area.Dy()/area.Dx())))
	chroma := f.W / 2
	cb := f.Data[f.W*f.H:]
	cr := cb[chroma*(f.H/2):]
	for y := range small.Rect.Dy() {
		from := area.Min.Y + y*area.Dy()/small.Rect.Dy()
		for x := range width {
			at := area.Min.X + x*area.Dx()/width
			c := (from/2)*chroma + at/2
			small.SetRGBA(x, y, fromBT709(f.Data[from*f.W+at], cb[c], cr[c]))
		}
	}
	return small
}

// fromBT709 is the colour of a sample with video range.
func fromBT709(y, cb, cr byte) color.RGBA {
	l, b, r := 298*(int(y)-16), int(cb)-128, int(cr)-128 // in 256ths
	part := func(v int) byte { return byte(min(max((v+128)>>8, 0), 255)) }
	return color.RGBA{part(l + 459*r), part(l - 55*b - 136*r), part(l + 541*b), 0xff}
}

// jpegOf is a picture for the panel, as JPEG.
func jpegOf(picture *image.RGBA) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: glanceQuality})
	return b.Bytes(), err
}
