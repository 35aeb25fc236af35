// SPDX-License-Identifier: Apache-2.0

package pipe

import (
	"errors"
	"testing"
	"time"
)

// TestMeter measures an element that takes 2 ms for each buffer, and an encoder, which shifts the time of what it makes.
func TestMeter(t *testing.T) {
	const count = 20
	for _, test := range []struct {
		name, text  string
		least, most time.Duration // for each buffer
	}{
		{"sleeper", "videotestsrc num-buffers=20 ! identity name=measured sleep-time=2000 ! fakesink", 2 * time.Millisecond, time.Second},
		{"encoder", "videotestsrc num-buffers=20 name=source ! x264enc name=measured tune=zerolatency speed-preset=ultrafast ! fakesink", time.Microsecond, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := mustParse(t, test.text)
			e, err := p.Element("measured")
			if err != nil {
				t.Fatal(err)
			}
			m := e.Meter()
			if err := p.Run(t.Context()); !errors.Is(err, ErrEnded) {
				t.Fatalf("got %v, want ErrEnded", err)
			}
			got := m.Read()
			if got.Entered != count || got.Left != count {
				t.Errorf("%d buffers entered and %d left, want %d", got.Entered, got.Left, count)
			}
			if each := got.Busy / count; each < test.least || each > test.most {
				t.Errorf("got %v for each buffer, want %v to %v", each, test.least, test.most)
			}
		})
	}
}

func TestSourceMeter(t *testing.T) {
	p := mustParse(t, "videotestsrc num-buffers=20 name=source ! fakesink")
	e, err := p.Element("source")
	if err != nil {
		t.Fatal(err)
	}
	m := e.SourceMeter()
	if err := p.Run(t.Context()); !errors.Is(err, ErrEnded) {
		t.Fatalf("got %v, want ErrEnded", err)
	}
	if got := m.Read(); got.Entered != 20 {
		t.Errorf("got %d buffers, want 20", got.Entered)
	}
}
