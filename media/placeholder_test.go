// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"errors"
	"image/color"
	"testing"
)

func TestPlaceholder(t *testing.T) {
	texts := []string{"Alice", "", "Алису", "待っている 🎉", "Nobodywithoutaspaceinanameofsuchalengththatnopictureholdsit", "somebody with a name that is far too long to be written on any picture of this world, really"}
	for _, f := range []VideoFormat{{16, 16, 30, 1}, {641, 361, 25, 1}, {640, 360, 30, 1}, {360, 1280, 30, 1}, {1920, 1080, 60, 1}} {
		for _, text := range texts {
			p, err := NewPlaceholder(f, text)
			if err != nil {
				t.Fatalf("%v %q: %v", f, text, err)
			}
			if !p.is(f.Even()) {
				t.Errorf("%v %q: got %v, want the even size", f, text, p)
			}
			for _, at := range [][2]int{{0, 0}, {999, 0}, {0, 999}, {999, 999}} {
				if c := colourAt(p, at[0], at[1]); max(c.R, c.G, c.B) > 70 {
					t.Errorf("%v %q: got %v in the corner, want a dark sky", f, text, c)
				}
			}
		}
	}
}

func TestPlaceholderShowsItsText(t *testing.T) {
	f := VideoFormat{640, 360, 30, 1}
	picture := func(text string) Frame {
		p, err := NewPlaceholder(f, text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	bright := func(p Frame) (n int) {
		for _, y := range p.Data[:p.W*p.H] {
			if y > 180 {
				n++
			}
		}
		return n
	}
	one, short, long := bright(picture("B")), bright(picture("Bob")), bright(picture("Bob the Long"))
	if one == 0 || one >= short || short >= long {
		t.Errorf("got %d, %d and %d bright pixels for longer and longer names, want them to grow", one, short, long)
	}
	if bytes.Equal(picture("Bob").Data, picture("Eve").Data) {
		t.Error("two names give the same picture")
	}
	if !bytes.Equal(picture("").Data, picture("待っている").Data) {
		t.Error("a name that cannot be written gives another picture than none")
	}
}

func TestPlaceholderRefusesFormat(t *testing.T) {
	if _, err := NewPlaceholder(VideoFormat{}, "x"); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

func TestBT709(t *testing.T) {
	tests := []struct {
		c    color.RGBA
		want [3]uint8
	}{
		{color.RGBA{0, 0, 0, 255}, [3]uint8{16, 128, 128}},
		{color.RGBA{255, 255, 255, 255}, [3]uint8{235, 128, 128}},
		{color.RGBA{255, 0, 0, 255}, [3]uint8{63, 102, 240}},
		{color.RGBA{0, 255, 0, 255}, [3]uint8{173, 42, 26}},
		{color.RGBA{0, 0, 255, 255}, [3]uint8{32, 240, 118}},
	}
	for _, tt := range tests {
		y, cb, cr := bt709(tt.c)
		if got := [3]uint8{level(y), level(cb), level(cr)}; got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.c, got, tt.want)
		}
	}
}

// TestCards: the card for a break says whose break it is, that for a friend who is here says who is, and neither is the other
// or the placeholder.
func TestCards(t *testing.T) {
	f := VideoFormat{641, 361, 25, 1}
	card := func(draw func(VideoFormat, string) (Frame, error), name string) Frame {
		t.Helper()
		p, err := draw(f, name)
		if err != nil || !p.is(f.Even()) {
			t.Fatalf("%q: got %v, %v, want the even size", name, p, err)
		}
		return p
	}
	for what, draw := range map[string]func(VideoFormat, string) (Frame, error){"a break": NewBreakCard, "here": NewHereCard} {
		alice := card(draw, "Alice")
		others := map[string]Frame{"another name": card(draw, "Carol"), "no name": card(draw, ""), "the placeholder": card(NewPlaceholder, "Alice")}
		if what == "here" {
			others["a break"] = card(NewBreakCard, "Alice")
		}
		for other, picture := range others {
			if bytes.Equal(alice.Data, picture.Data) {
				t.Errorf("%s: %s gives the same picture", what, other)
			}
		}
		if _, err := draw(VideoFormat{}, "Alice"); !errors.Is(err, ErrFormat) {
			t.Errorf("%s, no format: got %v, want ErrFormat", what, err)
		}
	}
}
