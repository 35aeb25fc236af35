// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"image"
	"image/color"
	"image/draw"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	orange = color.RGBA{0xf0, 0x80, 0x20, 0xff}
	teal   = color.RGBA{0x20, 0xc0, 0x80, 0xff}
	violet = color.RGBA{0x70, 0x30, 0xd0, 0xff}
	black  = color.RGBA{0, 0, 0, 0xff}
)

// peer is a VideoReceiver for the tests, replaced as a link would do it when
// the sender's SSRC changes.
type peer struct {
	mu       sync.Mutex
	receiver *VideoReceiver
}

func (p *peer) push(packet []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.receiver != nil {
		p.receiver.Push(packet)
	}
}

// newReceiver starts a receiver of a format and returns it and its pictures.
func newReceiver(t testing.TB, f VideoFormat) (*VideoReceiver, <-chan Frame) {
	t.Helper()
	frames, put := latest[Frame]()
	r, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Out: func(f Frame) { put(clone(f)) }})
	if err != nil {
		t.Fatal(err)
	}
	start(t, r.Run)
	return r, frames
}

// newImageSender starts a sender that is fed the same image all the time.
func newImageSender(t testing.TB, f VideoFormat, img []byte, out func([]byte)) (s *VideoSender, stop func()) {
	t.Helper()
	s, err := NewVideoSender(VideoSenderOptions{Source: ImageSource{f}, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	stopRun := start(t, s.Run)
	stopFeed := feed(t, f, func() { s.PushImage(img) })
	return s, func() { stopFeed(); stopRun() }
}

func shows(c color.RGBA) func(Frame) bool {
	return func(f Frame) bool { return near(colourAt(f, 500, 500), c, 6) }
}

// lit is the box around all that is not black in the middle row and column.
func lit(f Frame) image.Rectangle {
	stride := f.W
	var box image.Rectangle
	for x := range f.W {
		if f.Data[f.H/2*stride+x] > 40 {
			box = box.Union(image.Rect(x, f.H/2, x+1, f.H/2+1))
		}
	}
	for y := range f.H {
		if f.Data[y*stride+f.W/2] > 40 {
			box = box.Union(image.Rect(f.W/2, y, f.W/2+1, y+1))
		}
	}
	return box
}

func TestVideoColoursArrive(t *testing.T) {
	tests := []struct {
		name          string
		send, receive VideoFormat
		bars          image.Rectangle // where the picture is, in thousandths
	}{
		{"same size", VideoFormat{320, 180, 30, 1}, VideoFormat{320, 180, 30, 1}, image.Rect(0, 0, 1000, 1000)},
		{"HD size", VideoFormat{1280, 720, 30, 1}, VideoFormat{640, 360, 25, 1}, image.Rect(0, 0, 1000, 1000)},
		{"odd canvas", VideoFormat{641, 361, 25, 1}, VideoFormat{427, 241, 60, 1}, image.Rect(0, 0, 1000, 1000)},
		{"padded rows", VideoFormat{854, 480, 30, 1}, VideoFormat{1366, 768, 30, 1}, image.Rect(0, 0, 1000, 1000)},
		{"wide into square", VideoFormat{320, 180, 30, 1}, VideoFormat{240, 240, 30, 1}, image.Rect(0, 219, 1000, 781)},
		{"square into wide", VideoFormat{240, 240, 50, 1}, VideoFormat{320, 180, 50, 1}, image.Rect(219, 0, 781, 1000)},
		{"portrait into wide", VideoFormat{360, 640, 30, 1}, VideoFormat{426, 240, 30, 1}, image.Rect(343, 0, 658, 1000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img := filled(tt.send.W, tt.send.H, orange)
			w, h := tt.send.W, tt.send.H
			draw.Draw(img, image.Rect(0, 0, w/2, h/2), image.NewUniform(teal), image.Point{}, draw.Src)
			draw.Draw(img, image.Rect(w/2, h/2, w, h), image.NewUniform(violet), image.Point{}, draw.Src)

			r, frames := newReceiver(t, tt.receive)
			newImageSender(t, tt.send, jpegOf(t, img), r.Push)
			// The encoder spends some pictures on getting sharp.
			at := func(f Frame, x, y int) color.RGBA {
				return colourAt(f, tt.bars.Min.X+tt.bars.Dx()*x/1000, tt.bars.Min.Y+tt.bars.Dy()*y/1000)
			}
			f := await(t, "the right colours", frames, 5*time.Second, func(f Frame) bool {
				return near(at(f, 250, 250), teal, 5) && near(at(f, 750, 250), orange, 5) &&
					near(at(f, 250, 750), orange, 5) && near(at(f, 750, 750), violet, 5)
			})
			if want := tt.receive.Even(); f.W != want.W || f.H != want.H || len(f.Data) != want.FrameSize() {
				t.Errorf("got a picture of %dx%d in %d bytes, want %dx%d in %d", f.W, f.H, len(f.Data), want.W, want.H, want.FrameSize())
			}
			got := lit(f)
			if !f.Area.In(got) || got.Dx()-f.Area.Dx() > 1 || got.Dy()-f.Area.Dy() > 1 {
				t.Errorf("got the area %v, and pixels that are not black in %v", f.Area, got)
			}
			for _, p := range []image.Point{{tt.bars.Min.X / 2, 500}, {500, tt.bars.Min.Y / 2}} {
				if p.In(tt.bars) {
					continue
				}
				if got := colourAt(f, p.X, p.Y); !near(got, black, 1) {
					t.Errorf("border at %v: got %v, want black", p, got)
				}
			}
		})
	}
}

func TestVideoSenderRestarts(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	var p peer
	for i, c := range []color.RGBA{orange, teal, violet} {
		frames, put := latest[Frame]()
		r, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Out: func(f Frame) { put(clone(f)) }})
		if err != nil {
			t.Fatal(err)
		}
		stopReceiver := start(t, r.Run)
		p.mu.Lock()
		p.receiver = r
		p.mu.Unlock()
		_, stopSender := newImageSender(t, f, jpegOf(t, filled(f.W, f.H, c)), p.push)
		await(t, "picture of sender "+string(rune('1'+i)), frames, soon, shows(c))
		stopSender()
		stopReceiver()
	}
}

