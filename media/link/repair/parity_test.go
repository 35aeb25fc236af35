// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// group makes packets of one picture and their parity.
func group(rng *rand.Rand, count, level int) (packets [][]byte, sums [2][]byte) {
	m := NewParityEncoder(5)
	for i := range count {
		b := make([]byte, rtpHeaderSize+rng.IntN(300))
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		b[1] = linktest.PayloadType
		binary.BigEndian.PutUint16(b[2:], uint16(65530+i))
		binary.BigEndian.PutUint32(b[8:], 1234)
		if i == count-1 {
			b[1] |= 0x80
		}
		packets = append(packets, b)
		m.Add(b, level, func(b []byte) {
			p, ok := ParseParity(b[rtpHeaderSize:])
			if !ok || p.SSRC != 1234 || p.First != 65530 || p.Count != count {
				panic("parity of something else")
			}
			sums[p.kind] = bytes.Clone(p.sum)
		})
	}
	return packets, sums
}

// TestParity loses each one and each two packets of groups of all sizes.
func TestParity(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for count := 1; count <= groupLength; count++ {
		packets, sums := group(rng, count, 2)
		if (sums[parityWeighted] != nil) != (count > smallGroup) || sums[paritySum] == nil {
			t.Fatalf("%d packets: got parity %v, %v", count, sums[0] != nil, sums[1] != nil)
		}
		check := func(sum, weighted []byte, lost ...int) {
			t.Helper()
			var want [][]byte
			got := append([][]byte(nil), packets...)
			for _, i := range lost {
				want = append(want, got[i])
				got[i] = nil
			}
			restored := restore(got, sum, weighted)
			if len(restored) != len(want) {
				t.Fatalf("%d packets less %v: restored %d", count, lost, len(restored))
			}
			for i := range want {
				if !bytes.Equal(restored[i], want[i]) {
					t.Fatalf("%d packets less %v: restored something else", count, lost)
				}
			}
		}
		for i := range count {
			check(sums[0], nil, i)
			if sums[1] == nil {
				continue
			}
			check(nil, sums[1], i)
			for j := range i {
				check(sums[0], sums[1], j, i)
			}
		}
	}
}

func FuzzParseParity(f *testing.F) {
	_, sums := group(rand.New(rand.NewPCG(1, 2)), 5, 2)
	f.Add(append([]byte{0, 0, 0, 1, 0, 2, 5, 1}, sums[1]...))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, ok := ParseParity(payload)
		if !ok {
			return
		}
		restore(make([][]byte, p.Count), p.sum, nil)
		some := make([][]byte, p.Count)
		for i := 1; i < len(some); i++ {
			some[i] = payload
		}
		restore(some, p.sum, p.sum)
	})
}

func BenchmarkParityEncoder(b *testing.B) {
	m := NewParityEncoder(1)
	p := linktest.Packet(b, 1, 0, make([]byte, 1188))
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		binary.BigEndian.PutUint16(p[2:], uint16(n))
		m.Add(p, 2, func([]byte) {})
	}
}
