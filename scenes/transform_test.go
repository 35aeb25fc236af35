// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

func TestTrimmed(t *testing.T) {
	border := Border{Left: 240, Right: 240}
	own := Transform{CropLeft: 7, CropTop: 3}
	want := Transform{CropLeft: 247, CropTop: 3, CropRight: 240}
	if diff := cmp.Diff(want, own.trimmed(border)); diff != "" {
		t.Errorf("trimmed differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(own, own.trimmed(border).untrimmed(border)); diff != "" {
		t.Errorf("trimmed and untrimmed differs (-want +got):\n%s", diff)
	}
	// The user took a crop of ours away.
	if diff := cmp.Diff(Transform{CropTop: 3}, Transform{CropLeft: 10, CropTop: 3}.untrimmed(border)); diff != "" {
		t.Errorf("untrimmed differs (-want +got):\n%s", diff)
	}
}

// A saved layout covers the same part of another canvas, and leaves the same part of another source.
func TestSavedOn(t *testing.T) {
	free := Transform{X: 960, Y: 540, ScaleX: 0.5, ScaleY: 0.5, Alignment: 5, BoundsType: boundsNone}
	cropped := free
	cropped.CropLeft, cropped.CropBottom = 192, 108
	turned := free
	turned.Rotation = 10
	for _, tt := range []struct {
		name           string
		t              Transform
		canvas, source Size
		want           Transform
	}{
		{"the same canvas", free, hd, hd, free},
		{"the same canvas and a smaller source", cropped, hd, Size{960, 540},
			Transform{X: 960, Y: 540, ScaleX: 0.5, ScaleY: 0.5, Alignment: 5, BoundsType: boundsNone, CropLeft: 96, CropBottom: 54}},
		{"a vertical canvas", free, Size{1080, 1920}, Size{},
			Transform{X: 540, Y: 960, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsInner, BoundsW: 540, BoundsH: 960}},
		{"a smaller canvas, cropped", cropped, Size{960, 540}, Size{960, 540},
			Transform{X: 480, Y: 270, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsInner, BoundsW: 432, BoundsH: 243, CropLeft: 96, CropBottom: 54}},
		{"turned", turned, Size{960, 540}, hd, Transform{X: 480, Y: 270, Rotation: 10, ScaleX: 0.25, ScaleY: 0.25, Alignment: 5, BoundsType: boundsNone}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Saved{Transform: tt.t, Canvas: hd, Source: hd}.on(tt.canvas, tt.source)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}
