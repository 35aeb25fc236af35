// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/stun/v3"
)

func TestProbeThereAndBack(t *testing.T) {
	id := testCredentials()
	id.Name, id.PeerName = "0123456789abcdef", "fedcba9876543210" // as long as those of a pair
	peer := mirrored(id)
	var scratch stun.Message
	seen := netip.MustParseAddrPort("[2001:db8::1]:5000")
	smallest := len(id.encodeProbe(probe{}))
	for _, test := range []struct {
		size int
		fits bool
	}{{smallest, true}, {1232, true}, {maxProbe, true}, {1233, false}, {smallest - 4, false}} {
		request := probe{transaction: transaction{1, 2}, version: 7, size: test.size, padded: test.size > smallest}
		b := peer.encodeProbe(request)
		if (b != nil) != test.fits {
			t.Fatalf("request of %d bytes: got %d, want one: %v", test.size, len(b), test.fits)
		}
		if b == nil {
			continue
		}
		got, whose := id.decodeProbe(b, &scratch)
		if whose != ofPeer || got.response || got.transaction != request.transaction || got.version != 7 || got.size != test.size || got.padded != request.padded {
			t.Errorf("got %+v of %v, want the peer's %+v", got, whose, request)
		}
		if _, whose := peer.decodeProbe(b, &scratch); whose != ofOwnSide {
			t.Errorf("what came back to its sender: got %v, want its own", whose)
		}
		if k, ok := (&checker{id: id}).decode(b); ok {
			t.Errorf("taken for a check: %+v", k)
		}
		// Nobody gets more than it sent, wherever it is.
		response := probe{response: true, transaction: transaction{1, 2}, version: 1, size: test.size, heard: 9, clock: time.Unix(5, 6), seen: seen}
		back := id.encodeProbe(response)
		if len(back) != len(b) {
			t.Fatalf("got a response of %d bytes to %d", len(back), len(b))
		}
		got, whose = peer.decodeProbe(back, &scratch)
		response.padded = got.padded
		if diff := cmp.Diff(response, got, cmp.AllowUnexported(probe{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || whose != ofPeer {
			t.Errorf("response of %v (-want +got):\n%s", whose, diff)
		}
		for i := range back {
			changed := append([]byte(nil), back...)
			changed[i] ^= 1
			if got, whose := peer.decodeProbe(changed, &scratch); whose == ofPeer && i < len(back)-8 {
				t.Errorf("byte %d changed: taken as %+v", i, got)
			}
		}
	}
}

// FuzzProbe holds that nothing is taken for the peer's probe that was not made with its password.
func FuzzProbe(f *testing.F) {
	id := testCredentials()
	f.Add(id.encodeProbe(probe{}))
	f.Add(id.encodeProbe(probe{response: true, size: 200, seen: netip.MustParseAddrPort("192.0.2.1:5")}))
	var scratch stun.Message
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, whose := id.decodeProbe(b, &scratch); whose == ofPeer {
			t.Errorf("% x: taken for a probe: %+v", b, p)
		}
	})
}

// TestProbeFigures works out reports of series that were answered in a given way.
func TestProbeFigures(t *testing.T) {
	sent := time.Unix(1000, 0)
	reply := func(heard uint32, took, ahead time.Duration) *probeRequest {
		return &probeRequest{sent: sent, took: took, reply: &probe{version: 3, heard: heard, clock: sent.Add(took/2 + ahead)}}
	}
	lost := &probeRequest{sent: sent}
	sized := func(size int, answered bool) *probeRequest {
		q := &probeRequest{sent: sent, size: size}
		if answered {
			q.reply = &probe{heard: 1 << 20}
		}
		return q
	}
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		series []*probeRequest
		want   ProbeReport
	}{
		{"none answered", []*probeRequest{lost, lost}, ProbeReport{Sent: 2, Lost: 2}},
		{"all answered, clock behind", []*probeRequest{reply(8, 20*ms, -3*time.Hour), reply(9, 10*ms, -2*time.Hour), reply(10, 40*ms, 0)},
			ProbeReport{Sent: 3, MinRTT: 10 * ms, RTT: 20 * ms, MaxRTT: 40 * ms, ClockAhead: -2 * time.Hour, Version: 3}},
		{"one lost each way", []*probeRequest{reply(1, ms, 0), lost, reply(2, ms, 0), lost, reply(4, ms, 0)},
			ProbeReport{Sent: 5, Lost: 2, LostOut: 1, MinRTT: ms, RTT: ms, MaxRTT: ms, Version: 3}},
		{"the peer's count begins anew", []*probeRequest{reply(1<<32-1, ms, 0), reply(0, ms, 0), lost},
			ProbeReport{Sent: 3, Lost: 1, MinRTT: ms, RTT: ms, MaxRTT: ms, Version: 3}},
		{"others probe as well", []*probeRequest{reply(1, ms, 0), reply(60, ms, 0)},
			ProbeReport{Sent: 2, MinRTT: ms, RTT: ms, MaxRTT: ms, Version: 3}},
		{"sizes", []*probeRequest{reply(1, ms, 0), sized(1280, true), sized(1500, false), sized(1420, true), reply(2, ms, 0)},
			ProbeReport{Sent: 2, MinRTT: ms, RTT: ms, MaxRTT: ms, PacketSize: 1420, Version: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got ProbeReport
			got.take(test.series)
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
