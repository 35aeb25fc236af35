// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"fmt"
	"image"
	"image/color"
)

// RegionColour is the mean colour of a part of an image.
func RegionColour(img image.Image, r image.Rectangle) color.RGBA {
	r = r.Intersect(img.Bounds())
	var red, green, blue, n uint64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			cr, cg, cb, _ := img.At(x, y).RGBA()
			red, green, blue, n = red+uint64(cr>>8), green+uint64(cg>>8), blue+uint64(cb>>8), n+1
		}
	}
	if n == 0 {
		return color.RGBA{}
	}
	return color.RGBA{uint8(red / n), uint8(green / n), uint8(blue / n), 255}
}

// ColourDistance is the largest difference of the three components, 0 to 255.
func ColourDistance(a, b color.RGBA) int {
	d := func(x, y uint8) int {
		if x > y {
			return int(x - y)
		}
		return int(y - x)
	}
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B))
}

// CheckRegion returns an error when the mean colour of a part of an image is
// further than tolerance from want.
func CheckRegion(img image.Image, r image.Rectangle, want color.RGBA, tolerance int) error {
	got := RegionColour(img, r)
	if ColourDistance(got, want) <= tolerance {
		return nil
	}
	return fmt.Errorf("region %v: got colour #%02x%02x%02x, want #%02x%02x%02x within %d",
		r, got.R, got.G, got.B, want.R, want.G, want.B, tolerance)
}
