// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/e2e/bench/scene"
	"github.com/costream-obs/costream-obs/e2e/bench/score"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// pipeSize is the most that a user may ask of the kernel; a picture is four times as large.
const pipeSize = 1 << 20

func pipe(tb testbed.TB) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatalf("%v", err)
	}
	if raw, err := w.SyscallConn(); err == nil {
		// A smaller pipe is slower for all alike.
		_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
	return r, w
}

// together runs functions at once; the channel is closed when all have returned.
func together(functions ...func()) <-chan struct{} {
	var wg sync.WaitGroup
	for _, f := range functions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	return done
}

// feed gives a sender the pictures of the scene at their times.
type feed struct {
	scene *scene.Scene
	out   io.Writer
	begin time.Time

	mu   sync.Mutex
	sent map[int]time.Duration // by number: when the first byte went in
}

func newFeed(s *scene.Scene, out io.Writer, begin time.Time) *feed {
	return &feed{scene: s, out: out, begin: begin, sent: make(map[int]time.Duration)}
}

// run ends with ctx, or when the sender takes no more. A sender that is too slow misses pictures, as it would those of a
// device.
func (f *feed) run(ctx context.Context) {
	picture := make([]byte, scene.FrameSize)
	for n := 0; ctx.Err() == nil; n = max(n+1, f.number(time.Now())) {
		f.scene.Render(n, picture)
		pause(ctx, time.Until(f.begin.Add(due(n))))
		f.mu.Lock()
		f.sent[n] = time.Since(f.begin)
		f.mu.Unlock()
		if _, err := f.out.Write(picture); err != nil {
			return
		}
	}
}

// due is when picture n begins.
func due(n int) time.Duration { return time.Duration(n) * time.Second / scene.FPS }

// number is that of the picture which is on now.
func (f *feed) number(now time.Time) int { return int(now.Sub(f.begin) * scene.FPS / time.Second) }

func (f *feed) sentAt(n int) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, ok := f.sent[n]
	return at, ok
}

func (f *feed) sentWithin(from, to time.Duration) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	count := 0
	for _, at := range f.sent {
		if at > from && at <= to {
			count++
		}
	}
	return count
}

// watch takes the pictures that a receiver gives.
type watch struct {
	scene *scene.Scene
	in    io.Reader
	begin time.Time
	first chan struct{} // closed at the first picture that is right

	seen []seen // valid once run has returned
}

type seen struct {
	at      time.Duration
	verdict scene.Verdict
}

func newWatch(s *scene.Scene, in io.Reader, begin time.Time) *watch {
	return &watch{scene: s, in: in, begin: begin, first: make(chan struct{})}
}

// arrived is a picture that waits to be judged.
type arrived struct {
	at      time.Duration
	picture *[]byte
}

// run returns when the receiver gives no more.
func (w *watch) run(context.Context) {
	pictures := make(chan arrived, 8)
	judged := together(func() { w.judge(pictures) })
	free := sync.Pool{New: func() any { b := make([]byte, scene.I420Size); return &b }}
	for {
		picture := free.Get().(*[]byte)
		if _, err := io.ReadFull(w.in, *picture); err != nil {
			break
		}
		pictures <- arrived{time.Since(w.begin), picture}
	}
	close(pictures)
	<-judged
}

func (w *watch) judge(pictures <-chan arrived) {
	judge := scene.NewJudge(w.scene)
	announce := sync.OnceFunc(func() { close(w.first) })
	for a := range pictures {
		verdict := judge.Compare(*a.picture)
		w.seen = append(w.seen, seen{a.at, verdict})
		if !verdict.Wrong {
			announce()
		}
	}
}

// shown joins what was seen with what was sent. Pictures from before the first right one are left out, and so is one that
// comes again.
func (w *watch) shown(f *feed) []score.Shown {
	var out []score.Shown
	last := -1
	for _, s := range w.seen {
		wrong := s.verdict.Wrong
		sent, known := f.sentAt(s.verdict.Number)
		if !known {
			wrong = true
		}
		if (wrong && out == nil) || (!wrong && s.verdict.Number == last) {
			continue
		}
		if !wrong {
			last = s.verdict.Number
		}
		out = append(out, score.Shown{Sent: sent, At: s.at, Wrong: wrong, PSNR: s.verdict.PSNR})
	}
	return out
}
