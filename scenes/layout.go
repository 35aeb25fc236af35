// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"fmt"
	"math"
)

// Size is a width and a height in pixels.
type Size struct {
	W int `json:"w"`
	H int `json:"h"`
}

// Alignment flags of OBS; 0 is the centre (obs.h, OBS_ALIGN_*).
const (
	alignLeft   = 1
	alignRight  = 2
	alignTop    = 4
	alignBottom = 8
)

const (
	boundsNone  = "OBS_BOUNDS_NONE"        // the scale alone decides the size
	boundsInner = "OBS_BOUNDS_SCALE_INNER" // scaled into a box, aspect kept
)

// Transform is where and how an item stands on the canvas, in OBS's terms: positions and
// bounds in canvas pixels, crops in source pixels, rotation in degrees clockwise.
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

// Layout says where the peer's picture goes in a scene where the user has not placed it.
type Layout string

// The layouts. None of them moves an item of the user's.
const (
	PiP        Layout = "pip"          // a small picture in the lower right corner
	SideBySide Layout = "side-by-side" // the right half
	Full       Layout = "full"         // the whole canvas
)

// Layouts lists all layouts, the default first.
func Layouts() []Layout { return []Layout{PiP, SideBySide, Full} }

// ParseLayout returns the layout of that name; "" is PiP.
func ParseLayout(name string) (Layout, error) {
	if name == "" {
		return PiP, nil
	}
	for _, l := range Layouts() {
		if string(l) == name {
			return l, nil
		}
	}
	return "", fmt.Errorf("unknown layout %q: choose one of pip, side-by-side, full", name)
}

const (
	pipArea   = 0.09  // of the canvas: 0.3 of its width for a picture of its shape
	pipMargin = 0.025 // of the shorter side of the canvas
)

// Place is the transform for a picture of the given size on a canvas of the given size. A picture
// without a size is taken to have the canvas's shape. Whatever shape it has in the end, OBS
// keeps its aspect and stays inside the box. Boxes are whole pixels, at least one each way.
func (l Layout) Place(canvas, picture Size) Transform {
	w, h := float64(max(canvas.W, 1)), float64(max(canvas.H, 1))
	t := Transform{ScaleX: 1, ScaleY: 1, Alignment: alignLeft | alignTop, BoundsType: boundsInner}
	switch l {
	case Full:
		t.BoundsW, t.BoundsH = w, h
	case SideBySide:
		t.X = math.Floor(w / 2)
		t.BoundsW, t.BoundsH = w-t.X, h
	default:
		aspect := w / h
		if picture.W > 0 && picture.H > 0 {
			aspect = float64(picture.W) / float64(picture.H)
		}
		bw := math.Sqrt(pipArea * w * h * aspect)
		bw = min(bw, w/2, h/2*aspect)
		margin := math.Round(pipMargin * min(w, h))
		t.BoundsW = max(1, math.Round(bw))
		t.BoundsH = max(1, math.Round(bw/aspect))
		t.X = max(0, w-margin-t.BoundsW)
		t.Y = max(0, h-margin-t.BoundsH)
		// A picture that is not of the expected shape stays in its corner.
		t.BoundsAlignment = alignRight | alignBottom
	}
	if t.BoundsW < 1 {
		t.X, t.BoundsW = 0, w
	}
	return t
}

// untouched says whether this is the transform that OBS gives to a new item.
func (t Transform) untouched() bool {
	return t.same(Transform{ScaleX: 1, ScaleY: 1, Alignment: alignLeft | alignTop, BoundsType: boundsNone})
}

// same says whether two transforms put an item in the same place. OBS keeps positions as
// 32-bit floats, since 30.2 relative to the canvas, so they do not come back exactly.
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

// rescaled carries a transform from one canvas to another: the same part of the canvas is
// covered, and a picture without a box keeps its aspect.
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
