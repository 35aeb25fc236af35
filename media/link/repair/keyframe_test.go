// SPDX-License-Identifier: Apache-2.0

package link

import (
	"testing"
	"time"
)

// Beginnings of H.264 payloads. In the second byte of a slice the top bit is set in a picture's first slice only.
var (
	spsUnit    = []byte{0x67, 0x42, 0xc0, 0x1f}
	idrUnit    = []byte{0x65, 0x88, 0x84}
	idrSecond  = []byte{0x65, 0x04, 0x84}
	deltaUnit  = []byte{0x41, 0x9a, 0x02}
	idrFUStart = []byte{0x7c, 0x85, 0x88}
)

func TestH264KeyFrame(t *testing.T) {
	tests := []struct {
		name     string
		payload  []byte
		sps, idr bool
	}{
		{"empty", nil, false, false},
		{"one byte", []byte{0x65}, false, false},
		{"delta", deltaUnit, false, false},
		{"sps", spsUnit, true, false},
		{"idr", idrUnit, false, true},
		{"second slice of an idr", idrSecond, false, false},
		{"first fragment", idrFUStart, false, true},
		{"first fragment of the second slice", []byte{0x7c, 0x85, 0x08}, false, false},
		{"first fragment without a body", []byte{0x7c, 0x85}, false, false},
		{"later fragment", []byte{0x7c, 0x05, 0x88}, false, false},
		{"sps, pps and idr in one packet", []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88}, true, true},
		{"aggregate cut short", []byte{0x78, 0, 2, 0x67, 0x42, 0, 9, 0x65}, true, false},
		{"aggregate of nothing", []byte{0x78, 0, 0, 0, 0}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if sps, idr := h264KeyFrame(tt.payload); sps != tt.sps || idr != tt.idr {
				t.Errorf("got sps %t, idr %t, want %t, %t", sps, idr, tt.sps, tt.idr)
			}
		})
	}
}

func TestPicture(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		at      time.Duration
		number  uint16 // 0: time passes only
		payload []byte
		want    bool // a request goes out
	}
	head := []step{{0, 1, spsUnit, false}, {1 * ms, 2, idrUnit, false}}
	tests := []struct {
		name  string
		steps []step
	}{
		{"from the start", append(head, step{33 * ms, 3, deltaUnit, false}, step{5000 * ms, 0, nil, false})},
		{"joined late", []step{
			{0, 1, deltaUnit, true}, {33 * ms, 2, deltaUnit, false}, {249 * ms, 0, nil, false}, {250 * ms, 0, nil, true},
			{260 * ms, 3, spsUnit, false}, {261 * ms, 4, idrUnit, false}, {600 * ms, 5, deltaUnit, false},
		}},
		{"key frame without parameter sets is none", []step{{0, 1, idrUnit, true}, {300 * ms, 2, deltaUnit, true}}},
		{"parameter sets but no key frame", []step{{0, 1, spsUnit, false}, {29 * ms, 0, nil, false}, {30 * ms, 0, nil, true}}},
		{"lost", append(head, step{33 * ms, 4, deltaUnit, false}, step{62 * ms, 0, nil, false}, step{63 * ms, 0, nil, true})},
		{"late in time", append(head, step{33 * ms, 4, deltaUnit, false}, step{40 * ms, 3, deltaUnit, false}, step{500 * ms, 0, nil, false})},
		{"key frame came meanwhile", append(head, step{33 * ms, 4, deltaUnit, false}, step{40 * ms, 5, idrUnit, false}, step{500 * ms, 0, nil, false})},
		{"second slice heals nothing", append(head, step{33 * ms, 4, idrSecond, false}, step{63 * ms, 0, nil, true})},
		{"lost within the key frame", append(head, step{2 * ms, 4, deltaUnit, false}, step{32 * ms, 0, nil, true})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			p, s := picture{needed: true}, sequence{clockRate: 90000}
			for i, st := range tt.steps {
				now := start.Add(st.at)
				if st.number != 0 {
					n, before, at := s.add(now, st.number, 0)
					p.packet(now, st.payload, n, before, at)
				}
				got, next := p.ask(now, &s)
				if got != st.want {
					t.Fatalf("step %d at %v: got request %t, want %t", i, st.at, got, st.want)
				}
				if !next.IsZero() && !next.After(now) {
					t.Fatalf("step %d at %v: asked to come back at %v, want later than now", i, st.at, next.Sub(start))
				}
			}
		})
	}
}

// TestPictureFlood checks that a stream full of holes neither grows without bounds nor asks without end.
func TestPictureFlood(t *testing.T) {
	p, s := picture{needed: true}, sequence{clockRate: 90000}
	now, asked := time.Unix(1000, 0), 0
	for i := range 10_000 {
		now = now.Add(100 * time.Microsecond)
		n, before, at := s.add(now, uint16(2*i), 0)
		p.packet(now, deltaUnit, n, before, at)
		if yes, _ := p.ask(now, &s); yes {
			asked++
		}
		if len(p.gaps) > maxGaps {
			t.Fatalf("got %d gaps, want at most %d", len(p.gaps), maxGaps)
		}
	}
	if want := 4; asked != want {
		t.Errorf("got %d requests in one second, want %d", asked, want)
	}
}
