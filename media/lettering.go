// SPDX-License-Identifier: Apache-2.0

package media

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// leastSize is the smallest legible size of letters, in pixels.
const leastSize = 6

// lettering writes in the built-in font, which knows Latin, Greek and Cyrillic.
type lettering struct{ font *sfnt.Font }

func newLettering() (lettering, error) {
	parsed, err := opentype.Parse(gomedium.TTF)
	return lettering{parsed}, err
}

// drawable returns the text without characters that the font lacks.
func (l lettering) drawable(text string) string {
	var buf sfnt.Buffer
	kept := strings.Map(func(r rune) rune {
		if i, err := l.font.GlyphIndex(&buf, r); err != nil || i == 0 {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(kept), " ")
}

// A script is text in lines of one size.
type script struct {
	face  font.Face
	size  float64
	lines []string
}

// set fits text into a width: in the given size, else a little smaller, else in two lines if it has a space, else shortened.
func (l lettering) set(text string, size float64, room int) (script, error) {
	face, err := l.face(size)
	if err != nil {
		return script{}, err
	}
	s := script{face: face, size: size, lines: []string{text}}
	const small, two, least = 0.7, 0.75, 0.5 // of the size
	shrink := s.ratio(room)
	if lines := s.halves(text); shrink < small && len(lines) > 1 {
		s.lines = lines
		shrink = math.Min(s.ratio(room), two)
	}
	if shrink = math.Max(shrink, least); shrink < 1 {
		_ = face.Close()
		s.size = size * shrink
		if s.face, err = l.face(s.size); err != nil {
			return script{}, err
		}
	}
	for i, line := range s.lines {
		s.lines[i] = s.shorten(line, fixed.I(room))
	}
	return s, nil
}

func (l lettering) face(size float64) (font.Face, error) {
	return opentype.NewFace(l.font, &opentype.FaceOptions{Size: math.Max(size, leastSize), DPI: 72, Hinting: font.HintingNone})
}

// ratio is the factor by which the longest line must shrink.
func (s script) ratio(room int) float64 {
	return math.Min(1, float64(room)/math.Max(1, float64(s.width())))
}

// width is that of the longest line in pixels.
func (s script) width() int {
	var widest fixed.Int26_6
	for _, line := range s.lines {
		widest = max(widest, font.MeasureString(s.face, line))
	}
	return widest.Ceil()
}

// halves splits text at the space that leaves the shortest lines.
func (s script) halves(text string) []string {
	best, least := []string{text}, font.MeasureString(s.face, text)
	for i, r := range text {
		if r != ' ' {
			continue
		}
		if w := max(font.MeasureString(s.face, text[:i]), font.MeasureString(s.face, text[i+1:])); w < least {
			best, least = []string{text[:i], text[i+1:]}, w
		}
	}
	return best
}

// shorten cuts the end of a line so that it fits.
func (s script) shorten(line string, room fixed.Int26_6) string {
	runes := []rune(line)
	for font.MeasureString(s.face, line) > room && len(runes) > 0 {
		runes = runes[:len(runes)-1]
		line = strings.TrimSpace(string(runes)) + "…"
	}
	return line
}

// leading is the distance from one line to the next.
func (s script) leading() float64 { return 1.15 * math.Max(s.size, leastSize) }

// height is from the top of the capitals in the first line to the last baseline.
func (s script) height() float64 {
	const capitals = 0.7 // of the size, in this font
	return capitals*math.Max(s.size, leastSize) + float64(len(s.lines)-1)*s.leading()
}

// draw writes the lines centred around x, with their capitals below y, and releases the face.
func (s script) draw(img draw.Image, x, y float64, ink color.Color) {
	defer func() { _ = s.face.Close() }()
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: s.face}
	baseline := y + s.height() - float64(len(s.lines)-1)*s.leading()
	for i, line := range s.lines {
		d.Dot = fixed.Point26_6{
			X: fixed.Int26_6(x*64) - d.MeasureString(line)/2,
			Y: fixed.I(int(math.Round(baseline + float64(i)*s.leading()))),
		}
		d.DrawString(line)
	}
}
