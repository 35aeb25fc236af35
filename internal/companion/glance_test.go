// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/media"
)

// TestGlance: pictures are taken while somebody asks for them, one each second of those that pass.
func TestGlance(t *testing.T) {
	var g glance
	start := time.Now()
	taken := 0
	picture := func(width int) *image.RGBA { return image.NewRGBA(image.Rect(0, 0, width, 1)) }
	at := func(d time.Duration) time.Time { return start.Add(d) }
	pass := func(from, to time.Duration) (n int) {
		before := taken
		for d := from; d < to; d += 33 * time.Millisecond {
			g.pass(at(d), func() *image.RGBA { taken++; return picture(taken) })
		}
		return taken - before
	}
	if n := pass(0, 5*time.Second); n != 0 {
		t.Errorf("nobody asks: took %d", n)
	}
	if got := g.look(at(5 * time.Second)); got != nil {
		t.Errorf("asked before any was taken: got %v", got.Rect)
	}
	if n := pass(5*time.Second, 15*time.Second); n != 4 {
		t.Errorf("asked once: took %d, want those of three seconds", n)
	}
	if got := g.look(at(8 * time.Second)); got == nil || got.Rect.Dx() != taken {
		t.Errorf("got %v, want the newest", got)
	}
	if got := g.look(at(20 * time.Second)); got != nil {
		t.Errorf("an old one: got %v", got.Rect)
	}
	pass(20*time.Second, 21*time.Second)
	g.forget()
	if got := g.look(at(21 * time.Second)); got != nil {
		t.Errorf("after the end: got %v", got.Rect)
	}
}

// TestThumbnail: the friend's picture is small, without its borders, and in its colours.
func TestThumbnail(t *testing.T) {
	card, err := media.NewPlaceholder(media.VideoFormat{W: 640, H: 360, FPSNum: 30, FPSDen: 1}, "Bob")
	if err != nil {
		t.Fatal(err)
	}
	if size := thumbnail(card, 240).Rect.Size(); size != image.Pt(240, 135) {
		t.Errorf("of 640x360: got %v", size)
	}
	// Video range: red in the area, black around it.
	f := media.Frame{W: 64, H: 32, Data: bytes.Repeat([]byte{16}, 64*32), Area: image.Rect(16, 0, 48, 32)}
	for range 2 * 32 * 16 {
		f.Data = append(f.Data, 128)
	}
	for y := range 32 {
		for x := 16; x < 48; x++ {
			f.Data[y*64+x] = 63
			c := 64*32 + y/2*32 + x/2
			f.Data[c], f.Data[c+32*16] = 102, 240
		}
	}
	small := thumbnail(f, 16)
	if diff := cmp.Diff(image.Rect(0, 0, 16, 16), small.Rect); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, p := range []image.Point{{0, 0}, {15, 15}, {8, 8}} {
		if got := small.RGBAAt(p.X, p.Y); got.R < 0xfa || got.G > 4 || got.B > 4 || got.A != 0xff {
			t.Errorf("at %v: got %v, want %v", p, got, color.RGBA{R: 0xff, A: 0xff})
		}
	}

	data, err := jpegOf(small)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(data)); err != nil || img.Bounds() != small.Rect {
		t.Errorf("got %v (%v)", img, err)
	}
}
