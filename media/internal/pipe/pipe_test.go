// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func mustParse(t *testing.T, text string) *Pipeline {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNoHugePages(t *testing.T) {
	mustParse(t, "fakesrc ! fakesink")
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(status, []byte("THP_enabled:\t1")) {
		t.Error("the kernel may still make huge pages for this process")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "fakesrc", "fakesrc ! ! fakesink", "nosuchelement ! fakesink", "fakesrc nosuch=1 ! fakesink"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

func TestNamesThatAreNotThere(t *testing.T) {
	p := mustParse(t, "fakesrc name=here ! fakesink")
	if _, err := p.Element("gone"); err == nil {
		t.Error("element: got no error")
	}
	if _, err := p.Source("here"); err == nil {
		t.Error("source: got no error for an element of another kind")
	}
	if _, err := p.Sink("here"); err == nil {
		t.Error("sink: got no error for an element of another kind")
	}
}

func TestDataPassesUnchanged(t *testing.T) {
	p := mustParse(t, "appsrc name=in is-live=true ! queue ! appsink name=out sync=false")
	in, err := p.Source("in")
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Sink("out")
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Push([]byte("early")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("push before the start: got %v, want ErrNotRunning", err)
	}
	const count = 200
	message := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i+1) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got [][]byte
	err = p.Run(ctx,
		func(ctx context.Context) {
			for i := range count {
				if err := in.Push(message(i)); err != nil {
					t.Error(err)
				}
			}
			if err := in.Push(nil); err != nil {
				t.Errorf("empty push: %v", err)
			}
		},
		func(ctx context.Context) {
			out.Pull(ctx, func(b []byte) {
				if got = append(got, bytes.Clone(b)); len(got) == count {
					cancel()
				}
			})
		})
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range got {
		if !bytes.Equal(g, message(i)) {
			t.Fatalf("buffer %d: got %d bytes of %d, want %d of %d", i, len(g), g[0], i+1, byte(i))
		}
	}
	if err := in.Push([]byte("late")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("push after the end: got %v, want ErrNotRunning", err)
	}
}

func TestRunEnds(t *testing.T) {
	t.Run("by its end of stream", func(t *testing.T) {
		p := mustParse(t, "fakesrc num-buffers=3 ! fakesink")
		if err := p.Run(t.Context()); !errors.Is(err, ErrEnded) {
			t.Errorf("got %v, want ErrEnded", err)
		}
	})
	t.Run("by a fault at the start", func(t *testing.T) {
		p := mustParse(t, "filesrc name=disk location=/no/such/file ! fakesink")
		err := p.Run(t.Context())
		var fault *Error
		if !errors.As(err, &fault) || fault.Element != "disk" || !strings.Contains(err.Error(), "/no/such/file") {
			t.Errorf("got %v, want an error of disk about the file", err)
		}
	})
	t.Run("by a fault later", func(t *testing.T) {
		p := mustParse(t, "fakesrc ! identity name=weak error-after=5 ! fakesink")
		var fault *Error
		if err := p.Run(t.Context()); !errors.As(err, &fault) || fault.Element != "weak" {
			t.Errorf("got %v, want an error of weak", err)
		}
	})
	t.Run("at once when its context ends", func(t *testing.T) {
		p := mustParse(t, "fakesrc sizetype=fixed sizemax=8 ! identity sleep-time=1000 ! appsink name=out sync=false")
		out, err := p.Sink("out")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen := 0
		var cancelled time.Time
		err = p.Run(ctx, func(ctx context.Context) {
			out.Pull(ctx, func([]byte) {
				if seen++; seen == 10 {
					cancelled = time.Now()
					cancel()
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(cancelled); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestStuckStartHasADeadline(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opening a fifo that nobody writes blocks for ever.
	p := mustParse(t, "filesrc location="+fifo+" ! fakesink")
	p.timeout = 200 * time.Millisecond
	begin := time.Now()
	err := p.Run(t.Context())
	if !errors.Is(err, ErrStuck) {
		t.Errorf("got %v, want ErrStuck", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	// Let the blocked thread go.
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
}

// 600 pictures of 1080p are 1.9 GB: any leak of buffers or samples shows at
// once.
func TestBuffersDoNotLeak(t *testing.T) {
	p := mustParse(t, "appsrc name=in is-live=true block=true max-buffers=2 ! queue max-size-buffers=2 max-size-bytes=0 ! appsink name=out sync=false max-buffers=2")
	in, err := p.Source("in")
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Sink("out")
	if err != nil {
		t.Fatal(err)
	}
	const count, warm, size = 600, 50, 1920 * 1080 * 3 / 2
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begin, end int64
	err = p.Run(ctx,
		func(ctx context.Context) {
			for i := 0; i < count && ctx.Err() == nil; i++ {
				if err := in.PushFunc(size, func(b []byte) {
					for at := 0; at < len(b); at += 4096 {
						b[at] = byte(i)
					}
				}); err != nil {
					return
				}
			}
		},
		func(ctx context.Context) {
			seen := 0
			out.Pull(ctx, func([]byte) {
				switch seen++; seen {
				case warm:
					begin = resident(t)
				case count:
					end = resident(t)
					cancel()
				}
			})
		})
	if err != nil {
		t.Fatal(err)
	}
	if grown := end - begin; grown > 40<<20 {
		t.Errorf("memory grew by %d MB over %d pictures of %d MB", grown>>20, count-warm, size>>20)
	}
}

// resident returns the memory of this process in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Error(err)
		return 0
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(raw), &total, &pages); err != nil {
		t.Error(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestForceKeyFrameNeedsAnEncoder(t *testing.T) {
	p := mustParse(t, "fakesrc name=first ! fakesink name=last")
	first, err := p.Element("first")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.ForceKeyFrame(); err == nil {
		t.Error("element without a sink pad: got no error")
	}
	last, err := p.Element("last")
	if err != nil {
		t.Fatal(err)
	}
	if err := last.ForceKeyFrame(); err == nil {
		t.Error("pipeline without an encoder: got no error")
	}
}

// TestWaitsEndWithTheContext: nothing comes out of the pipeline, and nothing is on its bus.
func TestWaitsEndWithTheContext(t *testing.T) {
	p := mustParse(t, "appsrc is-live=true ! appsink name=out sync=false async=false")
	out, err := p.Sink("out")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- p.Run(ctx, func(ctx context.Context) {
			close(waiting)
			out.Pull(ctx, func([]byte) { t.Error("got data out of nothing") })
		})
	}()
	<-waiting
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Second):
		t.Error("still waiting 2 s after the context has ended")
	}
}
