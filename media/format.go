// SPDX-License-Identifier: Apache-2.0

package media

import (
	"errors"
	"fmt"
	"image"
	"time"
)

// ErrFormat is wrapped by errors about an impossible VideoFormat.
var ErrFormat = errors.New("impossible video format")

// maxSide is the largest width and height in pixels; H.264 level 6.2 ends near it.
const maxSide = 8192

// VideoFormat is the size of pictures in pixels and their rate in pictures per
// second, as a fraction: 30000/1001 is the rate people call 29.97.
type VideoFormat struct {
	W, H           int
	FPSNum, FPSDen int
}

func (f VideoFormat) String() string {
	if f.FPSDen == 1 {
		return fmt.Sprintf("%dx%d@%d", f.W, f.H, f.FPSNum)
	}
	return fmt.Sprintf("%dx%d@%d/%d", f.W, f.H, f.FPSNum, f.FPSDen)
}

// Even returns the format with both sides rounded down to even numbers. H.264
// and I420 keep colour at half the size, so all pictures here have even sides.
func (f VideoFormat) Even() VideoFormat {
	f.W &^= 1
	f.H &^= 1
	return f
}

// FrameTime returns how long one picture lasts.
func (f VideoFormat) FrameTime() time.Duration {
	return f.at(1)
}

// at returns when picture n begins, counted from picture 0. It adds up no rounding errors.
func (f VideoFormat) at(n int64) time.Duration {
	num, den := int64(f.FPSNum), int64(f.FPSDen)
	whole, rest := n*den/num, n*den%num
	return time.Duration(whole)*time.Second + time.Duration(rest)*time.Second/time.Duration(num)
}

// index returns the number of the picture at a time after the beginning of picture 0.
func (f VideoFormat) index(t time.Duration) int64 {
	num, den := int64(f.FPSNum), int64(f.FPSDen)
	n := int64(t/time.Second)*num/den + int64(t%time.Second)*num/(den*int64(time.Second))
	for f.at(n+1) <= t {
		n++
	}
	return n
}

// FrameSize returns the number of bytes of a Frame of this format.
func (f VideoFormat) FrameSize() int {
	return f.W*f.H + 2*((f.W+1)/2)*((f.H+1)/2)
}

// normal returns the format in the form that pipelines need, or what is wrong with it.
func (f VideoFormat) normal() (VideoFormat, error) {
	e := f.Even()
	if e.W < 16 || e.H < 16 || e.W > maxSide || e.H > maxSide {
		return f, fmt.Errorf("%w: size %dx%d is not between 16x16 and %dx%d", ErrFormat, f.W, f.H, maxSide, maxSide)
	}
	if f.FPSNum <= 0 || f.FPSDen <= 0 || f.FPSNum/f.FPSDen > 1000 || f.FPSDen/f.FPSNum >= 60 {
		return f, fmt.Errorf("%w: rate %d/%d", ErrFormat, f.FPSNum, f.FPSDen)
	}
	return e, nil
}

// Frame is one picture in I420: the luma plane, then the two chroma planes at half width and height, without padding between
// rows or planes (ffmpeg: rawvideo yuv420p). Colours are BT.709 with video range, which OBS assumes for unmarked pictures.
type Frame struct {
	Data []byte
	W, H int
	// Area is the part with the picture; black borders surround it. Empty means all.
	Area image.Rectangle
}

// String describes the picture without its data.
func (f Frame) String() string { return fmt.Sprintf("%dx%d I420, %d bytes", f.W, f.H, len(f.Data)) }

// is reports whether the frame is whole and has the format's size.
func (f Frame) is(format VideoFormat) bool {
	return f.W == format.W && f.H == format.H && len(f.Data) == format.FrameSize()
}
