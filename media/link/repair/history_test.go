// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

func TestHistory(t *testing.T) {
	c, h := linktest.NewClock(), &History{}
	datagram := func(number uint16) []byte { return linktest.Packet(t, 7, number, []byte{1, 2, byte(number)}) }
	for n := range uint16(2000) {
		h.Keep(c.Now(), datagram(n+64000))
	}
	ask := func(ssrc uint32, numbers ...uint16) (got [][]byte) {
		return h.Copies(c.Now(), &rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)})
	}
	if got := ask(7, 65999-65536); len(got) != 0 {
		t.Errorf("sent %d again at once, want none so soon", len(got))
	}
	c.Pass(resendInterval)
	got := ask(7, 65535, 0, 462)
	if len(got) != 3 || !bytes.Equal(got[0], datagram(65535)) || !bytes.Equal(got[2], datagram(462)) {
		t.Errorf("got %v, want the three as they were", got)
	}
	for name, numbers := range map[string][]uint16{"asked for twice": {0}, "too old": {64000}, "never sent": {5000}} {
		if got := ask(7, numbers...); len(got) != 0 {
			t.Errorf("%s: got %v, want nothing", name, got)
		}
	}
	c.Pass(resendInterval)
	if got := ask(8, 0); len(got) != 0 {
		t.Errorf("other SSRC: got %v, want nothing", got)
	}
	if got := h.Before(c.Now(), 7, 1); !bytes.Equal(got, datagram(0)) {
		t.Errorf("the one before 1: got %v", got)
	}
	h.Forget()
	c.Pass(resendInterval)
	if got := ask(7, 0); len(got) != 0 {
		t.Errorf("forgotten: got %v, want nothing", got)
	}
}

func BenchmarkHistory(b *testing.B) {
	h, c := &History{}, linktest.NewClock()
	p := linktest.Packet(b, 1, 0, make([]byte, 1188))
	keep := func(n int) {
		binary.BigEndian.PutUint16(p[2:], uint16(n))
		h.Keep(c.Now(), p)
	}
	for n := range historyLength {
		keep(n)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		keep(n)
	}
}
