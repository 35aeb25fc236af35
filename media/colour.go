// SPDX-License-Identifier: Apache-2.0

package media

import (
	"image"
	"image/color"
)

// frameFromRGBA converts an opaque picture with even sides into a Frame.
func frameFromRGBA(img *image.RGBA) Frame {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	f := Frame{Data: make([]byte, VideoFormat{W: w, H: h}.FrameSize()), W: w, H: h}
	luma := f.Data[:w*h]
	cb := f.Data[w*h : w*h+w*h/4]
	cr := f.Data[w*h+w*h/4:]
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			var b, r float64
			for _, p := range [4]image.Point{{x, y}, {x + 1, y}, {x, y + 1}, {x + 1, y + 1}} {
				py, pb, pr := bt709(img.RGBAAt(img.Rect.Min.X+p.X, img.Rect.Min.Y+p.Y))
				luma[p.Y*w+p.X] = level(py)
				b += pb / 4
				r += pr / 4
			}
			at := y/2*(w/2) + x/2
			cb[at], cr[at] = level(b), level(r)
		}
	}
	return f
}

// bt709 returns a colour in BT.709 with video range: brightness 16 to 235,
// colour differences 16 to 240.
func bt709(c color.RGBA) (y, cb, cr float64) {
	r, g, b := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
	luma := 0.2126*r + 0.7152*g + 0.0722*b
	return 16 + 219*luma, 128 + 224*(b-luma)/1.8556, 128 + 224*(r-luma)/1.5748
}
