// SPDX-License-Identifier: Apache-2.0

package jitter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFrameAssembler hands packets in as they come. A packet is its number; k begins a key frame, s brings parameter sets,
// and a full stop ends a picture. xN gives up all up to N.
func TestFrameAssembler(t *testing.T) {
	for _, test := range []struct {
		name, in, want string
		sound          bool
	}{
		{"whole pictures", "1sk 2. 3 4 5. 6.", "1 2 3 4 5 6", false},
		{"an incomplete one waits", "1sk 2. 3 4", "1 2", false},
		{"nothing before the first key frame", "1. 2. 3sk 4. 5.", "3 4 5", false},
		{"a key frame without parameter sets is none", "1k. 2. 3sk. 4.", "3 4", false},
		{"parameter sets by themselves", "1s. 2k. 3.", "1 2 3", false},
		{"out of order", "1sk. 3. 4 2. 6. 5", "1 2 3 4 5 6", false},
		{"late and twice", "1sk. 3. 2. 2. 3. 1sk.", "1 2 3", false},
		{"lost, until the next key frame", "1sk. 2 4. 5. x3 6. 7. 8k 9. 10.", "1 8 9 10", false},
		{"lost, and repaired too late", "1sk. 2 4. x3 3 5. 6k.", "1 6", false},
		{"the loss ends before a key frame", "1sk. 3k 4. 5. x2", "1 3 4 5", false},
		{"a key frame overtakes what is lost", "1sk. 2 4. 5k 6.", "1 5 6", false},
		{"but not while it is incomplete", "1sk. 2 4. 5k 6 3 7.", "1 2 3 4 5 6 7", false},
		{"parameter sets come with the key frame", "1sk. 3. 4s 5k. 6.", "1 4 5 6", false},
		{"two losses", "1sk. 3. 5. x2 x4 6. 7k.", "1 7", false},
		{"the first packet of a key frame is lost", "1sk. 3. 4. x2 5k.", "1 5", false},
		{"sound", "1 2 3", "1 2 3", true},
		{"sound out of order", "1 3 4 2", "1 2 3 4", true},
		{"sound lost", "1 3 4 x2 5 2", "1 3 4 5", true},
		{"sound lost twice", "1 3 5 x2 x4", "1 3 5", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := NewFrameAssembler(!test.sound)
			a.Begin()
			var got []string
			out := func(b []byte) { got = append(got, string(b)) }
			picture := uint32(0)
			for _, word := range strings.Fields(test.in) {
				var n uint64
				if _, err := fmt.Sscanf(word, "x%d", &n); err == nil {
					a.GiveUp(1<<16+n, out)
					continue
				}
				if _, err := fmt.Sscanf(word, "%d", &n); err != nil {
					t.Fatal(err)
				}
				flags := strings.TrimLeft(word, "0123456789")
				a.Put(Packet{
					Number: 1<<16 + n, Datagram: []byte(fmt.Sprint(n)), Timestamp: picture,
					SPS: strings.Contains(flags, "s"), IDR: strings.Contains(flags, "k"), Last: strings.Contains(flags, "."),
				}, out)
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("handed on (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFrameAssemblerDisorder hands in a stream in every kind of disorder: nothing may come twice, out of order, or in part.
func TestFrameAssemblerDisorder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a := NewFrameAssembler(true)
	a.Begin()
	last, begun := uint64(0), false
	out := func(b []byte) {
		var n uint64
		if _, err := fmt.Sscan(string(b), &n); err != nil || n <= last {
			t.Fatalf("%q after %d: %v", b, last, err)
		}
		if first := n%5 == 0; first == begun || !first && n != last+1 {
			t.Fatalf("%d after %d: not a whole picture", n, last)
		}
		begun = n%5 != 4
		last = n
	}
	for base := uint64(1 << 16); base < 1<<16+50_000; base += 20 {
		for _, i := range rng.Perm(20) {
			n := base + uint64(i)
			if rng.IntN(100) == 0 {
				continue
			}
			a.Put(Packet{Number: n, Datagram: []byte(fmt.Sprint(n)), Timestamp: uint32(n / 5), Last: n%5 == 4, SPS: n%100 == 0, IDR: n%100 == 0}, out)
		}
		if rng.IntN(3) == 0 {
			a.GiveUp(base+uint64(rng.IntN(20)), out)
		}
	}
	if last < 1<<16+40_000 {
		t.Errorf("nothing came after %d", last)
	}
}

// BenchmarkFrameAssembler puts in pictures of four packets.
func BenchmarkFrameAssembler(b *testing.B) {
	a := NewFrameAssembler(true)
	a.Begin()
	d := make([]byte, 1200)
	put := func(n int) {
		a.Put(Packet{
			Number: uint64(n), Datagram: d, Timestamp: uint32(n / 4), Last: n%4 == 3, SPS: n%4 == 0, IDR: n%4 == 0,
		}, func([]byte) {})
	}
	for n := range bufferLength {
		put(n)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		put(bufferLength + n)
	}
}

// TestLostPictures counts pictures that are not released. A picture is as many packets as its letter stands there, and a
// small letter is a packet that never comes. K is a key frame.
func TestLostPictures(t *testing.T) {
	for _, test := range []struct {
		name, packets string
		want          uint64
	}{
		{"none", "KKABBCC", 0},
		{"what comes before the first key frame", "ABBKK", 0},
		{"a packet in the middle, and what needs it", "KKAaABBCKKD", 3},
		{"the first packet", "KKaAABBKK", 2},
		{"the last packet", "KKAAaBBKK", 2},
		{"two losses", "KKAaBKKCcDKK", 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := NewFrameAssembler(true)
			a.Begin()
			out := func([]byte) {}
			upper := strings.ToUpper(test.packets)
			timestamp := uint32(0)
			for i := range test.packets {
				if i > 0 && upper[i] != upper[i-1] {
					timestamp++
				}
				number := 1<<16 + uint64(i)
				if test.packets[i] != upper[i] {
					continue
				}
				begins := upper[i] == 'K' && (i == 0 || upper[i-1] != 'K')
				last := i+1 == len(upper) || upper[i+1] != upper[i]
				a.Put(Packet{Number: number, Datagram: []byte{0}, Timestamp: timestamp, Last: last, SPS: begins, IDR: begins}, out)
				if i > 0 && test.packets[i-1] != upper[i-1] {
					a.GiveUp(number-1, out)
				}
			}
			if got := a.Lost(); got != test.want {
				t.Errorf("got %d lost pictures, want %d", got, test.want)
			}
		})
	}
}
