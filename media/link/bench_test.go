// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// BenchmarkLink measures one packet of 1200 bytes on its way from one link to another over the loopback device. Its
// allocations are those of both sides.
func BenchmarkLink(b *testing.B) {
	const fast = 1 << 30 // bit/s, so that nothing waits
	for _, secure := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "secure"}[secure]
		b.Run(name, func(b *testing.B) {
			came := make(chan struct{}, 1<<10)
			handler := link.Handler{RTP: func(link.Medium, link.Stream, []byte) { came <- struct{}{} }}
			var from, to link.Link
			if secure {
				ids, ports := identities(b), [2]int{testbed.FreeUDPPorts(b, 1), testbed.FreeUDPPorts(b, 1)}
				from = benchmarked(b, link.SecureOptions{
					Identity: ids[0], Listen: "127.0.0.1", Port: ports[0], MinBitrate: fast, MaxBitrate: fast,
				})
				to = benchmarked(b, link.SecureOptions{
					Identity: ids[1], Listen: "127.0.0.1", Port: ports[1], Peers: []string{endpoint("127.0.0.1", ports[0])}, Handler: handler,
				})
				awaitSession(b, from.(*side), to.(*side))
			} else {
				base, addresses := testbed.FreeUDPPorts(b, 8), [2]string{testbed.LoopbackAddress(b), testbed.LoopbackAddress(b)}
				var links [2]link.Link
				for i := range links {
					o := link.PlainOptions{Peer: addresses[1-i], Listen: addresses[i], BasePort: base, Send: i == 0, Receive: i == 1, Handler: handler}
					p, err := link.NewPlain(o)
					if err != nil {
						b.Fatal(err)
					}
					testbed.Run(b, "Run", p.Run)
					links[i] = p
				}
				from, to = links[0], links[1]
			}
			packet := rtpPacket(1, 0, append(keyFrame, make([]byte, 1200-12-len(keyFrame))...))
			packet[1] |= 0x80 // each packet is a picture
			send := func(n int) {
				binary.BigEndian.PutUint16(packet[2:], uint16(n))
				binary.BigEndian.PutUint32(packet[4:], uint32(3000*n))
				if err := from.WriteRTP(link.Video, packet); err != nil {
					b.Fatal(err)
				}
			}
			const ahead = 32 // packets on their way
			send(0)
			<-came
			b.ReportAllocs()
			b.SetBytes(int64(len(packet)))
			b.ResetTimer()
			for n := range b.N {
				send(n + 1)
				if n >= ahead {
					<-came
				}
			}
			for range min(b.N, ahead) {
				<-came
			}
			b.StopTimer()
			_ = to
		})
	}
}

// benchmarked is a Secure link that runs until the benchmark ends and logs nothing.
func benchmarked(b *testing.B, o link.SecureOptions) *side {
	b.Helper()
	s, err := link.NewSecure(o)
	if err != nil {
		b.Fatal(err)
	}
	return &side{Secure: s, stop: testbed.Run(b, "Run", func(ctx context.Context) error { return s.Run(ctx) })}
}
