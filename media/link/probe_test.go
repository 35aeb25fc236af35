// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// standby holds the port of a link until stop is called or the test ends.
func standby(t testing.TB, o link.SecureOptions) (s *link.Secure, stop func()) {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(testLog{t}, nil))
	s, err := link.NewSecure(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, testbed.Run(t, "Standby", s.Standby)
}

// probeFor probes for a while where nobody answers.
func probeFor(t *testing.T, s *link.Secure, limit time.Duration) link.ProbeReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return s.Probe(ctx)
}

// wantFound checks a report about a peer on this machine.
func wantFound(t *testing.T, r link.ProbeReport) {
	t.Helper()
	t.Logf("%+v", r)
	if !r.Peer.IsValid() || r.Sent == 0 || r.Lost == r.Sent || r.RTT <= 0 || r.MinRTT > r.RTT || r.RTT > r.MaxRTT {
		t.Errorf("got %+v, want an answer with its time", r)
	}
	if r.PacketSize != 1500 || r.Version != link.ProbeVersion || r.ClockAhead.Abs() > time.Second {
		t.Errorf("got packets of %d bytes, version %d, a clock %v ahead; want 1500, %d and none", r.PacketSize, r.Version, r.ClockAhead, link.ProbeVersion)
	}
	if len(r.Strangers)+len(r.Twins) > 0 {
		t.Errorf("got strangers %v and twins %v, want none", r.Strangers, r.Twins)
	}
}

// TestProbe asks a peer off air, one on air, and one that is not there, from either side's end.
func TestProbe(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	for _, addr := range loopbacks(t) {
		t.Run(addr, func(t *testing.T) {
			port := testbed.FreeUDPPorts(t, 2)
			there := link.SecureOptions{Identity: ids[0], Listen: addr, Port: port}
			here := link.SecureOptions{Identity: ids[1], Listen: addr, Port: port + 1, Peers: []string{endpoint(addr, port)}}
			ours, stopOurs := standby(t, here)

			r := probeFor(t, ours, 500*time.Millisecond)
			if r.Peer.IsValid() {
				t.Errorf("nobody is there: got %+v", r)
			}
			if want := []netip.AddrPort{netip.MustParseAddrPort(endpoint(addr, port))}; !slices.Equal(r.Asked, want) {
				t.Errorf("got asked %v, want %v", r.Asked, want)
			}

			theirs, stopTheirs := standby(t, there)
			wantFound(t, ours.Probe(t.Context()))
			r = theirs.Probe(t.Context()) // it knows no address but that of the caller
			wantFound(t, r)
			if want := netip.MustParseAddrPort(endpoint(addr, port)); r.Seen != want {
				t.Errorf("the peer sees us at %v, want %v", r.Seen, want)
			}
			stopTheirs()

			onAir := start(t, there)
			wantFound(t, ours.Probe(t.Context()))
			wantFound(t, onAir.Probe(t.Context()))
			if onAir.Stats().Peer.IsValid() {
				t.Error("a peer in standby was taken for one on air")
			}
			stopOurs()

			second := start(t, here)
			onAir.talk(t, 1)
			second.talk(t, 2)
			both(t, onAir, second, 1, 2)
			wantFound(t, onAir.Probe(t.Context()))
			wantFound(t, second.Probe(t.Context()))
			both(t, onAir, second, 1, 2)
		})
	}
}

// TestProbeTogether: of two who ask at the same time, or almost, neither leaves before the other has all answers, although
// only one knows where the other is.
func TestProbeTogether(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	for _, later := range []time.Duration{0, 100 * time.Millisecond, 900 * time.Millisecond} {
		port := testbed.FreeUDPPorts(t, 2)
		options := [2]link.SecureOptions{
			{Identity: ids[0], Listen: "127.0.0.1", Port: port},
			{Identity: ids[1], Listen: "127.0.0.1", Port: port + 1, Peers: []string{endpoint("127.0.0.1", port)}},
		}
		reports := make(chan link.ProbeReport, 2)
		for i, o := range options {
			l, err := link.NewSecure(o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- l.Standby(ctx) }()
			time.AfterFunc(time.Duration(i)*later, func() {
				r := l.Probe(ctx)
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("Standby: %v", err)
				}
				reports <- r
			})
		}
		for range options {
			r := <-reports
			wantFound(t, r)
			if r.Lost > 0 {
				t.Errorf("%v later: got %d lost, want none", later, r.Lost)
			}
		}
	}
}

// TestProbeLostPackets tells which way packets are lost.
func TestProbeLostPackets(t *testing.T) {
	noGoroutines(t)
	for _, test := range []struct {
		name     string
		out, in  float64
		min, max float64 // share of the losses that was on the way out
	}{
		{"on the way out", 0.3, 0, 0.6, 1},
		{"on the way back", 0, 0.3, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, _, network := lossy(t, relay.Path{Delay: 10 * time.Millisecond})
			network.SetPath(relay.AToB, relay.Path{Loss: test.out, Delay: 10 * time.Millisecond})
			network.SetPath(relay.BToA, relay.Path{Loss: test.in, Delay: 10 * time.Millisecond})
			r := a.Probe(t.Context())
			t.Logf("%+v", r)
			if r.Lost < r.Sent/10 || r.Lost > r.Sent*6/10 || r.MinRTT < 20*time.Millisecond {
				t.Errorf("got %d of %d lost and %v there and back, want about %d and 20ms", r.Lost, r.Sent, r.MinRTT, r.Sent*3/10)
			}
			if share := float64(r.LostOut) / float64(r.Lost); share < test.min || share > test.max {
				t.Errorf("got %d of %d lost on the way out, want a share of %v to %v", r.LostOut, r.Lost, test.min, test.max)
			}
		})
	}
}

