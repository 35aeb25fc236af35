// SPDX-License-Identifier: Apache-2.0

package tally

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
)

// states are all that one side can tell.
func states() (all []State) {
	for i := range 16 {
		all = append(all, State{OnAir: i&1 != 0, PeerShown: i&2 != 0, Muted: i&4 != 0, Away: i&8 != 0})
	}
	return all
}

func TestWordKeepsItsForm(t *testing.T) {
	w := Word{State: State{OnAir: true, Muted: true}, Number: 0x01020304, Heard: 0x05060708, Answer: true}
	want := []byte{0x81, 204, 0, 5, 0xaa, 0xbb, 0xcc, 0xdd, 't', 'l', 'l', 'y', 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8}
	if diff := cmp.Diff(want, w.Append(nil, 0xaabbccdd)); diff != "" {
		t.Errorf("a word on the wire (-want +got):\n%s", diff)
	}
}

func TestWordThereAndBack(t *testing.T) {
	for i, s := range states() {
		for _, answer := range []bool{false, true} {
			w := Word{State: s, Number: uint32(i + 1), Heard: uint32(1<<31 + i), Answer: answer}
			if got, ok := Parse(w.Append(nil, 7)); !ok || got != w {
				t.Errorf("got %+v (%t), want %+v", got, ok, w)
			}
		}
	}
}

// TestWordIsSkippedByOlderPeers holds that one is an RTCP packet that the RTP sessions of peers without words can read, and
// find nothing in.
func TestWordIsSkippedByOlderPeers(t *testing.T) {
	packets, err := rtcp.Unmarshal(Word{State: State{OnAir: true}, Number: 1}.Append(nil, 7))
	if err != nil || len(packets) != 1 {
		t.Fatalf("got %d packets (%v), want 1", len(packets), err)
	}
	if app, ok := packets[0].(*rtcp.ApplicationDefined); !ok || app.Name != name || app.SSRC != 7 {
		t.Errorf("got %#v, want one of the kind APP named %q", packets[0], name)
	}
}

func TestParse(t *testing.T) {
	good := Word{State: State{Away: true}, Number: 3, Heard: 2}.Append(nil, 7)
	want, _ := Parse(good)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for _, tt := range []struct {
		name   string
		packet []byte
		ok     bool
	}{
		{"nothing", nil, false},
		{"half of one", good[:12], false},
		{"cut off", good[:len(good)-1], false},
		{"longer than it says", append(bytes.Clone(good), 0, 0, 0, 0), false},
		{"of a later version, with more after it", append(change(3, 6), 1, 2, 3, 4), true},
		{"of a later version, with more flags", change(12, 0x80), true},
		{"of another RTP version", change(0, 0x40), false},
		{"with padding", change(0, 0xa0), false},
		{"of an unknown subtype", change(0, 0x82), false},
		{"a sender report", change(1, 200), false},
		{"of another name", change(8, 'x'), false},
		{"without a number", change(19, 0), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Parse(tt.packet)
			if ok != tt.ok || ok && got != want {
				t.Errorf("got %+v (%t), want %t", got, ok, tt.ok)
			}
		})
	}
}

// FuzzParse reads anything, and what it takes for a word it writes in the same way.
func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	for i, s := range states() {
		f.Add(Word{State: s, Number: uint32(i), Heard: uint32(i * i), Answer: i%2 == 0}.Append(nil, uint32(i)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		w, ok := Parse(b)
		if !bytes.Equal(before, b) {
			t.Fatal("reading changed the packet")
		}
		if !ok {
			return
		}
		if !IsWord(b) || w.Number == 0 {
			t.Errorf("% x is taken for %+v", b, w)
		}
		if again, ok := Parse(w.Append(nil, 1)); !ok || again != w {
			t.Errorf("% x: got %+v, and %+v of that", b, w, again)
		}
	})
}
