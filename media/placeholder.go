// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Colours of the placeholder: a calm night sky, which fits beside any scene.
var (
	skyTop    = color.RGBA{0x1f, 0x28, 0x3d, 0xff}
	skyBottom = color.RGBA{0x0d, 0x11, 0x19, 0xff}
	glow      = color.RGBA{0x2a, 0x5a, 0x62, 0xff}
	inkColour = color.RGBA{0xf1, 0xf4, 0xf9, 0xff}
	dimInk    = color.RGBA{0x93, 0xa1, 0xb5, 0xff}
	ringTone  = color.RGBA{0x4f, 0xc3, 0xb0, 0xff}
	discTone  = color.RGBA{0x25, 0x33, 0x46, 0xff}
	bustTone  = color.RGBA{0x6d, 0x80, 0x99, 0xff}
)

// NewPlaceholder draws the picture that a screen shows while nothing arrives: an empty seat, and below it the name of the
// person we wait for. Characters that the built-in font lacks (it has Latin, Greek and Cyrillic) are left out, and a name
// that is too long is set in two lines or shortened; no name becomes "your friend". Odd sides of the format are rounded down
// to even. The error wraps ErrFormat.
func NewPlaceholder(f VideoFormat, name string) (Frame, error) {
	p, err := drawPlate(f, name, "your friend", func(name string) [2]words { return [2]words{caption("Waiting for"), title(name)} })
	if err != nil {
		return Frame{}, fmt.Errorf("placeholder: %w", err)
	}
	return p, nil
}

// NewHereCard draws the placeholder for a person who is on air with us, but whose picture has not come. No name becomes "Your
// friend".
func NewHereCard(f VideoFormat, name string) (Frame, error) {
	p, err := drawPlate(f, name, "Your friend", func(name string) [2]words {
		return [2]words{title(name), caption("is here, not shown yet")}
	})
	if err != nil {
		return Frame{}, fmt.Errorf("placeholder: %w", err)
	}
	return p, nil
}

// NewBreakCard draws the picture that is sent while somebody is on a break, in
// the same way; no name at all becomes "Your friend".
func NewBreakCard(f VideoFormat, name string) (Frame, error) {
	p, err := drawPlate(f, name, "Your friend", func(name string) [2]words { return [2]words{title(name), caption("is on a break")} })
	if err != nil {
		return Frame{}, fmt.Errorf("card for a break: %w", err)
	}
	return p, nil
}

// words are a part of the text of a plate.
type words struct {
	text       string
	size, room float64 // the size of letters in units, and the part of the width that is theirs
	ink        color.RGBA
}

func caption(text string) words { return words{text, 0.075, 0.9, dimInk} }

func title(text string) words { return words{text, 0.15, 0.88, inkColour} }

// drawPlate draws a seat with two parts of text below.
func drawPlate(f VideoFormat, name, nobody string, say func(name string) [2]words) (Frame, error) {
	f, err := f.normal()
	if err != nil {
		return Frame{}, err
	}
	letters, err := newLettering()
	if err != nil {
		return Frame{}, err
	}
	if name = letters.drawable(name); name == "" {
		name = nobody
	}
	w, h := float64(f.W), float64(f.H)
	// Everything is drawn large, because the picture is mostly seen small, in a corner of a scene.
	unit := math.Min(h, w*1.1)
	parts := say(name)
	var scripts [len(parts)]script
	for i, p := range parts {
		if scripts[i], err = letters.set(p.text, unit*p.size, int(w*p.room)); err != nil {
			return Frame{}, err
		}
	}
	upper, lower := scripts[0], scripts[1]
	radius, gap := unit*0.17, unit*0.075
	top := (h - (2*radius + gap + upper.height() + gap*0.8 + lower.height())) / 2

	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	drawSky(img, w/2, top+radius, unit)
	drawSeat(img, w/2, top+radius, radius)
	y := top + 2*radius + gap
	upperHeight := upper.height()
	upper.draw(img, w/2, y, parts[0].ink)
	lower.draw(img, w/2, y+upperHeight+gap*0.8, parts[1].ink)
	return frameFromRGBA(img), nil
}

// drawSky fills the picture from top to bottom, darker in the corners and with a light around a point.
func drawSky(img *image.RGBA, cx, cy, unit float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := mix(skyTop, skyBottom, float64(y)/float64(h))
		for x := range w {
			dx, dy := 2*float64(x)/float64(w)-1, 2*float64(y)/float64(h)-1
			shade := 1 - 0.3*math.Min(1, (dx*dx+dy*dy)/2)
			gx, gy := (float64(x)-cx)/unit, (float64(y)-cy)/unit
			c := row
			if near := 1 - (gx*gx+gy*gy)*1.6; near > 0 {
				c = mix(row, glow, 0.45*near*near*near)
			}
			// Dark gradients show bands; a fixed grain of one step hides them.
			grain := float64((x*7+y*13)%5)/4 - 0.5
			img.SetRGBA(x, y, color.RGBA{
				level(float64(c.R)*shade + grain), level(float64(c.G)*shade + grain), level(float64(c.B)*shade + grain), 0xff})
		}
	}
}

// drawSeat draws a person's outline in a disc, with a ring that is not closed.
func drawSeat(img *image.RGBA, cx, cy, radius float64) {
	disc := radius * 0.84
	inDisc := func(x, y float64) float64 { return inside(math.Hypot(x-cx, y-cy) - disc) }
	paint(img, cx, cy, radius, discTone, inDisc)
	paint(img, cx, cy, radius, bustTone, func(x, y float64) float64 {
		head := inside(math.Hypot(x-cx, y-(cy-disc*0.2)) - disc*0.34)
		dx, dy := (x-cx)/1.15, y-(cy+disc*0.98)
		shoulders := inside(math.Hypot(dx, dy) - disc*0.62)
		return math.Max(head, math.Min(shoulders, inDisc(x, y)))
	})
	width := math.Max(radius*0.055, 0.8)
	middle := radius - width
	paint(img, cx, cy, radius+1, ringTone, func(x, y float64) float64 {
		// The ring fades anticlockwise from the top.
		turn := math.Atan2(x-cx, cy-y) / (2 * math.Pi)
		if turn < 0 {
			turn++
		}
		return inside(math.Abs(math.Hypot(x-cx, y-cy)-middle)-width/2) * math.Max(0, math.Min(1, (turn-0.08)*1.3))
	})
}

// inside is how much of a pixel at that distance from an edge is inside it.
func inside(distance float64) float64 { return math.Max(0, math.Min(1, 0.5-distance)) }

// paint colours the area around a point, as strongly as cover says.
func paint(img *image.RGBA, cx, cy, reach float64, c color.RGBA, cover func(x, y float64) float64) {
	area := image.Rect(int(cx-reach)-1, int(cy-reach)-1, int(cx+reach)+2, int(cy+reach)+2).Intersect(img.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if t := cover(float64(x)+0.5, float64(y)+0.5); t > 0 {
				img.SetRGBA(x, y, mix(img.RGBAAt(x, y), c, t))
			}
		}
	}
}

// mix returns the colour between a (t = 0) and b (t = 1).
func mix(a, b color.RGBA, t float64) color.RGBA {
	at := func(x, y uint8) uint8 { return level(float64(x) + (float64(y)-float64(x))*t) }
	return color.RGBA{at(a.R, b.R), at(a.G, b.G), at(a.B, b.B), 0xff}
}

func level(v float64) uint8 { return uint8(max(0, min(255, v+0.5))) }