// TestProbeStrangers: another pair's machine calls, and one that has our own side of the pair.
func TestProbeStrangers(t *testing.T) {
	noGoroutines(t)
	ids, others := identities(t), identities(t)
	ports := testbed.FreeUDPPorts(t, 2)
	at := endpoint("127.0.0.1", ports)
	from := netip.MustParseAddrPort(endpoint("127.0.0.1", ports+1))
	ours, _ := standby(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: ports, Peers: []string{from.String()}})
	for _, test := range []struct {
		name             string
		id               link.Identity
		strangers, twins []netip.AddrPort
	}{
		{"another key", others[1], []netip.AddrPort{from}, nil},
		{"our own key", ids[0], []netip.AddrPort{from}, []netip.AddrPort{from}}, // the first one was not long ago
	} {
		t.Run(test.name, func(t *testing.T) {
			start(t, link.SecureOptions{Identity: test.id, Listen: "127.0.0.1", Port: int(from.Port()), Peers: []string{at}})
			r := probeFor(t, ours, time.Second)
			if r.Peer.IsValid() || !slices.Equal(r.Strangers, test.strangers) || !slices.Equal(r.Twins, test.twins) {
				t.Errorf("got %+v, want strangers %v and twins %v", r, test.strangers, test.twins)
			}
		})
	}
}

// TestProbeNobodysKey: who captures probes and sends them again, from another address, gets no more bytes than it sends,
// and not many of those. Without the key it gets nothing.
func TestProbeNobodysKey(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	at := netip.MustParseAddrPort(endpoint("127.0.0.1", testbed.FreeUDPPorts(t, 1)))
	standby(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: int(at.Port())})
	router := newNAT(t, at)
	asking, _ := standby(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{router.address()}})
	wantFound(t, asking.Probe(t.Context()))
	var requests [][]byte
	for _, b := range router.seen(kindSTUN) {
		if b[0] == 0 {
			requests = append(requests, b)
		}
	}
	stranger, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for _, b := range requests {
		changed := slices.Clone(b)
		changed[len(changed)-9] ^= 1 // the last byte of the integrity attribute
		_, _ = stranger.Write(changed)
	}
	if got := readAll(stranger); len(got) > 0 {
		t.Errorf("got %d answers without the key, want none", len(got))
	}

	sent, longest := 0, 0
	for range 10 {
		for _, b := range requests {
			_, _ = stranger.Write(b)
			sent += len(b)
			longest = max(longest, len(b))
		}
	}
	got := 0
	answers := readAll(stranger)
	for _, b := range answers {
		got += len(b)
		if len(b) > longest {
			t.Errorf("got an answer of %d bytes, want %d at most", len(b), longest)
		}
	}
	t.Logf("%d bytes in %d requests: %d bytes in %d answers", sent, 10*len(requests), got, len(answers))
	if got > sent || len(answers) == 0 || len(answers) > 300 {
		t.Errorf("got %d answers with %d bytes to %d bytes, want some, 300 at most, and no more bytes", len(answers), got, sent)
	}
}

// readAll returns the datagrams that come until none has come for a while.
func readAll(conn *net.UDPConn) (all [][]byte) {
	for {
		b := make([]byte, 1<<16)
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := conn.Read(b)
		if err != nil {
			return all
		}
		all = append(all, b[:n])
	}
}

// TestRealProbePacketSize probes through a real router with a network behind it that takes smaller packets.
func TestRealProbePacketSize(t *testing.T) {
	if testing.Short() {
		t.Skip("makes network namespaces")
	}
	noGoroutines(t)
	h := newHomeNetwork(t)
	h.ip(h.router, "link set wan mtu 1420")
	h.ip(h.outside, "link set wan mtu 1420")
	ids := identities(t)
	var hidden *link.Secure
	h.within(h.outside, func() { standby(t, link.SecureOptions{Identity: ids[0], Port: 5000}) })
	h.within(h.inside, func() {
		hidden, _ = standby(t, link.SecureOptions{Identity: ids[1], Port: 5000, Peers: []string{outsideAddr}})
	})
	got := hidden.Probe(t.Context())
	t.Logf("%+v", got)
	if got.PacketSize != 1420 || got.Lost > 0 || got.Seen.Addr() != netip.MustParseAddr("198.18.2.1") {
		t.Errorf("got %+v, want packets of 1420 bytes, none lost, and seen at the router", got)
	}
}

// TestProbeOnce: a link in standby can do nothing else, and one that is over nothing at all.
func TestProbeOnce(t *testing.T) {
	noGoroutines(t)
	s, stop := standby(t, link.SecureOptions{Identity: identities(t)[0], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1)})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if diff := cmp.Diff(link.ProbeReport{}, s.Probe(ctx), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("probe with nobody to ask (-want +got):\n%s", diff)
	}
	if err := s.Run(ctx); err != link.ErrClosed {
		t.Errorf("Run: got %v, want %v", err, link.ErrClosed)
	}
	stop()
	if err := s.WriteRTP(link.Video, rtpPacket(1, 1, keyFrame)); err != link.ErrClosed {
		t.Errorf("WriteRTP: got %v, want %v", err, link.ErrClosed)
	}
}
