// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Colours of the placeholder: a calm night sky, so that it sits well beside
// any scene.
var (
	skyTop    = color.RGBA{0x1b, 0x22, 0x33, 0xff}
	skyBottom = color.RGBA{0x0d, 0x11, 0x19, 0xff}
	inkColour = color.RGBA{0xe8, 0xed, 0xf5, 0xff}
	dotColour = color.RGBA{0x4f, 0xc3, 0xb0, 0xff}
)

// NewPlaceholder draws the picture that stands on a screen while nothing
// arrives, with the given text in its middle. Characters that the built-in font
// lacks (it knows Latin, Greek and Cyrillic) are left out, and a text too long
// for the picture is shortened. Odd sides of the format are rounded down to
// even. The error wraps ErrFormat.
func NewPlaceholder(f VideoFormat, text string) (Frame, error) {
	f, err := f.normal()
	if err != nil {
		return Frame{}, err
	}
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	drawSky(img)
	baseline := f.H * 48 / 100
	if err := drawText(img, text, baseline); err != nil {
		return Frame{}, fmt.Errorf("placeholder: %w", err)
	}
	drawDots(img, baseline)
	return frameFromRGBA(img), nil
}

// drawSky fills the picture from top to bottom, a little darker in the corners.
func drawSky(img *image.RGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := mix(skyTop, skyBottom, float64(y)/float64(h))
		for x := range w {
			dx, dy := 2*float64(x)/float64(w)-1, 2*float64(y)/float64(h)-1
			shade := 1 - 0.22*math.Min(1, (dx*dx+dy*dy)/2)
			// Banding shows on dark gradients; a fixed grain of one step hides it.
			grain := float64((x*7+y*13)%5)/4 - 0.5
			img.SetRGBA(x, y, color.RGBA{
				level(float64(row.R)*shade + grain), level(float64(row.G)*shade + grain), level(float64(row.B)*shade + grain), 0xff})
		}
	}
}

// drawText writes one line, centred, as large as fits and at most a tenth of
// the height.
func drawText(img *image.RGBA, text string, baseline int) error {
	parsed, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return err
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	text = drawable(parsed, text)
	room := fixed.I(w * 84 / 100)
	size := float64(h) / 10
	face, err := faceOf(parsed, size)
	if err != nil {
		return err
	}
	defer func() { _ = face.Close() }()
	if width := font.MeasureString(face, text); width > room {
		// Below a third of the full size nobody reads it: shorten instead.
		size *= math.Max(float64(room)/float64(width), 1.0/3)
		_ = face.Close()
		if face, err = faceOf(parsed, size); err != nil {
			return err
		}
		text = shorten(face, text, room)
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(inkColour), Face: face}
	d.Dot = fixed.Point26_6{X: (fixed.I(w) - d.MeasureString(text)) / 2, Y: fixed.I(baseline)}
	d.DrawString(text)
	return nil
}

func faceOf(f *sfnt.Font, size float64) (font.Face, error) {
	return opentype.NewFace(f, &opentype.FaceOptions{Size: math.Max(size, 6), DPI: 72, Hinting: font.HintingNone})
}

// drawable returns the text without the characters that the font lacks.
func drawable(f *sfnt.Font, text string) string {
	var buf sfnt.Buffer
	kept := strings.Map(func(r rune) rune {
		if i, err := f.GlyphIndex(&buf, r); err != nil || i == 0 {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(kept), " ")
}

// shorten cuts the end of the text so that it fits.
func shorten(face font.Face, text string, room fixed.Int26_6) string {
	runes := []rune(text)
	for font.MeasureString(face, text) > room && len(runes) > 0 {
		runes = runes[:len(runes)-1]
		text = strings.TrimSpace(string(runes)) + "…"
	}
	return text
}

// drawDots draws three dots below the text that fade from left to right.
func drawDots(img *image.RGBA, baseline int) {
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	radius := h / 60
	for i, strength := range []float64{1, 0.6, 0.3} {
		drawDot(img, w/2+float64(i-1)*radius*5, float64(baseline)+h/8, radius, strength)
	}
}

func drawDot(img *image.RGBA, cx, cy, radius, strength float64) {
	for y := int(cy - radius - 1); y <= int(cy+radius+1); y++ {
		for x := int(cx - radius - 1); x <= int(cx+radius+1); x++ {
			distance := math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy)
			cover := math.Max(0, math.Min(1, radius-distance+0.5)) * strength
			if cover > 0 && image.Pt(x, y).In(img.Rect) {
				img.SetRGBA(x, y, mix(img.RGBAAt(x, y), dotColour, cover))
			}
		}
	}
}

// mix returns the colour between a (t = 0) and b (t = 1).
func mix(a, b color.RGBA, t float64) color.RGBA {
	at := func(x, y uint8) uint8 { return level(float64(x) + (float64(y)-float64(x))*t) }
	return color.RGBA{at(a.R, b.R), at(a.G, b.G), at(a.B, b.B), 0xff}
}

func level(v float64) uint8 { return uint8(math.Max(0, math.Min(255, math.Round(v)))) }
