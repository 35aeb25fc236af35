// SPDX-License-Identifier: Apache-2.0

package jitter

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSequencePositions(t *testing.T) {
	type step struct {
		number uint16
		want   Position
	}
	tests := []struct {
		name                  string
		steps                 []step
		lost                  int64
		reordered, duplicates uint64
	}{
		{"in order", []step{{10, Newest}, {11, Newest}, {12, Newest}}, 0, 0, 0},
		{"wraps", []step{{65534, Newest}, {65535, Newest}, {0, Newest}, {1, Newest}}, 0, 0, 0},
		{"lost", []step{{1, Newest}, {4, Newest}}, 2, 0, 0},
		{"late", []step{{1, Newest}, {3, Newest}, {2, Late}}, 0, 1, 0},
		{"before the first", []step{{5, Newest}, {4, Late}, {3, Late}}, 0, 2, 0},
		{"before the first, over the wrap", []step{{0, Newest}, {65535, Late}}, 0, 1, 0},
		{"twice", []step{{1, Newest}, {1, Duplicate}, {2, Newest}, {1, Duplicate}}, 0, 0, 2},
		{"late twice", []step{{1, Newest}, {3, Newest}, {2, Late}, {2, Duplicate}}, 0, 1, 1},
		{"long gap", []step{{1, Newest}, {2001, Newest}, {2002, Newest}, {2000, Late}}, 1998, 1, 0},
		{"lone outlier", []step{{1, Newest}, {30000, Outlier}, {2, Newest}, {30001, Outlier}, {3, Newest}}, 0, 0, 0},
		{"restart", []step{{1, Newest}, {30000, Outlier}, {30001, Restart}}, 0, 0, 0},
		{"restart just below", []step{{5000, Newest}, {4000, Outlier}, {4001, Restart}}, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewSequence(90000)
			for i, st := range tt.steps {
				if _, _, got := s.Add(time.Unix(0, 0), st.number, 0); got != st.want {
					t.Fatalf("step %d, number %d: got position %d, want %d", i, st.number, got, st.want)
				}
			}
			if got := s.Lost(); got != tt.lost {
				t.Errorf("got %d lost, want %d", got, tt.lost)
			}
			if s.reordered != tt.reordered || s.duplicates != tt.duplicates {
				t.Errorf("got %d reordered, %d twice, want %d, %d", s.reordered, s.duplicates, tt.reordered, tt.duplicates)
			}
		})
	}
}

// TestSequenceModel compares with a set that remembers everything, over several wraps with loss, disorder and copies.
func TestSequenceModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sent []uint64
	const packets = 200_000
	for n := uint64(1 << 16); n < 1<<16+packets; n++ {
		if rng.IntN(100) > 2 {
			sent = append(sent, n)
		}
		if rng.IntN(100) == 0 {
			sent = append(sent, n)
		}
	}
	for i := range sent {
		j := min(i+rng.IntN(20), len(sent)-1)
		sent[i], sent[j] = sent[j], sent[i]
	}
	s := NewSequence(90000)
	came := map[uint64]bool{}
	var twice uint64
	lowest, highest := sent[0], sent[0]
	for _, n := range sent {
		s.Add(time.Unix(0, 0), uint16(n), 0)
		if came[n] {
			twice++
		}
		came[n] = true
		lowest, highest = min(lowest, n), max(highest, n)
	}
	if want := int64(highest-lowest+1) - int64(len(came)); s.Lost() != want {
		t.Errorf("got %d lost, want %d", s.Lost(), want)
	}
	if s.duplicates != twice {
		t.Errorf("got %d twice, want %d", s.duplicates, twice)
	}
}

func TestSequenceMissing(t *testing.T) {
	s := NewSequence(90000)
	add := func(number uint16) uint64 {
		n, _, _ := s.Add(time.Unix(0, 0), number, 0)
		return n
	}
	base := add(100)
	add(103)
	if !s.Missing(base+1, base+2) {
		t.Error("101 and 102 did not come: got present, want missing")
	}
	add(101)
	add(102)
	if s.Missing(base+1, base+2) {
		t.Error("101 and 102 came late: got missing, want present")
	}
	add(105)
	for n := uint16(106); n < 106+2*window; n++ {
		add(n)
	}
	if !s.Missing(base+4, base+4) {
		t.Error("104 never came and is long forgotten: got present, want missing")
	}
}

func TestSequenceJitter(t *testing.T) {
	// Timestamps that wrap must not look like a leap in time (pion's own figure in receiver reports has that fault).
	s := NewSequence(90000)
	start := time.Unix(1000, 0)
	for i := range 100 {
		s.Add(start.Add(time.Duration(i)*time.Second/30), uint16(i), uint32(1<<32-30*3000+i*3000))
	}
	if got := s.Jitter(); got > time.Millisecond {
		t.Errorf("steady packets: got jitter %v, want none", got)
	}
	for i := range 1000 {
		late := time.Duration(i%2) * 16 * time.Millisecond
		s.Add(start.Add(time.Duration(100+i)*time.Second/30+late), uint16(100+i), uint32(70*3000+i*3000))
	}
	if got, want := s.Jitter(), 16*time.Millisecond; got < want-time.Millisecond || got > want+time.Millisecond {
		t.Errorf("every other packet 16 ms late: got jitter %v, want %v", got, want)
	}
}
