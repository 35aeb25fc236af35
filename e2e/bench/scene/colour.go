// SPDX-License-Identifier: Apache-2.0

package scene

import "image/color"

// yuv is a colour of BT.709 in video range.
type yuv struct{ y, u, v byte }

var (
	background = toYUV(color.RGBA{0x1d, 0x1f, 0x2b, 0xff})
	ink        = toYUV(color.RGBA{0xd8, 0xde, 0xe9, 0xff})
	black      = yuv{16, 128, 128}
	white      = yuv{235, 128, 128}
)

func toYUV(c color.RGBA) yuv {
	r, g, b := float64(c.R)/255, float64(c.G)/255, float64(c.B)/255
	luma := 0.2126*r + 0.7152*g + 0.0722*b
	return yuv{byte(16.5 + 219*luma), byte(128.5 + 224*(b-luma)/1.8556), byte(128.5 + 224*(r-luma)/1.5748)}
}

// fill paints a rectangle of a picture; x and w are even.
func fill(dst []byte, x, y, w, h int, c yuv) {
	for row := y; row < y+h; row++ {
		line := dst[row*stride+2*x : row*stride+2*(x+w)]
		for i := 0; i < len(line); i += 4 {
			line[i], line[i+1], line[i+2], line[i+3] = c.y, c.u, c.y, c.v
		}
	}
}
