// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// String is the layout in the words that ParseLayout reads.
func (l Layout) String() string {
	shape := l.Shape
	if shape == "" {
		shape = PiP
	}
	words := []string{string(shape)}
	if l.Corner != "" {
		words = append(words, string(l.Corner))
	}
	if l.Extent != (Extent{}) {
		words = append(words, l.Extent.String())
	}
	if l.Margin != nil {
		words = append(words, "margin", l.Margin.String())
	}
	if l.Crop {
		words = append(words, "crop")
	}
	return strings.Join(words, " ")
}

// ParseLayout reads a layout from words: a shape, and in any order what differs from its own look, as in
// "pip bottom-left 30% margin 20 crop". No words are the zero Layout.
func ParseLayout(text string) (Layout, error) {
	var l Layout
	words := strings.Fields(text)
	if len(words) == 0 {
		return l, nil
	}
	for _, s := range Shapes() {
		if words[0] == string(s) {
			l.Shape = s
		}
	}
	if l.Shape == "" {
		return Layout{}, fmt.Errorf("a layout begins with one of %s, not with %q", list(Shapes()), words[0])
	}
	for i := 1; i < len(words); i++ {
		word, err := words[i], error(nil)
		switch {
		case word == "crop":
			l.Crop = true
		case word == "margin":
			if i++; i == len(words) {
				return Layout{}, errors.New("margin needs a distance, such as 20 or 2%")
			}
			var m Length
			m, err = ParseLength(words[i])
			l.Margin = &m
		case extentPattern.MatchString(word):
			l.Extent, err = ParseExtent(word)
		default:
			if l.Corner, err = ParseCorner(word); err != nil {
				err = fmt.Errorf("%q is not part of a layout: use a corner (%s), a size (30%% or 480x270), margin with a distance (20 or 2%%), crop", word, list(Corners()))
			}
		}
		if err != nil {
			return Layout{}, err
		}
	}
	return l, l.Check()
}

// Check returns an error where a layout has what its shape cannot have.
func (l Layout) Check() error {
	switch {
	case (l.Shape == Full || l.Shape == Grid) && l.Extent != (Extent{}):
		return fmt.Errorf("%s has no size of its own; its margin makes it smaller", l.Shape)
	case l.Shape == SideBySide && l.Extent.Box != (Size{}):
		return errors.New("the size of side-by-side must be a part of the width, such as 40%")
	case l.Shape == Full && l.Corner != "":
		return errors.New("full has no corner")
	}
	return nil
}

// ParseCorner reads a corner.
func ParseCorner(word string) (Corner, error) {
	for _, c := range Corners() {
		if word == string(c) {
			return c, nil
		}
	}
	return "", fmt.Errorf("%q is not a corner: choose one of %s", word, list(Corners()))
}

// extentPattern also matches what ParseExtent refuses, so that it can say why.
var extentPattern = regexp.MustCompile(`^(?:([\d.]+)%|(\d+)x(\d+))$`)

// ParseExtent reads a size such as 30% or 480x270.
func ParseExtent(word string) (Extent, error) {
	m := extentPattern.FindStringSubmatch(word)
	switch {
	case m == nil:
		return Extent{}, fmt.Errorf("%q is not a size, such as 30%% or 480x270", word)
	case m[1] != "":
		percent, err := strconv.ParseFloat(m[1], 64)
		if err != nil || percent < 1 || percent > 100 {
			return Extent{}, fmt.Errorf("%q: a size is 1%% to 100%% of the canvas", word)
		}
		return Extent{Percent: percent}, nil
	}
	w, errW := strconv.Atoi(m[2])
	h, errH := strconv.Atoi(m[3])
	if errW != nil || errH != nil || w < 1 || h < 1 || w > maxSide || h > maxSide {
		return Extent{}, fmt.Errorf("%q: a size has 1 to %d pixels each way", word, maxSide)
	}
	return Extent{Box: Size{w, h}}, nil
}

// maxSide is the greatest width and height that OBS allows for its canvas.
const maxSide = 16384

// String is the extent as ParseExtent reads it.
func (e Extent) String() string {
	if e.Box != (Size{}) {
		return fmt.Sprintf("%dx%d", e.Box.W, e.Box.H)
	}
	return strconv.FormatFloat(e.Percent, 'f', -1, 64) + "%"
}

// ParseLength reads a distance such as 20 (pixels) or 2% (of the canvas's shorter side).
func ParseLength(word string) (Length, error) {
	if number, ok := strings.CutSuffix(word, "%"); ok {
		percent, err := strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(percent) || percent < 0 || percent > 25 {
			return Length{}, fmt.Errorf("%q: a margin is 0%% to 25%% of the canvas's shorter side", word)
		}
		return Length{Percent: percent}, nil
	}
	pixels, err := strconv.Atoi(word)
	if err != nil || pixels < 0 || pixels > maxSide {
		return Length{}, fmt.Errorf("%q is not a distance, such as 20 or 2%%", word)
	}
	return Length{Pixels: pixels}, nil
}

// String is the length as ParseLength reads it.
func (l Length) String() string {
	if l.Percent != 0 {
		return strconv.FormatFloat(l.Percent, 'f', -1, 64) + "%"
	}
	return strconv.Itoa(l.Pixels)
}

func list[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