func TestVideoKeyFrameOnRequest(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	var p peer
	s, _ := newImageSender(t, f, jpegOf(t, filled(f.W, f.H, orange)), p.push)
	testReceiver := func(joined string) {
		r, frames := newReceiver(t, f)
		p.mu.Lock()
		p.receiver = r
		p.mu.Unlock()
		// Like a link, it asks again: the first key frame may come before the receiver runs.
		ask := time.NewTicker(300 * time.Millisecond)
		defer ask.Stop()
		limit := time.After(soon)
		for {
			s.ForceKeyFrame()
			select {
			case f := <-frames:
				if shows(orange)(f) {
					return
				}
			case <-ask.C:
			case <-limit:
				t.Fatalf("%s: none within %v", joined, soon)
			}
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for s.Stats().Frames < 10 {
		if time.Now().After(deadline) {
			t.Fatalf("no pictures leave the sender: %+v", s.Stats())
		}
		time.Sleep(10 * time.Millisecond)
	}
	testReceiver("picture for one who joins late")
	testReceiver("picture for one who joins later")
}

func TestVideoSenderHoldsItsRate(t *testing.T) {
	for _, fps := range []int{25, 50, 60} {
		f := VideoFormat{320, 180, fps, 1}
		img := jpegOf(t, filled(f.W, f.H, teal))
		var frames atomic.Int64
		r, err := NewVideoReceiver(VideoReceiverOptions{Format: f, Out: func(Frame) { frames.Add(1) }})
		if err != nil {
			t.Fatal(err)
		}
		stopReceiver := start(t, r.Run)
		_, stop := newImageSender(t, f, img, r.Push)
		begin := time.Now()
		for frames.Load() == 0 && time.Since(begin) < 5*time.Second {
			time.Sleep(time.Millisecond)
		}
		const span = time.Second
		first := frames.Load()
		time.Sleep(span)
		got := float64(frames.Load()-first) / span.Seconds()
		stop()
		stopReceiver()
		if got < float64(fps)*0.85 || got > float64(fps)*1.15 {
			t.Errorf("at %d/s: got %.1f pictures per second", fps, got)
		}
	}
}

func TestVideoSenderCountsAndPrints(t *testing.T) {
	f := VideoFormat{320, 180, 30, 1}
	var bytes, packets atomic.Uint64
	s, err := NewVideoSender(VideoSenderOptions{Source: TestSource{VideoFormat: f}, Out: func(p []byte) {
		packets.Add(1)
		bytes.Add(uint64(len(p)))
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for s.Stats().Frames < 5 {
		select {
		case err := <-done:
			t.Fatalf("ended early: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.SetBitrate(500)
	if dot := s.Dot(); len(dot) < 1000 || dot[:7] != "digraph" {
		t.Errorf("got a dot text of %d bytes", len(dot))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := VideoSenderStats{Frames: s.Stats().Frames, Packets: packets.Load(), Bytes: bytes.Load()}
	if got := s.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestVideoSenderFollowsTheBitrate changes the target while pictures that hold as much as any are sent.
func TestVideoSenderFollowsTheBitrate(t *testing.T) {
	f := VideoFormat{640, 360, 30, 1}
	s, err := NewVideoSender(VideoSenderOptions{Source: TestSource{Pattern: "snow", VideoFormat: f}, Encoder: EncoderOptions{BitrateKbps: 3000}, Out: func([]byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, s.Run)
	// perPicture is the mean size of the next pictures, in bytes.
	perPicture := func(pictures uint64) int {
		t.Helper()
		from := s.Stats()
		deadline := time.After(10 * time.Second)
		for s.Stats().Frames < from.Frames+pictures {
			select {
			case <-deadline:
				t.Fatal("no pictures")
			case <-time.After(5 * time.Millisecond):
			}
		}
		to := s.Stats()
		return int(to.Bytes-from.Bytes) / int(to.Frames-from.Frames)
	}
	perPicture(15)
	for _, kbps := range []int{3000, 1000, 300, 3000} {
		s.SetBitrate(kbps)
		perPicture(10)
		want := kbps * 1000 / 8 / 30
		if got := perPicture(20); got < want/2 || got > want*3/2 {
			t.Errorf("at %d kbit/s: got %d bytes for each picture, want about %d", kbps, got, want)
		}
	}
}
