// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

// TestSentPackets sends packets over several wraps of their numbers. All that come, and those that do not, must be told once,
// at the times at which they came.
func TestSentPackets(t *testing.T) {
	const ms = time.Millisecond
	l, recorder := &sentPackets{}, twcc.NewRecorder(1)
	var acks []result
	settle := func() {
		t.Helper()
		for _, p := range recorder.BuildFeedbackPacket() {
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			report := &rtcp.TransportLayerCC{}
			if err := report.Unmarshal(b); err != nil {
				t.Fatal(err)
			}
			acks = l.report(acks, report)
			acks = l.report(acks, report) // comes twice
		}
	}
	const packets = 150_000
	sent := simStart
	for n := range packets {
		sent = sent.Add(ms)
		number := l.add(sent, Picture, 100+n%100)
		if n%7 == 0 {
			l.leaves(number, sent.Add(3*ms))
		}
		if n%10 != 3 {
			recorder.Record(2, number, int64(n)*1000+20_000)
		}
		if n%25 == 24 {
			settle()
		}
	}
	if len(acks) != packets {
		t.Fatalf("got %d, want each of %d once", len(acks), packets)
	}
	for n, got := range acks {
		want := result{sent: simStart.Add(time.Duration(n+1) * ms), size: 100 + n%100, lost: n%10 == 3}
		if n%7 == 0 {
			want.sent = want.sent.Add(3 * ms)
		}
		arrived := time.Duration(n)*ms + 20*ms
		if off := got.arrived - arrived; !want.lost && (off < -ms || off > ms) {
			t.Fatalf("packet %d: came at %v, want %v", n, got.arrived, arrived)
		}
		got.arrived = 0
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
			t.Fatalf("packet %d (-want +got):\n%s", n, diff)
		}
	}
}

// FuzzReport lets a peer report anything.
func FuzzReport(f *testing.F) {
	recorder := twcc.NewRecorder(1)
	for n := range uint16(40) {
		if n%7 != 3 {
			recorder.Record(2, n, int64(n)*int64(n)*1000)
		}
	}
	for _, p := range recorder.BuildFeedbackPacket() {
		if b, err := p.Marshal(); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		report := &rtcp.TransportLayerCC{}
		if report.Unmarshal(b) != nil {
			return
		}
		c := NewController(DefaultMinBitrate, DefaultMaxBitrate)
		for range 100 {
			c.Sent(simStart, Picture, 1200)
		}
		for range 3 {
			if picture, all, _ := c.Report(simStart.Add(time.Second), report); picture < DefaultMinBitrate || picture > DefaultMaxBitrate || all <= 0 {
				t.Errorf("rates of %d and %d", picture, all)
			}
		}
	})
}

// TestSentPacketsUnacknowledged counts what the peer of a session misses in a row, of each stream by itself.
func TestSentPacketsUnacknowledged(t *testing.T) {
	l, recorder := &sentPackets{}, twcc.NewRecorder(1)
	now, at := simStart, int64(0)
	send := func(of Stream, arrives bool) {
		now, at = now.Add(time.Millisecond), at+1000
		if number := l.add(now, of, 100); arrives {
			recorder.Record(2, number, at)
		}
	}
	settle := func() {
		t.Helper()
		for _, p := range recorder.BuildFeedbackPacket() {
			report, ok := p.(*rtcp.TransportLayerCC)
			if !ok {
				t.Fatalf("got a %T", p)
			}
			l.report(nil, report)
		}
	}
	want := func(when string, n uint64) {
		t.Helper()
		if got := l.unacknowledged(); got != n {
			t.Errorf("%s: got %d unacknowledged, want %d", when, got, n)
		}
	}
	want("at first", 0)
	for range 100 {
		for range 1000 {
			l.skip(Picture)
		}
		send(Picture, true)
		settle()
	}
	want("when packets are left out here and there", 0)
	for range 500 {
		l.skip(Picture)
		send(Picture, false)
		send(Sound, true)
	}
	settle()
	want("when all pictures are lost and sound is not", 1000)
	send(Parity, true)
	settle()
	want("when parity comes", 1000)
	send(Picture, true)
	want("before the peer says so", 1001)
	settle()
	want("when a picture comes", 0)
}
