// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCourtesy(t *testing.T) {
	tests := []struct {
		name    string
		skipped []int // one look each second
		want    []int64
	}{
		{"OBS well", []int{7, 7, 7, 7}, []int64{1, 1, 1, 1}},
		{"first count is no rise", []int{1000, 1000}, []int64{1, 1}},
		{"a stray one is no reason", []int{0, 1, 2, 3, 4}, []int64{1, 1, 1, 1, 1}},
		{"one bad second", []int{0, 3, 3, 3, 3, 3, 3, 3}, []int64{1, 2, 2, 2, 2, 2, 1, 1}},
		{"down to the slowest, which helps", []int{0, 4, 8, 10, 11, 12, 13, 14, 15}, []int64{1, 2, 4, 4, 4, 4, 4, 4, 2}},
		{"of no use, so not again", []int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, []int64{1, 2, 4, 4, 4, 4, 4, 1, 1, 1}},
		{"OBS restarted", []int{50, 0, 0, 0}, []int64{1, 1, 1, 1}},
		{"too early, so longer", []int{0, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4}, []int64{1, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c courtesy
			now := time.Unix(0, 0)
			var got []int64
			for _, n := range tt.skipped {
				c.observe(n, now)
				got = append(got, c.divisor())
				now = now.Add(time.Second)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestScreenshotPumpHoldsItsRate(t *testing.T) {
	tests := []struct {
		name  string
		take  time.Duration // each screenshot
		fps   int
		least int // in one second
		most  int
	}{
		{"fast enough", time.Millisecond, 25, 22, 27},
		{"too slow for 50, every other picture", 30 * time.Millisecond, 50, 20, 26},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var pushed atomic.Int64
			var size atomic.Value
			p := ScreenshotPump{
				Format: VideoFormat{641, 361, tt.fps, 1},
				Shoot: func(ctx context.Context, w, h int) ([]byte, error) {
					size.Store([2]int{w, h})
					time.Sleep(tt.take)
					return []byte("image"), nil
				},
				Push: func([]byte) { pushed.Add(1) },
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := p.Run(ctx); err != nil {
				t.Fatal(err)
			}
			if n := int(pushed.Load()); n < tt.least || n > tt.most {
				t.Errorf("got %d pictures in a second, want %d to %d", n, tt.least, tt.most)
			}
			if got, want := size.Load(), [2]int{640, 360}; got != want {
				t.Errorf("got size %v, want %v", got, want)
			}
		})
	}
}

// TestScreenshotPumpGivesWay has an OBS that misses more and more frames.
func TestScreenshotPumpGivesWay(t *testing.T) {
	t.Parallel()
	var pushed, missed atomic.Int64
	p := ScreenshotPump{
		Format:  VideoFormat{640, 360, 50, 1},
		Shoot:   func(context.Context, int, int) ([]byte, error) { return []byte("image"), nil },
		Skipped: func() (int, bool) { n := missed.Add(10); return int(n), n > 10 },
		Push:    func([]byte) { pushed.Add(1) },
	}
	// Nothing is known in the first look. The second has nothing to compare with, and the third slows down.
	ctx, cancel := context.WithTimeout(t.Context(), 4*skipCheck+skipCheck/2)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	// At 50 for 3 s, at 25 for 1 s, and at 12.5 for half a second.
	if n := pushed.Load(); n < 140 || n > 192 {
		t.Errorf("got %d pictures, want about 180 instead of 225", n)
	}
}

func TestScreenshotPumpRetries(t *testing.T) {
	pushed := make(chan []byte, 1)
	var shots atomic.Int64
	p := ScreenshotPump{
		Format: VideoFormat{640, 360, 30, 1},
		Shoot: func(context.Context, int, int) ([]byte, error) {
			if shots.Add(1) <= 2 {
				return nil, errors.New("no such scene")
			}
			return []byte("image"), nil
		},
		Push: func(b []byte) {
			select {
			case pushed <- b:
			default:
			}
		},
	}
	start(t, p.Run)
	await(t, "a picture after two failures", pushed, 5*time.Second, func([]byte) bool { return true })
}

func TestScreenshotPumpRefusesFormat(t *testing.T) {
	p := ScreenshotPump{Format: VideoFormat{0, 0, 30, 1}}
	if err := p.Run(t.Context()); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}
