// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLayout(t *testing.T) {
	for _, tt := range []struct {
		words string
		want  Layout
	}{
		{"", Layout{}},
		{"pip", Layout{Shape: PiP}},
		{"pip top-left 25% margin 20 crop", Layout{Shape: PiP, Corner: TopLeft, Extent: Extent{Percent: 25}, Margin: &Length{Pixels: 20}, Crop: true}},
		{"  pip crop  margin 2.5%\t480x270 bottom-right", Layout{Shape: PiP, Corner: BottomRight, Extent: Extent{Box: Size{480, 270}}, Margin: &Length{Percent: 2.5}, Crop: true}},
		{"side-by-side 33.3% top-left", Layout{Shape: SideBySide, Corner: TopLeft, Extent: Extent{Percent: 33.3}}},
		{"full margin 0 crop", Layout{Shape: Full, Margin: &Length{}, Crop: true}},
		{"grid bottom-left", Layout{Shape: Grid, Corner: BottomLeft}},
	} {
		got, err := ParseLayout(tt.words)
		if err != nil {
			t.Errorf("%q: %v", tt.words, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q differs (-want +got):\n%s", tt.words, diff)
		}
		again, err := ParseLayout(got.String())
		if tt.words == "" {
			tt.want.Shape = PiP
		}
		if diff := cmp.Diff(tt.want, again); diff != "" || err != nil {
			t.Errorf("%q written as %q and read again: error %v, differs (-want +got):\n%s", tt.words, got, err, diff)
		}
	}
}

func TestParseLayoutRefuses(t *testing.T) {
	for words, want := range map[string]string{
		"pop":                     `a layout begins with one of pip, side-by-side, full, grid, not with "pop"`,
		"top-left pip":            `not with "top-left"`,
		"pip left":                `"left" is not part of a layout: use a corner (bottom-right, bottom-left, top-left, top-right), a size (30% or 480x270)`,
		"pip margin":              "margin needs a distance",
		"pip margin 30%":          `"30%": a margin is 0% to 25%`,
		"pip margin -1":           `"-1" is not a distance`,
		"pip margin NaN%":         `"NaN%": a margin is`,
		"pip 0%":                  `"0%": a size is 1% to 100%`,
		"pip 1.2.3%":              `"1.2.3%": a size is`,
		"pip 0x10":                `"0x10": a size has 1 to 16384 pixels`,
		"pip 99999999999999999x1": "a size has 1 to 16384 pixels",
		"pip 30":                  `"30" is not part of a layout`,
		"full 30%":                "full has no size of its own",
		"full top-left":           "full has no corner",
		"grid 30%":                "grid has no size of its own",
		"side-by-side 480x270":    "the size of side-by-side must be a part of the width",
	} {
		if got, err := ParseLayout(words); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v and error %v, want one with %q", words, got, err, want)
		}
	}
}

func FuzzParseLayout(f *testing.F) {
	f.Add("pip top-left 25% margin 20 crop")
	f.Add("side-by-side 1e300% margin 1%")
	f.Fuzz(func(t *testing.T, words string) {
		l, err := ParseLayout(words)
		if err != nil {
			return
		}
		again, err := ParseLayout(l.String())
		if err != nil || again.String() != l.String() {
			t.Errorf("%q is written as %q, which reads as %q with error %v", words, l, again, err)
		}
	})
}
