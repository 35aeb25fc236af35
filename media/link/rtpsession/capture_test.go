// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// What a report maps to a time is the RTP time of what was captured then.
func TestSenderReportsTimeOfCapture(t *testing.T) {
	for _, tt := range []struct {
		medium Medium
		age    time.Duration
		want   uint32
	}{
		{Video, 0, 1000},
		{Video, 100 * time.Millisecond, 1000 + 9000},
		{Audio, 25 * time.Millisecond, 1000 + 1200},
		{Audio, -time.Second, 1000},
	} {
		s := newTestSender(t, tt.medium)
		s.write(t, linktest.Packet(t, 1, 1, nil))
		s.SetAge(tt.age)
		if _, err := s.writeRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: 1, RTPTime: 1000}}, nil); err != nil {
			t.Fatal(err)
		}
		packets, err := rtcp.Unmarshal(s.control[len(s.control)-1])
		if err != nil {
			t.Fatal(err)
		}
		if got := packets[0].(*rtcp.SenderReport).RTPTime; got != tt.want {
			t.Errorf("%v, %v old: got RTP time %d, want %d", tt.medium, tt.age, got, tt.want)
		}
	}
}

func TestReceiverKeepsSenderReport(t *testing.T) {
	r := newTestReceiver(t, Audio)
	from := netip.MustParseAddrPort(peerAddr)
	r.ReadRTP(from, linktest.Packet(t, 7, 1, nil))
	r.ReadRTCP(from, control(t, &rtcp.SenderReport{SSRC: 8, NTPTime: 1, RTPTime: 2}))
	if got := r.Stats(); got.SenderNTP != 0 || got.SenderRTP != 0 {
		t.Errorf("got the report of another stream: %d, %d", got.SenderNTP, got.SenderRTP)
	}
	r.ReadRTCP(from, control(t, &rtcp.SenderReport{SSRC: 7, NTPTime: 1 << 32, RTPTime: 4}))
	if got := r.Stats(); got.SenderNTP != 1<<32 || got.SenderRTP != 4 {
		t.Errorf("got NTP %d and RTP %d, want %d and 4", got.SenderNTP, got.SenderRTP, uint64(1)<<32)
	}
}
