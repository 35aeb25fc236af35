// SPDX-License-Identifier: Apache-2.0

package rtpsession

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// FuzzReceiver gives a receiver datagrams as they may come from anyone, between some of its stream's own, on either port.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte{}, false, uint16(1))
	f.Add(linktest.Packet(f, 1, 2, linktest.IDRUnit), false, uint16(10))
	f.Add(linktest.Packet(f, 1, 2, []byte{0x78, 0, 2, 0x67, 0x42, 0, 9, 0x65}), false, uint16(10))
	f.Add(linktest.Packet(f, 2, 30000, linktest.IDRFUStart), false, uint16(3000))
	f.Add([]byte{0xb0, 0x60, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, 0xff}, false, uint16(0))
	f.Add(control(f, &rtcp.SenderReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 1}}}, &rtcp.Goodbye{Sources: []uint32{1}}), true, uint16(5))
	f.Add(control(f, rtcp.NewCNAMESourceDescription(1, "x")), true, uint16(5))
	f.Fuzz(func(t *testing.T, datagram []byte, report bool, ms uint16) {
		r := newTestReceiver(t, Video)
		peer, stranger := netip.MustParseAddrPort(peerAddr), netip.MustParseAddrPort("198.51.100.7:5005")
		r.ReadRTP(peer, linktest.Packet(t, 1, 1, linktest.IDRUnit))
		for _, from := range []netip.AddrPort{peer, stranger, peer} {
			r.Pass(time.Duration(ms) * time.Millisecond)
			if report {
				r.ReadRTCP(from, datagram)
			} else {
				r.ReadRTP(from, datagram)
			}
			if wait := r.tick(); wait <= 0 {
				t.Errorf("got %v until the next deadline, want a time to come", wait)
			}
			r.ReadRTP(peer, linktest.Packet(t, 1, 2, linktest.DeltaUnit))
			r.Stats()
		}
	})
}

// FuzzSender gives a sender reports as they may come from anyone.
func FuzzSender(f *testing.F) {
	f.Add([]byte{})
	f.Add(control(f, &rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{SSRC: 1, FractionLost: 9, LastSenderReport: 1}}}))
	f.Add(control(f, &rtcp.PictureLossIndication{MediaSSRC: 1}))
	f.Add(control(f, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 1}}}))
	f.Add(control(f, &rtcp.TransportLayerNack{MediaSSRC: 1, Nacks: []rtcp.NackPair{{PacketID: 1}}}))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		s := newTestSender(t, Video)
		s.write(t, linktest.Packet(t, 1, 1, linktest.IDRUnit))
		for range 3 {
			s.ReadRTCP(datagram)
		}
		if s.keys > 1 {
			t.Errorf("got %d key frame requests at one moment, want at most 1", s.keys)
		}
		if rtt := s.Stats().RTT; rtt < 0 || rtt > time.Minute {
			t.Errorf("got RTT %v", rtt)
		}
	})
}
