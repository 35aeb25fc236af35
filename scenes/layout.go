// SPDX-License-Identifier: Apache-2.0

package scenes

import "math"

// Size is a width and a height in pixels.
type Size struct {
	W int `json:"w"`
	H int `json:"h"`
}

// Picture is what the peer source shows.
type Picture struct {
	// Size is that of the source, zero if unknown.
	Size
	// Border is black: the peer's picture has another shape than the source.
	Border Border `json:"border,omitzero"`
}

// Shape is the kind of a layout. The empty one is PiP.
type Shape string

// The shapes. None of them moves an item of the user's.
const (
	PiP        Shape = "pip"          // a small picture in a corner
	SideBySide Shape = "side-by-side" // one half, left or right
	Full       Shape = "full"         // the whole canvas
	Grid       Shape = "grid"         // one of two equal cells, as the canvas has room for them
)

// Shapes lists all shapes, the default first.
func Shapes() []Shape { return []Shape{PiP, SideBySide, Full, Grid} }

// Corner is the corner where a layout puts the peer. For SideBySide and Grid it selects the peer's part. The empty one is
// BottomRight.
type Corner string

// The corners.
const (
	TopLeft     Corner = "top-left"
	TopRight    Corner = "top-right"
	BottomLeft  Corner = "bottom-left"
	BottomRight Corner = "bottom-right"
)

// Corners lists all corners, the default first.
func Corners() []Corner { return []Corner{BottomRight, BottomLeft, TopLeft, TopRight} }

func (c Corner) left() bool { return c == TopLeft || c == BottomLeft }
func (c Corner) top() bool  { return c == TopLeft || c == TopRight }

func (c Corner) align() int {
	align := alignRight
	if c.left() {
		align = alignLeft
	}
	if c.top() {
		return align | alignTop
	}
	return align | alignBottom
}

// Layout says where the peer's picture is in a scene in which the user has not placed it. The zero value is a picture of 30
// % in the lower right corner.
type Layout struct {
	Shape  Shape
	Corner Corner
	// Extent is the size. Only PiP and SideBySide have one.
	Extent Extent
	// Margin is the distance from the edges of the canvas and between cells, nil for the shape's own.
	Margin *Length
	// Crop cuts the picture to the shape of its cell and fills it. Otherwise all of the picture is shown, as large as fits.
	Crop bool
}

// Extent is the size of a picture: a part of the canvas or a box in pixels. The zero value is the shape's own size.
type Extent struct {
	// Percent of the canvas. A PiP covers the area of a canvas that is reduced to that percentage, in any shape; for
	// SideBySide it is a percentage of the width.
	Percent float64
	Box     Size
}

// Length is a distance: a part of the shorter side of the canvas if Percent is not zero, else pixels.
type Length struct {
	Percent float64
	Pixels  int
}

const (
	pipPercent    = 30
	halfPercent   = 50
	marginPercent = 2.5 // of PiP and Grid; the others have none
)

// Place is the transform for a picture on a canvas of the given size. A picture without a size is treated as having the
// canvas's shape, and is not cropped. Cells are whole pixels on the canvas, at least one in each direction.
//
// A picture is scaled into its cell with its aspect ratio kept, so it is never distorted. A cropped one fills the cell to
// the last pixel: crops are whole pixels of the source, so it is stretched by less than one of them.
func (l Layout) Place(canvas Size, p Picture) Transform {
	canvas = Size{max(canvas.W, 1), max(canvas.H, 1)}
	shown := p.Size
	shown.W -= p.Border.Left + p.Border.Right
	shown.H -= p.Border.Top + p.Border.Bottom
	known := shown.W > 0 && shown.H > 0
	if !known {
		shown, p = canvas, Picture{}
	}
	c := l.cell(canvas, shown)
	t := Transform{X: float64(c.x), Y: float64(c.y), ScaleX: 1, ScaleY: 1, Alignment: alignLeft | alignTop,
		BoundsType: boundsInner, BoundsW: float64(c.w), BoundsH: float64(c.h)}
	if l.Shape == PiP || l.Shape == "" {
		t.BoundsAlignment = l.Corner.align() // One that is not of the expected shape stays in its corner.
	}
	t = t.trimmed(p.Border)
	if l.Crop && known {
		t = t.trimmed(excess(shown, Size{c.w, c.h}))
		t.BoundsType = boundsStretch
	}
	return t
}

