// SPDX-License-Identifier: Apache-2.0

package score

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// steady are pictures each 33 ms that take 20 ms each, of which some are changed.
func steady(n int, change func(i int, s *Shown) (keep bool)) []Shown {
	var out []Shown
	for i := range n {
		sent := time.Duration(i) * 33 * ms
		s := Shown{Sent: sent, At: sent + 20*ms}
		if change == nil || change(i, &s) {
			out = append(out, s)
		}
	}
	return out
}

func TestWatch(t *testing.T) {
	tests := []struct {
		name     string
		shown    []Shown
		from, to time.Duration
		want     Screen
	}{
		{"steady", steady(100, nil), 100 * ms, 3000 * ms, Screen{}},
		{"nothing came", nil, 100 * ms, 1100 * ms, Screen{Frozen: 1000 * ms, Longest: 1000 * ms}},
		// Until picture 1 at 53 ms.
		{"late begin", steady(100, func(i int, _ *Shown) bool { return i > 0 }), 0, 1000 * ms, Screen{Frozen: 53 * ms, Longest: 53 * ms}},
		// Picture 9, sent at 297, is too old from 447 on, until picture 20 comes at 680.
		{"a stop", steady(100, func(i int, _ *Shown) bool { return i < 10 || i >= 20 }), 100 * ms, 3000 * ms,
			Screen{Frozen: 233 * ms, Longest: 233 * ms}},
		{"short stops do not count", steady(100, func(i int, _ *Shown) bool { return i%3 == 0 }), 200 * ms, 3000 * ms, Screen{}},
		{"the end stands still", steady(10, nil), 100 * ms, 1000 * ms, Screen{Frozen: 553 * ms, Longest: 553 * ms}},
		{"wrong ones", steady(100, func(i int, s *Shown) bool { s.Wrong = i == 10 || i == 11 || i == 20; return true }), 100 * ms, 3000 * ms,
			Screen{Wrong: 99 * ms, Longest: 66 * ms}},
		{"from before", steady(100, func(i int, s *Shown) bool { s.Wrong = i == 0; return true }), 40 * ms, 1000 * ms,
			Screen{Wrong: 13 * ms, Longest: 13 * ms}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Watch(tt.shown, tt.from, tt.to, OldAfter)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithin(t *testing.T) {
	shown := steady(10, nil)
	got := Within(shown, 20*ms, 86*ms)
	if diff := cmp.Diff(shown[1:3], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := len(Within(shown, time.Hour, 2*time.Hour)); got != 0 {
		t.Errorf("got %d pictures after the last, want none", got)
	}
}

func TestDelaysLeaveWrongPicturesOut(t *testing.T) {
	got := Delays(steady(3, func(i int, s *Shown) bool { s.Wrong = i == 1; return true }))
	if diff := cmp.Diff([]time.Duration{20 * ms, 20 * ms}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2, 5}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.625: 3.5, 1: 5} {
		if got := Quantile(values, q); got != want {
			t.Errorf("%v: got %v, want %v", q, got, want)
		}
	}
	if values[0] != 4 {
		t.Error("the values were sorted in place")
	}
	if got := Quantile([]time.Duration(nil), 0.5); got != 0 {
		t.Errorf("none: got %v, want 0", got)
	}
}

func TestRecovered(t *testing.T) {
	// 8 s at full rate, 8 s at a third, 3 s of climbing, full again.
	var tenths []int64
	for i := range 240 {
		switch {
		case i < 80 || i >= 190:
			tenths = append(tenths, 300)
		default:
			tenths = append(tenths, 100)
		}
	}
	got, ok := Recovered(tenths, 160, 160, 0.9)
	if want := 2900 * ms; !ok || got != want {
		t.Errorf("got %v, %t, want %v", got, ok, want)
	}
	if got, ok := Recovered(tenths[:185], 160, 160, 0.9); ok {
		t.Errorf("never back: got %v", got)
	}
}
