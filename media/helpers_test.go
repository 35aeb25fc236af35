// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

// start runs something until the test ends, which fails when it ended earlier
// or with an error. The returned function ends it before.
func start(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	return testbed.Run(t, "run", run)
}

// tapped makes a pipeline that ends in a packetSink.
func tapped(t testing.TB, g graph) (*pipe.Pipeline, *pipe.Sink) {
	t.Helper()
	line, err := pipe.Parse(g.String())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := line.Sink(namePackets)
	if err != nil {
		t.Fatal(err)
	}
	return line, sink
}

// startAudioReceiver runs a receiver until the test ends.
func startAudioReceiver(t testing.TB, o AudioReceiverOptions) *AudioReceiver {
	t.Helper()
	r, err := NewAudioReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	start(t, r.Run)
	return r
}

// feed calls push at the format's rate until the test ends.
func feed(t testing.TB, f VideoFormat, push func()) (stop func()) {
	t.Helper()
	return start(t, func(ctx context.Context) error {
		pace := newPace(f)
		for {
			push()
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pace.next(time.Now(), 1)):
			}
		}
	})
}

// soon is how long what comes in no time may take on a machine that does much else.
const soon = 10 * time.Second

// await returns the first value that ok accepts, or fails after limit.
func await[T any](t testing.TB, what string, from <-chan T, limit time.Duration, ok func(T) bool) T {
	t.Helper()
	deadline := time.After(limit)
	var last any
	for seen := 0; ; seen++ {
		select {
		case v := <-from:
			if ok(v) {
				return v
			}
			last = v
			if f, ok := any(v).(Frame); ok {
				last = colourAt(f, 500, 500)
			}
		case <-deadline:
			t.Fatalf("%s: not within %v; %d others came, the last %v", what, limit, seen, last)
		}
	}
}

// latest returns a channel of one value, and a function that replaces it.
func latest[T any]() (<-chan T, func(T)) {
	c := make(chan T, 1)
	return c, func(v T) {
		for {
			select {
			case c <- v:
				return
			default:
			}
			select {
			case <-c:
			default:
			}
		}
	}
}

// filled returns a picture of one colour.
func filled(w, h int, c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// jpegOf returns the picture as JPEG.
func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// colourAt returns the colour of a Frame at a place given in thousandths of
// its sides.
func colourAt(f Frame, px, py int) color.RGBA {
	x, y := f.W*px/1000, f.H*py/1000
	luma, half := f.W*f.H, (f.W/2)*(f.H/2)
	chroma := y/2*(f.W/2) + x/2
	l := (float64(f.Data[y*f.W+x]) - 16) / 219
	b := (float64(f.Data[luma+chroma]) - 128) / 224 * 1.8556
	r := (float64(f.Data[luma+half+chroma]) - 128) / 224 * 1.5748
	return color.RGBA{level(255 * (l + r)), level(255 * (l - 0.2126/0.7152*r - 0.0722/0.7152*b)), level(255 * (l + b)), 255}
}

// clone returns a Frame that may be kept.
func clone(f Frame) Frame {
	f.Data = bytes.Clone(f.Data)
	return f
}

// near reports whether two colours differ by at most d in each channel.
func near(a, b color.RGBA, d int) bool {
	off := func(x, y uint8) bool { return max(int(x), int(y))-min(int(x), int(y)) > d }
	return !off(a.R, b.R) && !off(a.G, b.G) && !off(a.B, b.B)
}
