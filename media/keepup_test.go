// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestThin leaves every other picture out. Those do not count as dropped.
func TestThin(t *testing.T) {
	f := VideoFormat{160, 90, 60, 1}
	s, _ := newImageSender(t, f, jpegOf(t, filled(f.W, f.H, orange)), func([]byte) {})
	s.Thin(2)
	testbed.Await(t, "150 pictures", 2*soon, func() error {
		if n := s.Stats().Frames; n < 75 {
			return fmt.Errorf("got %d encoded", n)
		}
		return nil
	})
	left, frames := s.thinner.Held(), s.Stats().Frames
	if left+2 < frames || left > frames+2 {
		t.Errorf("%d pictures were encoded and %d left out", frames, left)
	}
	dropped, known := s.Dropped()
	if images := s.Stats().Images; !known || frames+dropped+left > images {
		t.Errorf("of %d pictures %d were encoded, %d left out and %d dropped", images, frames, left, dropped)
	}
}

func TestThinnedBitrate(t *testing.T) {
	for every, want := range map[int]int{0: 1000, 1: 1000, 2: 1500, 4: 2500} {
		b, got := thinned{}, 0
		b.every.Store(int64(every))
		if b.set(1000, func(kbps int) { got = kbps }); got != want {
			t.Errorf("one in %d: got %d kbit/s, want %d", every, got, want)
		}
	}
}

// TestThinnedVBV: a picture may take as much of the link's time as where none is left out, whatever the encoder is told.
func TestThinnedVBV(t *testing.T) {
	for _, kbps := range []int{300, 1000, 3000, 6000} {
		for _, every := range []int{0, 1, 2, 4} {
			b := thinned{}
			b.every.Store(int64(every))
			var set int
			b.set(kbps, func(kbps int) { set = kbps })
			got, want := set*b.vbv(set)/kbps, liveVBVMillis(kbps)
			if got > want || got < want*9/10 {
				t.Errorf("one in %d at %d kbit/s: a picture may take %d ms of the link, want %d", every, kbps, got, want)
			}
		}
	}
}

// TestThinnedAtOnce has the link and the machine change the bitrate at the same time: what the encoder has fits both.
func TestThinnedAtOnce(t *testing.T) {
	for range 200 {
		var b thinned
		var last atomic.Int64
		apply := func(kbps int) {
			runtime.Gosched() // The other one goes on, if it may.
			last.Store(int64(kbps))
		}
		b.set(1000, apply)
		var both sync.WaitGroup
		both.Add(2)
		go func() { defer both.Done(); b.thin(4, apply) }()
		go func() { defer both.Done(); b.set(2000, apply) }()
		both.Wait()
		if got := last.Load(); got != 5000 {
			t.Fatalf("got %d kbit/s, want 5000", got)
		}
	}
}
