// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// testPacer is a pacer that keeps what leaves: packets of 1200 bytes at 1.2 Mbit/s, which is 125 a second.
type testPacer struct {
	*Pacer
	*linktest.Clock
	left []int
}

func newTestPacer() *testPacer {
	tp := &testPacer{Clock: linktest.NewClock()}
	note := func(b []byte) { tp.left = append(tp.left, int(b[0])) }
	tp.Pacer = NewPacer(tp.Now, 1_200_000, note, note)
	return tp
}

func (tp *testPacer) packet(n int) []byte {
	b := make([]byte, 1200)
	b[0] = byte(n)
	return b
}

func (tp *testPacer) want(t *testing.T, when string, packets ...int) {
	t.Helper()
	if diff := cmp.Diff(packets, tp.left); diff != "" {
		t.Errorf("%s: what left differs (-want +got):\n%s", when, diff)
	}
	tp.left = nil
}

func TestPacer(t *testing.T) {
	p := newTestPacer()
	for n := range 20 {
		p.Put(p.packet(n))
	}
	p.want(t, "at once, as much as two usual pictures are", 0, 1, 2, 3, 4, 5, 6, 7, 8)
	p.PutAgain(p.packet(100))
	if wait := p.flush(); wait <= 0 || wait > 10*time.Millisecond {
		t.Errorf("wait %v, want the time of a packet", wait)
	}
	p.want(t, "nothing more yet")
	p.Pass(10 * time.Millisecond)
	p.flush()
	p.want(t, "what is sent again comes first", 100, 9)
	for range 50 {
		p.Pass(time.Millisecond)
		p.flush()
	}
	p.want(t, "1.5 times the rate", 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
	if wait := p.flush(); wait < time.Minute {
		t.Errorf("wait %v with nothing to send", wait)
	}
	p.Pass(time.Second)
	p.Put(p.packet(20))
	p.want(t, "after a pause", 20)
}

func TestPacerStale(t *testing.T) {
	p := newTestPacer()
	count, dropped := 0, 0
	for !p.Stale(func([]byte) { dropped++ }) {
		p.Put(p.packet(1))
		if count++; count > 1000 {
			t.Fatal("nothing is ever stale")
		}
	}
	// 9 leave at once, and 0.7 s are 88.
	if count < 96 || count > 98 {
		t.Errorf("stale after %d packets, want about 97", count)
	}
	if sent := len(p.left); dropped != count-sent {
		t.Errorf("%d of %d packets count as dropped, and %d were sent", dropped, count, sent)
	}
	p.left = nil
	p.Pass(time.Second)
	p.flush()
	p.want(t, "all is forgotten")
	// What is sent again was sent before, and is missing nowhere.
	for !p.Stale(func([]byte) { t.Error("a packet that was sent before counts as dropped") }) {
		p.PutAgain(p.packet(1))
	}
}

func BenchmarkPacer(b *testing.B) {
	p := NewPacer(time.Now, 1<<40, func([]byte) {}, func([]byte) {})
	d := make([]byte, 1200)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		p.Put(d)
	}
}
