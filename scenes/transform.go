// SPDX-License-Identifier: Apache-2.0

package scenes

import "math"

// Alignment flags of OBS; 0 is the centre (obs.h, OBS_ALIGN_*).
const (
	alignLeft   = 1
	alignRight  = 2
	alignTop    = 4
	alignBottom = 8
)

const (
	boundsNone    = "OBS_BOUNDS_NONE"        // the scale alone decides the size
	boundsInner   = "OBS_BOUNDS_SCALE_INNER" // scaled into a box, aspect kept
	boundsStretch = "OBS_BOUNDS_STRETCH"     // fills a box
)

// Transform is an item's place and shape on the canvas, in OBS's terms: positions and bounds in canvas pixels, crops in
// source pixels, rotation in degrees clockwise.
type Transform struct {
	X               float64 `json:"x"`
	Y               float64 `json:"y"`
	Rotation        float64 `json:"rotation,omitempty"`
	ScaleX          float64 `json:"scaleX"`
	ScaleY          float64 `json:"scaleY"`
	Alignment       int     `json:"alignment"`
	BoundsType      string  `json:"boundsType"`
	BoundsAlignment int     `json:"boundsAlignment"`
	BoundsW         float64 `json:"boundsW"`
	BoundsH         float64 `json:"boundsH"`
	CropLeft        int     `json:"cropLeft,omitempty"`
	CropTop         int     `json:"cropTop,omitempty"`
	CropRight       int     `json:"cropRight,omitempty"`
	CropBottom      int     `json:"cropBottom,omitempty"`
	CropToBounds    bool    `json:"cropToBounds,omitempty"` // OBS 30.2 and later
}

// untouched reports whether this is OBS's transform for new items.
func (t Transform) untouched() bool {
	return t.same(Transform{ScaleX: 1, ScaleY: 1, Alignment: alignLeft | alignTop, BoundsType: boundsNone})
}

// same reports whether two transforms put an item in the same place. OBS stores positions as 32-bit floats, since 30.2
// relative to the canvas, so they do not come back exactly.
func (t Transform) same(u Transform) bool {
	near := func(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }
	const pixel, ratio, degree = 0.5, 0.001, 0.05
	if t.BoundsType != u.BoundsType || t.Alignment != u.Alignment ||
		!near(t.X, u.X, pixel) || !near(t.Y, u.Y, pixel) ||
		!near(t.ScaleX, u.ScaleX, ratio) || !near(t.ScaleY, u.ScaleY, ratio) || !near(t.Rotation, u.Rotation, degree) ||
		t.CropLeft != u.CropLeft || t.CropTop != u.CropTop || t.CropRight != u.CropRight || t.CropBottom != u.CropBottom {
		return false
	}
	if t.BoundsType == "" || t.BoundsType == boundsNone {
		return true // the other bounds have no effect
	}
	return t.BoundsAlignment == u.BoundsAlignment && t.CropToBounds == u.CropToBounds && near(t.BoundsW, u.BoundsW, pixel) && near(t.BoundsH, u.BoundsH, pixel)
}

// rescaled converts a transform from one canvas to another: it covers the same part of the canvas, and a picture without a
// box keeps its aspect ratio.
func (t Transform) rescaled(from, to Size) Transform {
	if from == to || from.W < 1 || from.H < 1 || to.W < 1 || to.H < 1 {
		return t
	}
	fx, fy := float64(to.W)/float64(from.W), float64(to.H)/float64(from.H)
	t.X *= fx
	t.Y *= fy
	t.BoundsW *= fx
	t.BoundsH *= fy
	if t.BoundsType == "" || t.BoundsType == boundsNone {
		f := min(fx, fy)
		t.ScaleX *= f
		t.ScaleY *= f
	}
	return t
}

// boxed puts a picture that has no box, and is not rotated or mirrored, into a box of its size, because a box can be
// rescaled to a canvas of another shape.
func (t Transform) boxed(source Size) Transform {
	w := float64(source.W-t.CropLeft-t.CropRight) * t.ScaleX
	h := float64(source.H-t.CropTop-t.CropBottom) * t.ScaleY
	if t.BoundsType != "" && t.BoundsType != boundsNone || t.Rotation != 0 || w < 1 || h < 1 {
		return t
	}
	t.BoundsType, t.BoundsAlignment, t.BoundsW, t.BoundsH = boundsInner, 0, w, h
	t.ScaleX, t.ScaleY = 1, 1
	return t
}

// cropFor converts the crops from one size of the source to another: the same part of it remains.
func (t Transform) cropFor(from, to Size) Transform {
	if from == to || from.W < 1 || from.H < 1 || to.W < 1 || to.H < 1 {
		return t
	}
	x := func(v int) int { return int(math.Round(float64(v) * float64(to.W) / float64(from.W))) }
	y := func(v int) int { return int(math.Round(float64(v) * float64(to.H) / float64(from.H))) }
	t.CropLeft, t.CropRight, t.CropTop, t.CropBottom = x(t.CropLeft), x(t.CropRight), y(t.CropTop), y(t.CropBottom)
	return t
}

// Border is the part of the source, on each side in its pixels, that is not the picture.
type Border struct {
	Left   int `json:"left,omitempty"`
	Top    int `json:"top,omitempty"`
	Right  int `json:"right,omitempty"`
	Bottom int `json:"bottom,omitempty"`
}

// trimmed crops a border as well.
func (t Transform) trimmed(b Border) Transform {
	t.CropLeft, t.CropTop = max(0, t.CropLeft+b.Left), max(0, t.CropTop+b.Top)
	t.CropRight, t.CropBottom = max(0, t.CropRight+b.Right), max(0, t.CropBottom+b.Bottom)
	return t
}

// untrimmed undoes trimmed.
func (t Transform) untrimmed(b Border) Transform {
	return t.trimmed(Border{-b.Left, -b.Top, -b.Right, -b.Bottom})
}
