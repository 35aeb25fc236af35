// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlace(t *testing.T) {
	box := func(x, y, w, h float64, align int) Transform {
		return Transform{X: x, Y: y, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: "OBS_BOUNDS_SCALE_INNER", BoundsAlignment: align, BoundsW: w, BoundsH: h}
	}
	for _, tt := range []struct {
		name    string
		layout  Layout
		canvas  Size
		picture Size
		want    Transform
	}{
		{"pip 1080p", PiP, Size{1920, 1080}, Size{}, box(1317, 729, 576, 324, 10)},
		{"pip 720p", PiP, Size{1280, 720}, Size{1920, 1080}, box(878, 486, 384, 216, 10)},
		{"pip vertical, wide picture", PiP, Size{1080, 1920}, Size{1920, 1080}, box(513, 1589, 540, 304, 10)},
		{"pip vertical, picture of its shape", PiP, Size{1080, 1920}, Size{}, box(729, 1317, 324, 576, 10)},
		{"pip wide canvas, tall picture", PiP, Size{1920, 1080}, Size{1080, 1920}, box(1589, 513, 304, 540, 10)},
		{"pip 4:3", PiP, Size{1024, 768}, Size{640, 480}, box(698, 519, 307, 230, 10)},
		{"pip ultra-wide", PiP, Size{2560, 1080}, Size{1920, 1080}, box(1868, 679, 665, 374, 10)},
		{"pip odd canvas", PiP, Size{641, 361}, Size{}, box(440, 244, 192, 108, 10)},
		{"pip one pixel", PiP, Size{1, 1}, Size{}, box(0, 0, 1, 1, 10)},
		{"pip needle", PiP, Size{32, 16384}, Size{1920, 1080}, box(15, 16374, 16, 9, 10)},
		{"the zero layout is pip", "", Size{1920, 1080}, Size{}, box(1317, 729, 576, 324, 10)},
		{"no canvas", PiP, Size{}, Size{}, box(0, 0, 1, 1, 10)},
		{"side by side", SideBySide, Size{1920, 1080}, Size{}, box(960, 0, 960, 1080, 0)},
		{"side by side, odd", SideBySide, Size{641, 361}, Size{}, box(320, 0, 321, 361, 0)},
		{"side by side, one pixel", SideBySide, Size{1, 1}, Size{}, box(0, 0, 1, 1, 0)},
		{"full", Full, Size{1080, 1920}, Size{1920, 1080}, box(0, 0, 1080, 1920, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.layout.Place(tt.canvas, tt.picture)); diff != "" {
				t.Errorf("Place differs (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the canvas and the picture, the box is whole, visible and on the canvas.
func TestPlaceAlwaysInside(t *testing.T) {
	sides := []int{1, 2, 3, 7, 32, 360, 361, 720, 1080, 1920, 3840, 16384}
	for _, layout := range Layouts() {
		for _, w := range sides {
			for _, h := range sides {
				for _, picture := range []Size{{}, {1, 1}, {1920, 1080}, {1080, 1920}, {1, 4000}, {4000, 1}} {
					got := layout.Place(Size{w, h}, picture)
					if got.X < 0 || got.Y < 0 || got.BoundsW < 1 || got.BoundsH < 1 ||
						got.X+got.BoundsW > float64(w) || got.Y+got.BoundsH > float64(h) {
						t.Errorf("%s of %v on %dx%d: got %+v, want it on the canvas", layout, picture, w, h, got)
					}
				}
			}
		}
	}
}

func TestRescaled(t *testing.T) {
	boxed := Transform{X: 100, Y: 50, ScaleX: 1, ScaleY: 1, BoundsType: boundsInner, BoundsW: 200, BoundsH: 100, CropLeft: 4}
	free := Transform{X: 100, Y: 50, ScaleX: 0.5, ScaleY: 0.5, BoundsType: boundsNone}
	for _, tt := range []struct {
		name     string
		t        Transform
		from, to Size
		want     Transform
	}{
		{"same canvas", boxed, Size{1280, 720}, Size{1280, 720}, boxed},
		{"unknown canvas", boxed, Size{}, Size{1280, 720}, boxed},
		{"box", boxed, Size{1280, 720}, Size{640, 1440},
			Transform{X: 50, Y: 100, ScaleX: 1, ScaleY: 1, BoundsType: boundsInner, BoundsW: 100, BoundsH: 200, CropLeft: 4}},
		{"no box", free, Size{1280, 720}, Size{640, 1440}, Transform{X: 50, Y: 100, ScaleX: 0.25, ScaleY: 0.25, BoundsType: boundsNone}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.t.rescaled(tt.from, tt.to)); diff != "" {
				t.Errorf("rescaled differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseLayout(t *testing.T) {
	for _, l := range Layouts() {
		if got, err := ParseLayout(string(l)); err != nil || got != l {
			t.Errorf("ParseLayout(%q): got %q and error %v, want itself", l, got, err)
		}
	}
	if got, err := ParseLayout("pop"); err == nil {
		t.Errorf("ParseLayout(pop): got %q, want an error", got)
	}
}
