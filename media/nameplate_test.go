// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"image"
	"testing"
)

// named is a picture of one colour with a name over it.
func named(t *testing.T, f VideoFormat, name string, area image.Rectangle) (plain, written Frame) {
	t.Helper()
	plain = frameFromRGBA(filled(f.W, f.H, orange))
	o, err := ScreenOptions{Format: f, Name: name}.normal()
	if err != nil {
		t.Fatal(err)
	}
	c := newCanvas(o)
	c.set(Frame{Data: plain.Data, W: f.W, H: f.H, Area: area})
	return plain, Frame{Data: c.live, W: f.W, H: f.H}
}

// changed is the box around the pixels in which two pictures differ.
func changed(a, b Frame) image.Rectangle {
	var box image.Rectangle
	for y := range a.H {
		for x := range a.W {
			if a.Data[y*a.W+x] != b.Data[y*a.W+x] {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

func TestNamePlate(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    VideoFormat
		area image.Rectangle
	}{
		{"Alice", VideoFormat{1280, 720, 30, 1}, image.Rectangle{}},
		{"Alice", VideoFormat{640, 360, 30, 1}, image.Rect(80, 0, 560, 360)},
		{"Alice", VideoFormat{640, 360, 30, 1}, image.Rect(218, 0, 420, 360)},
		{"Maximilian von und zu Hohenstein", VideoFormat{360, 640, 30, 1}, image.Rect(0, 218, 360, 420)},
		{"Nobodywithoutaspaceinanameofsuchalengththatnopictureholdsit", VideoFormat{160, 90, 30, 1}, image.Rectangle{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plain, written := named(t, tt.f, tt.name, tt.area)
			area := tt.area
			if area.Empty() {
				area = image.Rect(0, 0, tt.f.W, tt.f.H)
			}
			box := changed(plain, written)
			if box.Empty() || !box.In(area) || box.Min.Y < area.Min.Y+area.Dy()/2 {
				t.Fatalf("got the plate at %v, want it in the lower half of %v", box, area)
			}
			left, right := box.Min.X-area.Min.X, area.Max.X-box.Max.X
			if left < area.Dx()/6 || left-right > 3 || right-left > 3 {
				t.Errorf("got %d and %d pixels at its sides, want it in the middle", left, right)
			}
			var bright, dark bool
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					bright = bright || written.Data[y*tt.f.W+x] > 200
					dark = dark || written.Data[y*tt.f.W+x] < 70
				}
			}
			if !bright || !dark {
				t.Error("want bright letters on dark ground")
			}
		})
	}
}

func TestNoNamePlate(t *testing.T) {
	for name, f := range map[string]VideoFormat{"": {640, 360, 30, 1}, "待っている": {640, 360, 30, 1}, "Alice": {16, 16, 30, 1}} {
		if plain, written := named(t, f, name, image.Rectangle{}); !bytes.Equal(plain.Data, written.Data) {
			t.Errorf("%q on %v: got a plate, want none", name, f)
		}
	}
}

// The colours of the picture stay where the plate is not.
func TestNamePlateColours(t *testing.T) {
	f := VideoFormat{640, 360, 30, 1}
	_, written := named(t, f, "Alice", image.Rectangle{})
	for _, at := range []image.Point{{500, 500}, {10, 990}, {990, 990}} {
		if got := colourAt(written, at.X, at.Y); !near(got, orange, 3) {
			t.Errorf("at %v: got %v, want %v", at, got, orange)
		}
	}
	if got := colourAt(written, 500, 925); near(got, orange, 60) {
		t.Errorf("on the plate: got %v, want it dark", got)
	}
}

func BenchmarkNamePlate(b *testing.B) {
	f := VideoFormat{1920, 1080, 30, 1}
	p, err := newPlate("Alice")
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, f.FrameSize())
	for b.Loop() {
		if err := p.put(data, f, image.Rectangle{}); err != nil {
			b.Fatal(err)
		}
	}
}
