// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"image"
	"image/draw"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// TestShrunk: a receiver covers the same area with smaller pictures.
func TestShrunk(t *testing.T) {
	for _, test := range []struct {
		w, h             int
		twoThirds, halfs image.Point
	}{
		{1920, 1080, image.Pt(1280, 720), image.Pt(960, 540)},
		{1280, 720, image.Pt(864, 486), image.Pt(640, 360)},
		{640, 360, image.Pt(416, 234), image.Pt(320, 180)},
		{1366, 768, image.Pt(932, 524), image.Pt(658, 370)},
		{1080, 1920, image.Pt(720, 1280), image.Pt(540, 960)},
		{160, 90, image.Pt(160, 90), image.Pt(160, 90)}, // too small already
	} {
		f := VideoFormat{test.w, test.h, 30, 1}
		for size, want := range map[Size]image.Point{FullSize: {test.w, test.h}, TwoThirds: test.twoThirds, HalfSize: test.halfs} {
			got := f.Shrunk(size)
			if got.W != want.X || got.H != want.Y || got.W%2+got.H%2 != 0 {
				t.Errorf("%v of %v: got %v, want %v", size, f, got, want)
			}
			if area := fitted(got.W, got.H, f.W, f.H); area != image.Rect(0, 0, f.W, f.H) {
				t.Errorf("%v of %v is %v, and covers only %v", size, f, got, area)
			}
		}
	}
}

// TestShrinkInMidCall has each software encoder change the size of its pictures. The other side decodes them: they go on in their
// place.
func TestShrinkInMidCall(t *testing.T) {
	const most = time.Second / 2 // without a new picture; it is in the log
	f := VideoFormat{640, 360, 30, 1}
	img := filled(f.W, f.H, orange)
	draw.Draw(img, image.Rect(0, 0, f.W/2, f.H/2), image.NewUniform(teal), image.Point{}, draw.Src)
	for _, name := range []string{"x264enc", "openh264enc"} {
		t.Run(name, func(t *testing.T) {
			if !pipe.Has(name) {
				t.Skip("not installed: " + name)
			}
			var mu sync.Mutex
			var last time.Time
			var gap time.Duration
			frames, put := latest[Frame]()
			var r *VideoReceiver
			r, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Ordered: true, Out: func(f Frame) {
				mu.Lock()
				if now := time.Now(); last.IsZero() {
					last = now
				} else {
					gap, last = max(gap, now.Sub(last)), now
				}
				mu.Unlock()
				put(clone(f))
			}})
			if err != nil {
				t.Fatal(err)
			}
			start(t, r.Run)
			s, err := NewVideoSender(VideoSenderOptions{
				Source: ImageSource{f}, Encoder: EncoderOptions{Choice: EncoderChoice{Name: name}}, Out: r.Push,
				Card: frameFromRGBA(filled(f.W, f.H, violet)),
			})
			if err != nil {
				t.Fatal(err)
			}
			start(t, s.Run)
			jpeg := jpegOf(t, img)
			feed(t, f, func() { s.PushImage(jpeg) })
			right := func(f Frame) bool {
				return near(colourAt(f, 250, 250), teal, 8) && near(colourAt(f, 490, 480), teal, 20) && near(colourAt(f, 510, 520), orange, 20)
			}
			await(t, "the picture", frames, soon, right)
			for _, size := range []Size{TwoThirds, HalfSize, TwoThirds, FullSize} {
				mu.Lock()
				gap = 0
				mu.Unlock()
				s.Shrink(size)
				want := f.Shrunk(size)
				testbed.Await(t, "the new size at the other side", soon, func() error {
					return sameSize(r, want)
				})
				for range 3 { // Those on their way may have the old size.
					<-frames
				}
				got := await(t, "the picture in "+size.String(), frames, soon, right)
				if box := image.Rect(0, 0, f.W, f.H); lit(got) != box || got.Area != box {
					t.Errorf("%v: the picture is in %v, by the receiver in %v, want %v", size, lit(got), got.Area, box)
				}
				mu.Lock()
				t.Logf("%v (%dx%d): longest time without a new picture %v", size, want.W, want.H, gap.Round(time.Millisecond))
				if gap > most {
					t.Errorf("%v: no new picture for %v", size, gap)
				}
				mu.Unlock()
				// The card has its full size, whatever is sent.
				s.Cover(true)
				await(t, "the card", frames, soon, shows(violet))
				s.Cover(false)
				await(t, "the picture again", frames, soon, right)
			}
		})
	}
}

// sameSize says what is wrong with the size of what a receiver decodes.
func sameSize(r *VideoReceiver, want VideoFormat) error {
	if w, h := r.scale.InputSize(); w != want.W || h != want.H {
		return fmt.Errorf("it decodes %dx%d, want %dx%d", w, h, want.W, want.H)
	}
	return nil
}
