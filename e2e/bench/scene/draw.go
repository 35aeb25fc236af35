// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

const (
	lineHeight = 24
	charWidth  = 12
	fontSize   = 20 // at which a character of Go Mono is 12 pixels wide
	textLeft   = 96
	fileLines  = 240

	cameraWidth, cameraHeight = 320, 240
	cameraMargin              = 40
	cameraLeft                = Width - cameraWidth - cameraMargin
	cameraTop                 = Height - cameraHeight - cameraMargin
	cameraFrames              = 16
)

var inks = []color.RGBA{
	{0xd8, 0xde, 0xe9, 0xff}, // names
	{0x88, 0xc0, 0xd0, 0xff}, // keywords
	{0xa3, 0xbe, 0x8c, 0xff}, // strings
	{0x7b, 0x88, 0xa1, 0xff}, // comments
	{0xd0, 0x87, 0x70, 0xff}, // numbers
}

var words = strings.Fields(`func return if err nil range ctx error string frame packet sender receiver := == != && { } ( )
	stream.Clock link.Stats() fmt.Errorf("%w",err) 0x1f 90000 // append(buf,b...) select case chan struct time.Second defer`)

// drawFile draws the lines of a file, each two with colours of their own, as YUY2.
func drawFile(rng *rand.Rand, number int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, Width, fileLines*lineHeight))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{0x1d, 0x1f, 0x2b, 0xff}), image.Point{}, draw.Src)
	parsed, err := opentype.Parse(gomono.TTF)
	if err != nil {
		panic(err) // The font is part of the program.
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err)
	}
	for line := range fileLines {
		x := textLeft + charWidth*4*((line+number)%4)
		for range rng.IntN(14) {
			word := words[rng.IntN(len(words))]
			d := font.Drawer{Dst: img, Src: image.NewUniform(inks[rng.IntN(len(inks))]), Face: face, Dot: fixed.P(x, line*lineHeight+lineHeight*3/4)}
			d.DrawString(word)
			x += charWidth * (len(word) + 1)
		}
	}
	return fromRGBA(img)
}

// fromRGBA converts a picture to YUY2.
func fromRGBA(img *image.RGBA) []byte {
	out := make([]byte, 0, img.Rect.Dx()*img.Rect.Dy()*2)
	for i := 0; i < len(img.Pix); i += 8 {
		left := toYUV(color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], 0xff})
		right := toYUV(color.RGBA{img.Pix[i+4], img.Pix[i+5], img.Pix[i+6], 0xff})
		out = append(out, left.y, byte((int(left.u)+int(right.u))/2), right.y, byte((int(left.v)+int(right.v))/2))
	}
	return out
}

// drawCamera draws somebody who moves in front of a camera with noise.
func drawCamera(rng *rand.Rand) [][]byte {
	frames := make([][]byte, cameraFrames)
	for n := range frames {
		frame := make([]byte, 0, cameraWidth*cameraHeight*2)
		centre := cameraWidth/2 + 4*min(n, cameraFrames-n)
		luma := func(x, y int) byte {
			level := 60 + y/4
			if dx, dy := x-centre, y-cameraHeight/2; dx*dx+dy*dy < 70*70 {
				level = 150 - dy/4
			}
			return byte(level + rng.IntN(13) - 6)
		}
		for y := range cameraHeight {
			for x := 0; x < cameraWidth; x += 2 {
				frame = append(frame, luma(x, y), 120, luma(x+1, y), 136)
			}
		}
		frames[n] = frame
	}
	return frames
}
