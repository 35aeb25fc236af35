// SPDX-License-Identifier: Apache-2.0

package main

import (
	"image"
	"image/color"
	"image/draw"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// theme is the look of a friend's editor.
type theme struct{ back, bar color.RGBA }

var (
	plainInk   = color.RGBA{0xd8, 0xde, 0xe9, 0xff}
	keywordInk = color.RGBA{0x88, 0xc0, 0xd0, 0xff}
	stringInk  = color.RGBA{0xa3, 0xbe, 0x8c, 0xff}
	commentInk = color.RGBA{0x7b, 0x88, 0xa1, 0xff}
	keywords   = strings.Fields("func for select case return if err nil range go defer")
)

// paint draws an editor with the friend's code, as large as the canvas.
func (l looks) paint() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, l.Width, l.Height))
	draw.Draw(img, img.Bounds(), image.NewUniform(l.theme.back), image.Point{}, draw.Src)
	bar := l.Height / 8
	draw.Draw(img, image.Rect(0, 0, l.Width, bar), image.NewUniform(l.theme.bar), image.Point{}, draw.Src)
	title, code := face(gobold.TTF, float64(l.Height)/18), face(gomono.TTF, float64(l.Height)/26)
	write(img, title, color.White, l.Width/40, bar*2/3, l.Name+" · "+l.file)
	line := l.Height / 20
	for i, text := range l.code {
		y := bar + line*3/2 + i*line
		write(img, code, commentInk, l.Width/40, y, strconv.Itoa(i+1))
		l.writeCode(img, code, l.Width/12, y, text)
	}
	return img
}

func face(ttf []byte, size float64) font.Face {
	f, err := opentype.Parse(ttf)
	if err == nil {
		var out font.Face
		if out, err = opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72}); err == nil {
			return out
		}
	}
	panic(err) // The font is part of the program.
}

// write draws text with its baseline at y and returns where it ends.
func write(img draw.Image, f font.Face, ink color.Color, x, y int, text string) int {
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: f, Dot: fixed.P(x, y)}
	d.DrawString(text)
	return d.Dot.X.Round()
}

func (l looks) writeCode(img draw.Image, f font.Face, x, y int, text string) {
	for strings.HasPrefix(text, "\t") {
		text, x = text[1:], x+l.Width/32
	}
	if strings.HasPrefix(text, "//") {
		write(img, f, commentInk, x, y, text)
		return
	}
	for i, part := range strings.Split(text, `"`) {
		if i%2 == 1 {
			x = write(img, f, stringInk, x, y, `"`+part+`"`)
			continue
		}
		for _, word := range strings.SplitAfter(part, " ") {
			ink := plainInk
			for _, k := range keywords {
				if strings.Trim(word, " (){}:,;") == k {
					ink = keywordInk
				}
			}
			x = write(img, f, ink, x, y, word)
		}
	}
}

// window is the part of a display that its one window covers: the rest is black.
func window(display image.Image) image.Image {
	bounds := display.Bounds()
	var used image.Rectangle
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if r, g, b, _ := display.At(x, y).RGBA(); r|g|b != 0 {
				used = used.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, used.Dx(), used.Dy()))
	draw.Draw(img, img.Bounds(), display, used.Min, draw.Src)
	return img
}

// sideBySide puts pictures next to each other.
func sideBySide(pictures ...image.Image) image.Image {
	const gap = 8
	w, h := -gap, 0
	for _, p := range pictures {
		w, h = w+gap+p.Bounds().Dx(), max(h, p.Bounds().Dy())
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	x := 0
	for _, p := range pictures {
		draw.Draw(img, image.Rect(x, 0, x+p.Bounds().Dx(), p.Bounds().Dy()), p, p.Bounds().Min, draw.Src)
		x += p.Bounds().Dx() + gap
	}
	return img
}
