// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"net/netip"
	"testing"
	"time"
)

func TestSourceFilter(t *testing.T) {
	const (
		peer      = "192.0.2.1:5005"
		peerPort2 = "192.0.2.1:40000"
		peerHome2 = "192.0.2.2:5005" // the peer's name has this address too
		stranger  = "198.51.100.7:5005"
		stranger2 = "198.51.100.8:5005"
	)
	type event struct {
		at   time.Duration
		from string
		ssrc uint32
		want verdict
	}
	const ms = time.Millisecond
	tests := []struct {
		name   string
		events []event
	}{
		{"one source", []event{
			{0, peer, 1, begin}, {10 * ms, peer, 1, accept}, {5000 * ms, peer, 1, accept},
		}},
		{"stranger is ignored while the peer is alive", []event{
			{0, peer, 1, begin}, {10 * ms, stranger, 9, ignore}, {1900 * ms, stranger, 9, ignore}, {1990 * ms, peer, 1, accept},
		}},
		{"peer displaces a stranger at once", []event{
			{0, stranger, 9, begin}, {10 * ms, peer, 1, begin}, {20 * ms, stranger, 9, ignore},
		}},
		{"a second stranger waits", []event{
			{0, stranger, 9, begin}, {1000 * ms, stranger2, 8, ignore}, {2000 * ms, stranger2, 8, begin},
		}},
		{"same socket, new SSRC: started again", []event{
			{0, peer, 1, begin}, {10 * ms, peer, 2, begin}, {11 * ms, peer, 1, ignore}, {12 * ms, peer, 2, accept},
		}},
		{"new port and SSRC after a kill: soon", []event{
			{0, peer, 1, begin}, {100 * ms, peerPort2, 2, ignore}, {499 * ms, peerPort2, 2, ignore}, {500 * ms, peerPort2, 2, begin},
		}},
		{"two senders at one peer do not take turns", []event{
			{0, peer, 1, begin}, {33 * ms, peerPort2, 2, ignore}, {34 * ms, peer, 1, accept}, {66 * ms, peerPort2, 2, ignore},
			{67 * ms, peer, 1, accept},
		}},
		{"peer's other address goes on with the stream", []event{
			{0, peer, 1, begin}, {10 * ms, peerHome2, 1, accept}, {20 * ms, peerHome2, 1, accept},
		}},
		{"unknown address with our SSRC must wait", []event{
			{0, peer, 1, begin}, {10 * ms, stranger, 1, ignore}, {400 * ms, peer, 1, accept}, {900 * ms, stranger, 1, accept},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := sourceFilter{trusted: func(a netip.Addr) bool {
				return a == netip.MustParseAddr("192.0.2.1") || a == netip.MustParseAddr("192.0.2.2")
			}}
			start := time.Now()
			for i, e := range tt.events {
				if got := f.see(start.Add(e.at), netip.MustParseAddrPort(e.from), e.ssrc); got != e.want {
					t.Fatalf("event %d (%v %s %d): got verdict %d, want %d", i, e.at, e.from, e.ssrc, got, e.want)
				}
			}
		})
	}
}

func TestSourceFilterEnd(t *testing.T) {
	f := sourceFilter{trusted: func(netip.Addr) bool { return true }}
	start, from := time.Now(), netip.MustParseAddrPort("192.0.2.1:5005")
	f.see(start, from, 1)
	if f.expire(start.Add(streamTimeout - 1)) {
		t.Error("expired before its time")
	}
	if !f.expire(start.Add(streamTimeout)) {
		t.Error("did not expire")
	}
	if got := f.see(start.Add(streamTimeout), from, 1); got != begin {
		t.Errorf("same SSRC after silence: got %d, want begin", got)
	}
	f.end(start.Add(streamTimeout))
	if got := f.see(start.Add(streamTimeout+time.Millisecond), from, 1); got != ignore {
		t.Errorf("straggler after goodbye: got %d, want ignore", got)
	}
	if got := f.see(start.Add(streamTimeout+handover), from, 1); got != begin {
		t.Errorf("same SSRC long after goodbye: got %d, want begin", got)
	}
}
