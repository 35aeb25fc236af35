// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
	"github.com/costream-obs/costream-obs/media/link/jitter"
)

func TestKeyFrameRequester(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		at      time.Duration
		number  uint16 // 0: time passes only
		payload []byte
		want    bool // a request goes out
	}
	head := []step{{0, 1, linktest.SPSUnit, false}, {1 * ms, 2, linktest.IDRUnit, false}}
	tests := []struct {
		name  string
		steps []step
	}{
		{"from the start", append(head, step{33 * ms, 3, linktest.DeltaUnit, false}, step{5000 * ms, 0, nil, false})},
		{"joined late", []step{
			{0, 1, linktest.DeltaUnit, true}, {33 * ms, 2, linktest.DeltaUnit, false}, {249 * ms, 0, nil, false}, {250 * ms, 0, nil, true},
			{260 * ms, 3, linktest.SPSUnit, false}, {261 * ms, 4, linktest.IDRUnit, false}, {600 * ms, 5, linktest.DeltaUnit, false},
		}},
		{"key frame without parameter sets is none", []step{{0, 1, linktest.IDRUnit, true}, {300 * ms, 2, linktest.DeltaUnit, true}}},
		{"parameter sets but no key frame", []step{{0, 1, linktest.SPSUnit, false}, {29 * ms, 0, nil, false}, {30 * ms, 0, nil, true}}},
		{"lost", append(head, step{33 * ms, 4, linktest.DeltaUnit, false}, step{62 * ms, 0, nil, false}, step{63 * ms, 0, nil, true})},
		{"late in time", append(head, step{33 * ms, 4, linktest.DeltaUnit, false}, step{40 * ms, 3, linktest.DeltaUnit, false}, step{500 * ms, 0, nil, false})},
		{"key frame came meanwhile", append(head, step{33 * ms, 4, linktest.DeltaUnit, false}, step{40 * ms, 5, linktest.IDRUnit, false}, step{500 * ms, 0, nil, false})},
		{"second slice heals nothing", append(head, step{33 * ms, 4, linktest.IDRSecond, false}, step{63 * ms, 0, nil, true})},
		{"lost within the key frame", append(head, step{2 * ms, 4, linktest.DeltaUnit, false}, step{32 * ms, 0, nil, true})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			p, s := KeyFrameRequester{needed: true}, jitter.NewSequence(90000)
			for i, st := range tt.steps {
				now := start.Add(st.at)
				if st.number != 0 {
					n, before, at := s.Add(now, st.number, 0)
					p.Packet(now, st.payload, n, before, at)
				}
				got, next := p.Ask(now, &s)
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

// TestKeyFrameRequesterFlood checks that a stream full of holes neither grows without bounds nor asks without end.
func TestKeyFrameRequesterFlood(t *testing.T) {
	p, s := KeyFrameRequester{needed: true}, jitter.NewSequence(90000)
	now, asked := time.Unix(1000, 0), 0
	for i := range 10_000 {
		now = now.Add(100 * time.Microsecond)
		n, before, at := s.Add(now, uint16(2*i), 0)
		p.Packet(now, linktest.DeltaUnit, n, before, at)
		if yes, _ := p.Ask(now, &s); yes {
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
