// SPDX-License-Identifier: Apache-2.0

package media

import "fmt"

// Size is how large our pictures are encoded.
type Size int

const (
	// FullSize is that of the source.
	FullSize Size = iota
	// TwoThirds of the width and the height.
	TwoThirds
	// HalfSize is half of the width and the height.
	HalfSize
)

// String says it.
func (s Size) String() string {
	return [...]string{"full", "2/3", "1/2"}[min(max(s, FullSize), HalfSize)]
}

// smallestSide is the least that a side is shrunk to.
const smallestSide = 90

// Names of the element that shrinks pictures, and of the caps after it that say to which size.
const (
	nameShrink = "shrink"
	nameSize   = "size"
)

// Shrunk is the format of pictures of a size. A receiver that scales them back covers the same area with them, so the sides are
// those near the size with which it does; else the format stays as it is.
func (f VideoFormat) Shrunk(size Size) VideoFormat {
	num, den := 1, 1
	switch size {
	case TwoThirds:
		num, den = 2, 3
	case HalfSize:
		num, den = 1, 2
	}
	if num == den {
		return f
	}
	want := f.W * num / den
	best, covered := f, fitted(f.W, f.H, f.W, f.H).Size()
	for w := (want - want/20) &^ 1; w <= want+want/20; w += 2 {
		h := (w*f.H/f.W + 1) &^ 1
		if min(w, h) < smallestSide || fitted(w, h, f.W, f.H).Size() != covered {
			continue
		}
		if g := (VideoFormat{w, h, f.FPSNum, f.FPSDen}); best == f || better(g, best, f, want) {
			best = g
		}
	}
	return best
}

// better reports whether a shrinks f with less distortion than b, or with as much and nearer to a width.
func better(a, b, f VideoFormat, want int) bool {
	off := func(g VideoFormat) float64 {
		x := float64(g.W) * float64(f.H) / (float64(g.H) * float64(f.W))
		return max(x, 1/x)
	}
	if off(a) != off(b) {
		return off(a) < off(b)
	}
	return max(a.W-want, want-a.W) < max(b.W-want, want-b.W)
}

// shrinking are the nodes that shrink pictures, which keep their size at first: then they pass untouched.
func shrinking(f VideoFormat) []node {
	return []node{
		// Without borders, which it would add where a side is rounded.
		element("videoscale", prop("name", nameShrink), "add-borders=false"),
		element("capsfilter", prop("name", nameSize), prop("caps", sizeCaps(f))),
	}
}

func sizeCaps(f VideoFormat) string {
	return fmt.Sprintf("video/x-raw,width=(int)%d,height=(int)%d,pixel-aspect-ratio=(fraction)1/1", f.W, f.H)
}

// Shrink has pictures encoded in a size. The next one begins with a key frame, in the same stream. It may be called from any
// goroutine.
func (s *VideoSender) Shrink(size Size) {
	if Size(s.size.Swap(int64(size))) == size {
		return
	}
	s.shrink.Set("caps", sizeCaps(s.format.Shrunk(size)))
}

// smaller is the size of shrunk pictures, or empty.
func (s *VideoSender) smaller() string {
	f := s.format.Shrunk(Size(s.size.Load()))
	if f == s.format {
		return ""
	}
	return fmt.Sprintf("%dx%d", f.W, f.H)
}