// excess is what a picture that covers a cell exceeds it by, on both sides.
func excess(picture, cell Size) Border {
	w, h := float64(picture.W), float64(picture.H)
	aspect := float64(cell.W) / float64(cell.H)
	cutW := int(math.Round(w - min(w, h*aspect)))
	cutH := int(math.Round(h - min(h, w/aspect)))
	cutW, cutH = min(cutW, picture.W-1), min(cutH, picture.H-1)
	return Border{Left: cutW / 2, Right: cutW - cutW/2, Top: cutH / 2, Bottom: cutH - cutH/2}
}

// rect is a part of the canvas in whole pixels.
type rect struct{ x, y, w, h int }

// cell is the part of the canvas for a picture of the given size.
func (l Layout) cell(canvas, picture Size) rect {
	m := l.margin(canvas)
	room := rect{m, m, canvas.W - 2*m, canvas.H - 2*m}
	switch l.Shape {
	case Full:
		return room
	case SideBySide:
		percent := l.Extent.Percent
		if percent == 0 {
			percent = halfPercent
		}
		room.x, room.w = part(room.x, room.w, m, percent, l.Corner.left())
		return room
	case Grid:
		columns, rows := room, room
		columns.x, columns.w = part(room.x, room.w, m, halfPercent, l.Corner.left())
		rows.y, rows.h = part(room.y, room.h, m, halfPercent, l.Corner.top())
		if rows.scale(picture) > columns.scale(picture) {
			return rows
		}
		return columns
	}
	size := l.Extent.Box
	if size == (Size{}) {
		size = l.pip(canvas, room, picture)
	}
	size.W, size.H = min(size.W, canvas.W), min(size.H, canvas.H)
	c := rect{m, m, size.W, size.H}
	if !l.Corner.left() {
		c.x = canvas.W - m - size.W
	}
	if !l.Corner.top() {
		c.y = canvas.H - m - size.H
	}
	c.x, c.y = min(max(c.x, 0), canvas.W-size.W), min(max(c.y, 0), canvas.H-size.H)
	return c
}

// margin is the margin in pixels. It leaves at least half of the canvas.
func (l Layout) margin(canvas Size) int {
	side := min(canvas.W, canvas.H)
	length := l.Margin
	if length == nil {
		length = &Length{}
		if l.Shape == PiP || l.Shape == "" || l.Shape == Grid {
			length.Percent = marginPercent
		}
	}
	pixels := length.Pixels
	if length.Percent != 0 {
		pixels = int(math.Round(length.Percent / 100 * float64(side)))
	}
	return min(max(pixels, 0), side/4)
}

// part divides a length into two with a gap between them, and returns the first or the second, of which the one in question
// has so many percent.
func part(start, length, gap int, percent float64, first bool) (int, int) {
	gap = min(gap, length-1)
	mine := int(math.Ceil(float64(length-gap) * percent / 100))
	mine = min(max(mine, 1), length-gap)
	if first {
		return start, mine
	}
	return start + length - mine, mine
}

// scale is the factor by which a picture grows when it is put into the cell.
func (r rect) scale(picture Size) float64 {
	return min(float64(r.w)/float64(picture.W), float64(r.h)/float64(picture.H))
}

// pip is the size of a small picture. If possible it has exactly the picture's aspect ratio in whole pixels.
func (l Layout) pip(canvas Size, room rect, picture Size) Size {
	percent := l.Extent.Percent
	if percent == 0 {
		percent = pipPercent
	}
	aspect := float64(picture.W) / float64(picture.H)
	area := float64(canvas.W) * float64(canvas.H) * percent / 100 * percent / 100
	width := min(math.Sqrt(area*aspect), float64(room.w), float64(room.h)*aspect)
	// A change of up to a sixteenth makes the size differ by at most 3 %, which nobody sees. A soft edge would be seen.
	divisor := gcd(picture.W, picture.H)
	step := Size{picture.W / divisor, picture.H / divisor}
	if 16*float64(step.W) <= width {
		n := int(math.Round(width / float64(step.W)))
		if n*step.W > room.w || n*step.H > room.h {
			n--
		}
		return Size{n * step.W, n * step.H}
	}
	return Size{max(1, int(math.Round(width))), max(1, int(math.Round(width/aspect)))}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Layouts says which layout the peer has in which scene: that of the rule with exactly its name, else of the first rule
// whose pattern matches, else Default.
type Layouts struct {
	Default Layout
	Rules   []Rule
}

// Rule gives the scenes that a pattern matches a layout.
type Rule struct {
	Scenes string
	Layout Layout
}

// For returns the layout for a scene.
func (l Layouts) For(scene string) Layout {
	for _, r := range l.Rules {
		if r.Scenes == scene {
			return r.Layout
		}
	}
	for _, r := range l.Rules {
		if match(r.Scenes, scene) {
			return r.Layout
		}
	}
	return l.Default
}
