// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestCompound(t *testing.T) {
	tests := []struct {
		name string
		in   []rtcp.Packet
	}{
		{"sender report", []rtcp.Packet{&rtcp.SenderReport{SSRC: 7}}},
		{"receiver report", []rtcp.Packet{&rtcp.ReceiverReport{SSRC: 7}}},
		{"key frame request", []rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 7, MediaSSRC: 8}}},
		{"goodbye", []rtcp.Packet{&rtcp.Goodbye{Sources: []uint32{7}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := compound(7, "name", tt.in...)
			if err != nil {
				t.Fatal(err)
			}
			var c rtcp.CompoundPacket
			if err := c.Unmarshal(b); err != nil {
				t.Fatalf("not a valid compound packet: %v", err)
			}
			if name, err := c.CNAME(); name != "name" || err != nil {
				t.Errorf("got CNAME %q, %v, want %q", name, err, "name")
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	sent := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	tests := []struct {
		name  string
		block rtcp.ReceptionReport
		after time.Duration
		want  time.Duration
	}{
		{"20 ms, of which none at the peer", rtcp.ReceptionReport{LastSenderReport: ntpMiddle(sent)}, 20 * time.Millisecond, 20 * time.Millisecond},
		{"520 ms, of which 500 at the peer", rtcp.ReceptionReport{LastSenderReport: ntpMiddle(sent), Delay: 1 << 15}, 520 * time.Millisecond, 20 * time.Millisecond},
		{"no sender report heard", rtcp.ReceptionReport{}, time.Second, 0},
		{"negative", rtcp.ReceptionReport{LastSenderReport: ntpMiddle(sent), Delay: 1 << 20}, time.Second, 0},
		{"over the wrap", rtcp.ReceptionReport{LastSenderReport: ntpMiddle(sent.Add(-18 * time.Hour))}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := roundTrip(sent.Add(tt.after), tt.block)
			if d := got - tt.want; d < -time.Millisecond || d > time.Millisecond {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSteadyClock holds that the clock of the reports takes no notice of the time of day.
func TestSteadyClock(t *testing.T) {
	before := time.Now()
	now := SteadyClock()
	got := now()
	after := time.Now()
	if got.Before(before) || got.After(after) || got.UnixNano() < before.UnixNano() || got.UnixNano() > after.UnixNano() {
		t.Errorf("got %v, want a time from %v to %v", got, before, after)
	}
	first, second := now(), now()
	if monotonic, wall := second.Sub(first), second.UnixNano()-first.UnixNano(); int64(monotonic) != wall {
		t.Errorf("%v and %d ns passed between two readings", monotonic, wall)
	}
}
