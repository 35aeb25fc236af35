// SPDX-License-Identifier: Apache-2.0

package media

import (
	"image"
	"image/color"
	"math"
)

var (
	plateTone  = color.RGBA{0x0b, 0x0f, 0x17, 0xff}
	plateCover = 0.72
)

// plate writes a name over pictures, in the middle of the lower edge of the peer's part, where it stays when a layout crops
// the sides.
//
// It is drawn into the pictures, so it follows the picture into every scene, crop and group, and needs no fonts, text
// sources or items in OBS.
type plate struct {
	name    string
	letters lettering

	drawn bool
	area  image.Rectangle // for which it was drawn
	at    image.Point     // its upper left corner, even
	ink   Frame           // its colours
	cover []uint8         // how much of each pixel it covers; 0 to 255
}

// newPlate returns nil for a name without any character that can be written.
func newPlate(name string) (*plate, error) {
	letters, err := newLettering()
	if err != nil {
		return nil, err
	}
	if name = letters.drawable(name); name == "" {
		return nil, nil
	}
	return &plate{name: name, letters: letters}, nil
}

// put writes the name over a picture.
func (p *plate) put(data []byte, f VideoFormat, area image.Rectangle) error {
	whole := image.Rect(0, 0, f.W, f.H)
	if area = area.Intersect(whole); area.Empty() {
		area = whole
	}
	if !p.drawn || p.area != area {
		if err := p.draw(area); err != nil {
			return err
		}
	}
	p.blend(data, f)
	return nil
}

// draw makes the plate for an area.
func (p *plate) draw(area image.Rectangle) error {
	p.drawn, p.area, p.ink = true, area, Frame{}
	unit := math.Min(float64(area.Dy()), float64(area.Dx())*1.1)
	if unit*0.07 < leastSize {
		return nil // It would be illegible.
	}
	s, err := p.letters.set(p.name, unit*0.07, area.Dx()/2)
	if err != nil {
		return err
	}
	padX, padY := s.size*0.7, s.size*0.5
	w := (s.width() + int(2*padX) + 1) &^ 1
	h := (int(s.height()+2*padY) + 1) &^ 1
	p.at = image.Pt(area.Min.X+(area.Dx()-w)/2, area.Max.Y-h-int(unit*0.05))
	p.at.X, p.at.Y = p.at.X&^1, p.at.Y&^1
	if !image.Rect(p.at.X, p.at.Y, p.at.X+w, p.at.Y+h).In(area) {
		return nil
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	paint(img, float64(w)/2, float64(h)/2, float64(max(w, h)), plateTone, func(_, _ float64) float64 { return 1 })
	s.draw(img, float64(w)/2, padY, inkColour)

	p.cover = make([]uint8, w*h)
	radius := math.Min(float64(h)/2, s.size*0.6)
	for y := range h {
		for x := range w {
			// The distance to a rectangle with rounded corners; letters cover fully.
			dx := math.Max(0, math.Abs(float64(x)+0.5-float64(w)/2)-float64(w)/2+radius)
			dy := math.Max(0, math.Abs(float64(y)+0.5-float64(h)/2)-float64(h)/2+radius)
			c := img.RGBAAt(x, y)
			letter := float64(c.R-plateTone.R) / float64(inkColour.R-plateTone.R)
			p.cover[y*w+x] = level(255 * inside(math.Hypot(dx, dy)-radius) * (plateCover + (1-plateCover)*letter))
		}
	}
	p.ink = frameFromRGBA(img)
	return nil
}

// blend mixes the plate into a picture.
func (p *plate) blend(data []byte, f VideoFormat) {
	w, h := p.ink.W, p.ink.H
	mixed := func(under, over, cover uint8) uint8 {
		return uint8((int(under)*(255-int(cover)) + int(over)*int(cover) + 127) / 255)
	}
	for y := range h {
		line := data[(p.at.Y+y)*f.W+p.at.X:]
		for x := range w {
			line[x] = mixed(line[x], p.ink.Data[y*w+x], p.cover[y*w+x])
		}
	}
	half := f.W / 2
	for plane := range 2 {
		under := data[f.W*f.H+plane*half*f.H/2:]
		over := p.ink.Data[w*h+plane*w*h/4:]
		for y := range h / 2 {
			for x := range w / 2 {
				i := 2*y*w + 2*x
				cover := (int(p.cover[i]) + int(p.cover[i+1]) + int(p.cover[i+w]) + int(p.cover[i+w+1])) / 4
				at := (p.at.Y/2+y)*half + p.at.X/2 + x
				under[at] = mixed(under[at], over[y*w/2+x], uint8(cover))
			}
		}
	}
}
