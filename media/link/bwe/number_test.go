// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

func TestTransportNumber(t *testing.T) {
	plain := linktest.Packet(t, 7, 8, []byte{1, 2, 3})
	for _, twice := range []bool{false, true} {
		got, number, again, ok := TakeNumber(AppendNumber(nil, plain, 65000, twice))
		if !ok || number != 65000 || again != twice || !cmp.Equal(got, plain) {
			t.Errorf("got %v, number %d, twice %v, %v", got, number, again, ok)
		}
	}
	if got, _, _, ok := TakeNumber(plain); ok || !cmp.Equal(got, plain) {
		t.Errorf("without a number: got %v, %v", got, ok)
	}
	other := append([]byte(nil), plain...)
	other[0] |= extensionBit
	if got := AppendNumber(nil, other, 1, false); !cmp.Equal(got, other) {
		t.Errorf("with an extension of its own: got %v", got)
	}
}

// BenchmarkController numbers packets that leave.
func BenchmarkController(b *testing.B) {
	c := NewController(DefaultMinBitrate, DefaultMaxBitrate)
	d := linktest.Packet(b, 1, 0, make([]byte, 1188))
	out := make([]byte, 0, 1500)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		out = AppendNumber(out[:0], d, c.Sent(simStart, Picture, len(d)), false)
	}
}
