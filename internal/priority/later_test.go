// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestLater has an rtkit that is busy for a while.
func TestLater(t *testing.T) {
	const pause = 20 * time.Millisecond
	denied := errors.New("denied")
	tests := []struct {
		name    string
		answers []error // one after the other; then none
		pauses  int
		want    string
	}{
		{"granted at once", []error{nil}, 2, "granted"},
		{"refused for good", []error{denied}, 2, "denied"},
		{"busy once", []error{ErrBusy, nil}, 2, "busy, granted"},
		{"refused later", []error{ErrBusy, denied}, 2, "busy, denied"},
		{"busy without end", []error{ErrBusy, ErrBusy, ErrBusy}, 2, "busy, busy, busy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			answered := make(chan error, len(tt.answers)+1)
			l := NewLater(func(tid int) error {
				if asked++; tid != 4711 || asked > len(tt.answers) {
					return fmt.Errorf("asked for thread %d, time %d", tid, asked)
				}
				return tt.answers[asked-1]
			}, func(_ int, err error) { answered <- err }, []time.Duration{pause, pause}[:tt.pauses])
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() { defer close(ended); l.Run(ctx) }()
			l.RealTime(4711)
			said := ""
			for i := range tt.answers {
				if i > 0 {
					said += ", "
				}
				said += inWords(<-answered)
			}
			// Nothing waits any more, so nothing more is asked.
			if due, waits := l.next(); waits {
				t.Errorf("would ask again at %v", due)
			}
			cancel()
			<-ended
			if diff := cmp.Diff(tt.want, said); diff != "" || len(answered) > 0 {
				t.Errorf("%d more answers (-want +got):\n%s", len(answered), diff)
			}
		})
	}
}

func inWords(err error) string {
	switch {
	case err == nil:
		return "granted"
	case errors.Is(err, ErrBusy):
		return "busy"
	}
	return err.Error()
}

// TestLaterAsksForEach has two threads wait for different times, and Run begin when both do.
func TestLaterAsksForEach(t *testing.T) {
	const pause = 50 * time.Millisecond
	asked := make(map[int]int)
	type answer struct {
		tid int
		err error
	}
	answered := make(chan answer, 8)
	begun := time.Now()
	l := NewLater(func(tid int) error {
		if asked[tid]++; asked[tid] == 1 {
			return ErrBusy
		}
		if early := pause - time.Since(begun); early > 0 {
			t.Errorf("asked again for %d early by %v", tid, early)
		}
		return nil
	}, func(tid int, err error) { answered <- answer{tid, err} }, []time.Duration{pause})
	l.RealTime(1)
	l.RealTime(2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	got := []answer{<-answered, <-answered, <-answered, <-answered}
	cancel()
	<-ended
	want := []answer{{1, ErrBusy}, {2, ErrBusy}, {1, nil}, {2, nil}}
	for i := range want {
		if got[i].tid != want[i].tid || !errors.Is(got[i].err, want[i].err) {
			t.Errorf("answer %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

// TestPauses: the first question again comes when rtkit's 20 seconds are over, and they end.
func TestPauses(t *testing.T) {
	if p := Pauses(); p[0] <= 20*time.Second || len(p) > 8 {
		t.Errorf("got pauses of %v", p)
	}
}

// TestRealLater asks an rtkit on a bus of its own, which is busy at first.
func TestRealLater(t *testing.T) {
	fake := startFakeRTKit(t, testbed.DBus(t))
	busy := true
	fake.answer = func() string {
		defer func() { busy = false }()
		if busy {
			return "Device or resource busy"
		}
		return ""
	}
	answered := make(chan error, 2)
	l := NewLater(askRTKit, func(_ int, err error) { answered <- err }, []time.Duration{time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	l.RealTime(4711)
	if err := <-answered; !errors.Is(err, ErrBusy) {
		t.Errorf("at first: got %v, want ErrBusy", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("later: got %v", err)
	}
	cancel()
	<-ended
	want := [2]uint64{4711, realTime}
	if first, second := <-fake.asked, <-fake.asked; first != want || second != want {
		t.Errorf("rtkit was asked for %v and %v, want %v", first, second, want)
	}
}
