// SPDX-License-Identifier: Apache-2.0

package media

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

func TestVideoFormatNormal(t *testing.T) {
	tests := []struct {
		in   VideoFormat
		want VideoFormat
		ok   bool
	}{
		{VideoFormat{1920, 1080, 60, 1}, VideoFormat{1920, 1080, 60, 1}, true},
		{VideoFormat{641, 361, 25, 1}, VideoFormat{640, 360, 25, 1}, true},
		{VideoFormat{17, 17, 30000, 1001}, VideoFormat{16, 16, 30000, 1001}, true},
		{VideoFormat{15, 100, 30, 1}, VideoFormat{}, false},
		{VideoFormat{0, 0, 30, 1}, VideoFormat{}, false},
		{VideoFormat{-640, 360, 30, 1}, VideoFormat{}, false},
		{VideoFormat{100000, 100, 30, 1}, VideoFormat{}, false},
		{VideoFormat{640, 360, 0, 1}, VideoFormat{}, false},
		{VideoFormat{640, 360, 30, 0}, VideoFormat{}, false},
		{VideoFormat{640, 360, 100000, 1}, VideoFormat{}, false},
		{VideoFormat{640, 360, 1, 100000}, VideoFormat{}, false},
	}
	for _, tt := range tests {
		got, err := tt.in.normal()
		switch {
		case tt.ok && (err != nil || got != tt.want):
			t.Errorf("%+v: got %v, %v, want %v", tt.in, got, err, tt.want)
		case !tt.ok && !errors.Is(err, ErrFormat):
			t.Errorf("%+v: got %v, want ErrFormat", tt.in, err)
		}
	}
}

func TestVideoFormatTimes(t *testing.T) {
	tests := []struct {
		num, den int
		n        int64
		want     time.Duration
	}{
		{30, 1, 1, 33333333},
		{30, 1, 30, time.Second},
		{60, 1, 3, 50 * time.Millisecond},
		{30000, 1001, 30000, 1001 * time.Second},
		// A day of pictures: no error has added up.
		{25, 1, 25 * 86400, 24 * time.Hour},
		{24000, 1001, 24000 * 86400, 1001 * 24 * time.Hour},
	}
	for _, tt := range tests {
		f := VideoFormat{FPSNum: tt.num, FPSDen: tt.den}
		if got := f.at(tt.n); got != tt.want {
			t.Errorf("picture %d at %d/%d: got %v, want %v", tt.n, tt.num, tt.den, got, tt.want)
		}
		if got := f.index(tt.want + 1); got != tt.n {
			t.Errorf("picture on at %v at %d/%d: got %d, want %d", tt.want, tt.num, tt.den, got, tt.n)
		}
	}
}

func TestPaceDropsAndNeverCatchesUp(t *testing.T) {
	p := newPace(VideoFormat{FPSNum: 50, FPSDen: 1})
	const ms = time.Millisecond
	steps := []struct{ at, want time.Duration }{
		{0, 20 * ms},
		{20 * ms, 20 * ms},
		{41 * ms, 19 * ms},  // 1 ms late: the grid stays
		{135 * ms, 5 * ms},  // missed three: on to the next, no burst
		{140 * ms, 20 * ms}, // exactly on time
	}
	for _, s := range steps {
		if got := p.next(p.start.Add(s.at), 1); got != s.want {
			t.Errorf("at %v: got a wait of %v, want %v", s.at, got, s.want)
		}
	}
}

func TestPaceShifts(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct{ by, want time.Duration }{
		{0, 20 * ms}, {3 * ms, 23 * ms}, {-3 * ms, 17 * ms}, {20 * ms, 20 * ms}, {17 * ms, 17 * ms}, {1003 * ms, 23 * ms}, {-57 * ms, 23 * ms},
	} {
		p := newPace(VideoFormat{FPSNum: 50, FPSDen: 1})
		now := p.start
		p.shift(tt.by)
		if got := p.next(now, 1); got != tt.want {
			t.Errorf("by %v: got a wait of %v, want %v", tt.by, got, tt.want)
		}
	}
}

func TestI420Layout(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {18, 16}, {20, 18}, {22, 18}, {640, 360}, {854, 480}, {1366, 768}} {
		w, h := size[0], size[1]
		tight := make([]byte, VideoFormat{W: w, H: h}.FrameSize())
		for i := range tight {
			tight[i] = byte(rand.Uint32())
		}
		_, total := i420Planes(w, h)
		padded := make([]byte, total)
		pad(padded, tight, w, h)
		back := make([]byte, len(tight))
		unpad(back, padded, w, h)
		if !bytes.Equal(back, tight) {
			t.Errorf("%dx%d: padding and back is not the same picture", w, h)
		}
		if w%8 == 0 && !bytes.Equal(padded, tight) {
			t.Errorf("%dx%d: padded, though rows need no padding", w, h)
		}
		if got := gstreamerFrameSize(t, VideoFormat{w, h, 30, 1}); got != total {
			t.Errorf("%dx%d: got %d bytes, GStreamer takes %d", w, h, total, got)
		}
	}
}

// gstreamerFrameSize returns how many bytes GStreamer gives an I420 picture.
func gstreamerFrameSize(t *testing.T, f VideoFormat) int {
	t.Helper()
	g := row(element("videotestsrc", "num-buffers=1"),
		caps("video/x-raw,format=I420,width="+strconv.Itoa(f.W)+",height="+strconv.Itoa(f.H)),
		element("appsink", prop("name", nameFrames), "sync=false"))
	p, err := pipe.Parse(g.String())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := p.Sink(nameFrames)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	if err := p.Run(t.Context(), func(ctx context.Context) { sink.Pull(ctx, func(b []byte) { size = len(b) }) }); !errors.Is(err, ErrEnded) {
		t.Fatalf("got %v, want the end of the stream", err)
	}
	return size
}

// pad copies a picture without padding into GStreamer's layout.
func pad(dst, src []byte, w, h int) {
	planes, _ := i420Planes(w, h)
	for _, p := range planes {
		for y := range p.rows {
			row := p.offset + y*p.stride
			n := copy(dst[row:row+p.width], src)
			src = src[n:]
		}
	}
}
