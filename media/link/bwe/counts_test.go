// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
)

// TestCounts sends numbered packets of which some are lost, sent again, or overtaken, and compares what both sides count.
func TestCounts(t *testing.T) {
	const again = 100 * time.Millisecond
	now := time.Now()
	sender, receiver := NewController(DefaultMinBitrate, DefaultMaxBitrate), NewFeedbackRecorder(now, 7)
	arrive := func(number uint16, later time.Duration) {
		receiver.Arrived(now.Add(later), Arrival{SSRC: 8, Number: number, Bytes: 100, Again: again})
	}
	packet := make([]byte, rtpHeaderSize)
	packet[0] = 2 << 6
	for range 20 {
		number := sender.Sent(now, Picture, 100)
		if number == 5 || number == 8 { // 8 is asked for too early: it was only on its way
			sender.Asked(AppendNumber(nil, packet, number, false))
		}
	}
	sender.Resent(100)
	ms := time.Millisecond
	for _, packet := range []struct {
		number uint16
		later  time.Duration
	}{
		{0, 0}, {1, ms}, {3, 3 * ms}, {2, 4 * ms}, // 2 is overtaken
		{4, 5 * ms}, {7, 6 * ms}, // 5 and 6 are lost
		{8, 7 * ms}, {5, 150 * ms}, // 5 is sent again
		{9, 151 * ms}, {9, 152 * ms}, // 9 comes twice
	} {
		arrive(packet.number, packet.later)
	}
	if diff := cmp.Diff(Counts{Bytes: 1000, Packets: 10, Lost: 2}, receiver.Counts()); diff != "" {
		t.Errorf("what came (-want +got):\n%s", diff)
	}
	receiver.Report(func(b []byte) {
		var report rtcp.TransportLayerCC
		if err := report.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		sender.Report(now.Add(200*ms), &report)
	})
	if diff := cmp.Diff(Counts{Bytes: 2100, Packets: 10, Lost: 2}, sender.Counts()); diff != "" {
		t.Errorf("what was sent (-want +got):\n%s", diff)
	}
}
