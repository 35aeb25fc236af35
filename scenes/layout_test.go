// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustLayout reads a layout from words.
func mustLayout(t *testing.T, words string) Layout {
	t.Helper()
	l, err := ParseLayout(words)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPlace(t *testing.T) {
	box := func(x, y, w, h float64, align int) Transform {
		return Transform{X: x, Y: y, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: "OBS_BOUNDS_SCALE_INNER", BoundsAlignment: align, BoundsW: w, BoundsH: h}
	}
	fill := func(x, y, w, h float64, align int, crop Border) Transform {
		t := box(x, y, w, h, align).trimmed(crop)
		t.BoundsType = "OBS_BOUNDS_STRETCH"
		return t
	}
	var (
		wide     = Picture{Size: Size{1920, 1080}}
		old      = Picture{Size: Size{640, 480}}
		tall     = Picture{Size: Size{1080, 1920}}
		bordered = Picture{Size: Size{1920, 1080}, Border: Border{Left: 240, Right: 240}} // 4:3
		slim     = Picture{Size: Size{1920, 1080}, Border: Border{Left: 656, Right: 658}} // 606x1080
	)
	vertical := Size{1080, 1920}
	for _, tt := range []struct {
		layout  string
		canvas  Size
		picture Picture
		want    Transform
	}{
		{"", hd, Picture{}, box(1317, 729, 576, 324, 10)},
		{"pip", hd, Picture{}, box(1317, 729, 576, 324, 10)},
		{"pip", Size{1280, 720}, wide, box(878, 486, 384, 216, 10)},
		{"pip top-left", Size{1280, 720}, wide, box(18, 18, 384, 216, 5)},
		{"pip top-right margin 0", Size{1280, 720}, wide, box(896, 0, 384, 216, 6)},
		{"pip bottom-left 25% margin 20", Size{1280, 720}, wide, box(20, 520, 320, 180, 9)},
		{"pip", vertical, wide, box(477, 1569, 576, 324, 10)},
		{"pip", vertical, tall, box(729, 1317, 324, 576, 10)},
		{"pip", hd, tall, box(1569, 477, 324, 576, 10)},
		{"pip", Size{1024, 768}, old, box(697, 518, 308, 231, 10)},
		{"pip", Size{2560, 1080}, wide, box(1861, 675, 672, 378, 10)},
		{"pip", Size{641, 361}, Picture{}, box(440, 244, 192, 108, 10)},
		{"pip", Size{1, 1}, Picture{}, box(0, 0, 1, 1, 10)},
		{"pip", Size{32, 16384}, wide, box(1, 16366, 30, 17, 10)},
		{"pip", Size{}, Picture{}, box(0, 0, 1, 1, 10)},
		{"pip 100%", hd, wide, box(69, 27, 1824, 1026, 10)},
		{"pip 480x480", hd, wide, box(1413, 573, 480, 480, 10)},
		{"pip 480x480 crop", hd, wide, fill(1413, 573, 480, 480, 10, Border{Left: 420, Right: 420})},
		{"pip 480x480 crop", hd, Picture{}, box(1413, 573, 480, 480, 10)},
		{"pip 4000x4000", hd, wide, box(0, 0, 1920, 1080, 10)},
		{"pip", hd, bordered, box(1393, 678, 500, 375, 10).trimmed(bordered.Border)},
		{"pip crop", hd, wide, fill(1317, 729, 576, 324, 10, Border{})},

		{"side-by-side", hd, Picture{}, box(960, 0, 960, 1080, 0)},
		{"side-by-side bottom-left", hd, wide, box(0, 0, 960, 1080, 0)},
		{"side-by-side crop", hd, wide, fill(960, 0, 960, 1080, 0, Border{Left: 480, Right: 480})},
		{"side-by-side crop", hd, tall, fill(960, 0, 960, 1080, 0, Border{Top: 352, Bottom: 353})},
		{"side-by-side crop", hd, bordered, fill(960, 0, 960, 1080, 0, Border{Left: 480, Right: 480})},
		{"side-by-side crop", hd, slim, fill(960, 0, 960, 1080, 0, Border{Left: 656, Right: 658, Top: 199, Bottom: 199})},
		{"side-by-side 25% margin 10", hd, wide, box(1437, 10, 473, 1060, 0)},
		{"side-by-side 25% top-left margin 10", hd, wide, box(10, 10, 473, 1060, 0)},
		{"side-by-side", Size{641, 361}, Picture{}, box(320, 0, 321, 361, 0)},
		{"side-by-side top-left", Size{641, 361}, Picture{}, box(0, 0, 321, 361, 0)},
		{"side-by-side", Size{1, 1}, Picture{}, box(0, 0, 1, 1, 0)},

		{"full", vertical, wide, box(0, 0, 1080, 1920, 0)},
		{"full crop", vertical, wide, fill(0, 0, 1080, 1920, 0, Border{Left: 656, Right: 657})},
		{"full margin 5%", hd, wide, box(54, 54, 1812, 972, 0)},

		{"grid margin 0", hd, wide, box(960, 0, 960, 1080, 0)},
		{"grid margin 0", vertical, wide, box(0, 960, 1080, 960, 0)},
		{"grid margin 0 top-right", vertical, wide, box(0, 0, 1080, 960, 0)},
		{"grid margin 0", vertical, tall, box(540, 0, 540, 1920, 0)},
		{"grid margin 0", Size{1024, 768}, old, box(512, 0, 512, 768, 0)},
		{"grid", hd, wide, box(973, 27, 920, 1026, 0)},
		{"grid top-left", Size{641, 361}, wide, box(9, 9, 307, 343, 0)},
	} {
		t.Run(tt.layout, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, mustLayout(t, tt.layout).Place(tt.canvas, tt.picture)); diff != "" {
				t.Errorf("%v on %v differs (-want +got):\n%s", tt.picture, tt.canvas, diff)
			}
		})
	}
}

// Whatever the canvas and the picture, the box is whole, visible and on the canvas, and something of the picture is left.
func TestPlaceAlwaysInside(t *testing.T) {
	sides := []int{1, 2, 3, 7, 32, 360, 361, 720, 1080, 1920, 3840, 16384}
	for _, words := range []string{
		"", "pip top-left", "pip 3% crop", "pip 100% crop margin 25%", "pip 5000x3 crop", "pip margin 9999", "side-by-side", "side-by-side crop top-left margin 9",
		"side-by-side 1%", "side-by-side 100% margin 3", "full", "full crop", "full margin 25%", "grid", "grid crop top-left", "grid margin 9999",
	} {
		layout := mustLayout(t, words)
		for _, w := range sides {
			for _, h := range sides {
				for _, p := range []Size{{}, {1, 1}, {1920, 1080}, {1080, 1920}, {1, 4000}, {4000, 1}, {1919, 1079}} {
					got := layout.Place(Size{w, h}, Picture{Size: p})
					for _, v := range []float64{got.X, got.Y, got.BoundsW, got.BoundsH} {
						if v != math.Trunc(v) {
							t.Fatalf("%q of %v on %dx%d: got %+v, want whole pixels", words, p, w, h, got)
						}
					}
					if got.X < 0 || got.Y < 0 || got.BoundsW < 1 || got.BoundsH < 1 ||
						got.X+got.BoundsW > float64(w) || got.Y+got.BoundsH > float64(h) {
						t.Fatalf("%q of %v on %dx%d: got %+v, want it on the canvas", words, p, w, h, got)
					}
					if p.W > 0 && (got.CropLeft+got.CropRight >= p.W || got.CropTop+got.CropBottom >= p.H) {
						t.Fatalf("%q of %v on %dx%d: got %+v, want something to see", words, p, w, h, got)
					}
				}
			}
		}
	}
}

// A cropped picture is stretched by less than a pixel of the source.
func TestCropKeepsAspect(t *testing.T) {
	for _, words := range []string{"side-by-side crop", "full crop", "grid crop top-left", "pip 333x222 crop"} {
		for _, canvas := range []Size{hd, {1080, 1920}, {1024, 768}, {641, 361}, {1366, 768}} {
			for _, p := range []Size{{1920, 1080}, {640, 480}, {1080, 1920}, {1366, 768}, {639, 361}} {
				got := mustLayout(t, words).Place(canvas, Picture{Size: p})
				left := Size{p.W - got.CropLeft - got.CropRight, p.H - got.CropTop - got.CropBottom}
				aspect := got.BoundsW / got.BoundsH
				if dw, dh := float64(left.W)-float64(left.H)*aspect, float64(left.H)-float64(left.W)/aspect; min(math.Abs(dw), math.Abs(dh)) > 0.51 {
					t.Errorf("%s of %v on %v: got %v of it in %vx%v, want its aspect kept", words, p, canvas, left, got.BoundsW, got.BoundsH)
				}
				if left.W < p.W && left.H < p.H {
					t.Errorf("%s of %v on %v: got %v of it, want the whole width or height", words, p, canvas, left)
				}
			}
		}
	}
}

func TestLayoutsFor(t *testing.T) {
	l := Layouts{Default: Layout{Shape: Full}, Rules: []Rule{{"Game 1", Layout{Shape: Grid}}, {"Game*", Layout{Shape: PiP}}, {"Game [", Layout{Shape: SideBySide}}}}
	for scene, want := range map[string]Shape{"Game 1": Grid, "Game 2": PiP, "Game [": SideBySide, "Talk": Full} {
		if got := l.For(scene).Shape; got != want {
			t.Errorf("For(%q): got %q, want %q", scene, got, want)
		}
	}
}
