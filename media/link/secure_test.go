// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

const patience = 10 * time.Second

// identities are those of the two sides of a new pair: the one who waits, and the one who calls.
func identities(t testing.TB) [2]link.Identity {
	t.Helper()
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	var ids [2]link.Identity
	for i, r := range []pairing.Role{pairing.Inviter, pairing.Guest} {
		if ids[i], err = (&pairing.Pair{Role: r, Invite: invite}).Identity(); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func noGoroutines(t *testing.T)       { t.Helper(); link.NoGoroutines(t) }
func loopbacks(t *testing.T) []string { t.Helper(); return link.Loopbacks(t) }

// endpoint is an address with a port.
func endpoint(addr string, port int) string { return net.JoinHostPort(addr, strconv.Itoa(port)) }

// arrival is a packet that came, without its bytes.
type arrival struct {
	m      link.Medium
	stream link.Stream
	number uint16
	sane   bool // it is as talk sends it
	at     time.Time
}

// side is a Secure link that runs until stop is called or the test ends.
type side struct {
	*link.Secure
	arrivals chan arrival
	requests chan struct{}
	stop     func()
}

func start(t testing.TB, o link.SecureOptions) *side {
	t.Helper()
	s := &side{arrivals: make(chan arrival, 1<<16), requests: make(chan struct{}, 1<<10)}
	o.Handler = either(o.Handler, link.Handler{
		RTP: func(m link.Medium, stream link.Stream, b []byte) {
			select {
			case s.arrivals <- arrival{m, stream, binary.BigEndian.Uint16(b[2:]), bytes.Equal(b[12:], keyFrame), time.Now()}:
			default:
			}
		},
		KeyFrameRequest: func() {
			select {
			case s.requests <- struct{}{}:
			default:
			}
		},
	})
	o.Log = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if s.Secure, err = link.NewSecure(o); err != nil {
		t.Fatal(err)
	}
	s.stop = testbed.Run(t, "Run", s.Run)
	return s
}

// either is a handler with the functions of another one where it has none.
func either(h, other link.Handler) link.Handler {
	if h.RTP == nil {
		h.RTP = other.RTP
	}
	if h.KeyFrameRequest == nil {
		h.KeyFrameRequest = other.KeyFrameRequest
	}
	return h
}

type testLog struct{ testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.Logf("%s %s", time.Now().Format("05.000"), b)
	return len(b), nil
}

// rtpPacket is an RTP packet of our payload type.
func rtpPacket(ssrc uint32, number uint16, payload []byte) []byte {
	b := make([]byte, 12, 12+len(payload))
	b[0], b[1] = 0x80, 96
	binary.BigEndian.PutUint16(b[2:], number)
	binary.BigEndian.PutUint32(b[4:], 3000*uint32(number))
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, payload...)
}

// keyFrame is one packet with parameter sets and an IDR picture.
var keyFrame = []byte{24, 0, 2, 0x67, 1, 0, 2, 0x68, 1, 0, 3, 0x65, 0x88, 1}

// talk sends packets of both media until the test ends or the returned function is called.
func (s *side) talk(t testing.TB, ssrc uint32) (stop func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for n := uint16(ssrc * 1000); ; n++ {
			for i, m := range []link.Medium{link.Video, link.Audio} {
				if s.WriteRTP(m, rtpPacket(2*ssrc+uint32(i), n, keyFrame)) != nil {
					return
				}
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			close(done)
			<-ended
		}
	}
	t.Cleanup(stop)
	return stop
}

// await returns the first packet of the medium and the SSRC.
func (s *side) await(t testing.TB, m link.Medium, ssrc uint32) arrival {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case a := <-s.arrivals:
			if a.m == m && a.stream.SSRC == ssrc {
				return a
			}
		case <-deadline:
			t.Fatalf("no %v packet of SSRC %d for %v; figures: %+v", m, ssrc, patience, s.Stats())
		}
	}
}

// both awaits picture and sound each way.
func both(t testing.TB, a, b *side, ssrcA, ssrcB uint32) {
	t.Helper()
	for i, m := range []link.Medium{link.Video, link.Audio} {
		b.await(t, m, 2*ssrcA+uint32(i))
		a.await(t, m, 2*ssrcB+uint32(i))
	}
}

// TestSecureBothWays connects two links over each kind of address, started in either order, where only the later one or
// only the earlier one knows the other.
func TestSecureBothWays(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	for _, addr := range loopbacks(t) {
		for _, test := range []struct {
			name          string
			first         int
			firstKnows    bool
			secondKnows   bool
			limit, waited time.Duration
		}{
			{"the inviter first, the guest calls", 0, false, true, busyLimit, 0},
			{"the guest first, and calls", 1, true, false, busyLimit, 700 * time.Millisecond},
			{"the inviter first, and calls", 0, true, false, busyLimit, 700 * time.Millisecond},
			{"both call", 1, true, true, busyLimit, 0},
		} {
			t.Run(addr+", "+test.name, func(t *testing.T) {
				t.Parallel()
				ports := [2]int{testbed.FreeUDPPorts(t, 1), testbed.FreeUDPPorts(t, 1)}
				options := func(i int, knows bool) link.SecureOptions {
					o := link.SecureOptions{Identity: ids[i], Listen: addr, Port: ports[i]}
					if knows {
						o.Peers = []string{endpoint(addr, ports[1-i])}
					}
					return o
				}
				first := start(t, options(test.first, test.firstKnows))
				first.talk(t, 1)
				<-time.After(test.waited)
				began := time.Now()
				second := start(t, options(1-test.first, test.secondKnows))
				second.talk(t, 2)
				both(t, first, second, 1, 2)
				if took := time.Since(began); took > test.limit {
					t.Errorf("connected after %v, want %v at most", took, test.limit)
				} else {
					t.Logf("connected after %v", took.Round(time.Millisecond))
				}
				testbed.Await(t, "figures", patience, func() error {
					for i, s := range []*side{first, second} {
						stats := s.Stats()
						if stats.Peer.String() != addr || stats.RTT <= 0 || stats.Video.Send.LastReport.IsZero() || stats.Audio.Receive.LastSenderReport.IsZero() {
							return fmt.Errorf("side %d: %+v", i, stats)
						}
					}
					return nil
				})
			})
		}
	}
}

// TestSecurePacketsUnchanged sends packets of all shapes.
func TestSecurePacketsUnchanged(t *testing.T) {
	noGoroutines(t)
	a, b := connected(t)
	for i, m := range []link.Medium{link.Video, link.Audio} {
		p := rtpPacket(uint32(10+i), 7, keyFrame)
		p[1] |= 0x80 // marker
		testbed.Await(t, "the packet", patience, func() error { return a.WriteRTP(m, p) })
		if got, want := b.await(t, m, uint32(10+i)), (arrival{m: m, stream: link.Stream{ID: 1, SSRC: uint32(10 + i)}, number: 7, sane: true}); true {
			got.at = time.Time{}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(arrival{})); diff != "" {
				t.Errorf("%v (-want +got):\n%s", m, diff)
			}
		}
	}
}

// connected returns two links that have a session.
func connected(t testing.TB) (a, b *side) {
	t.Helper()
	ids := identities(t)
	at := testbed.FreeUDPPorts(t, 1)
	a = start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: at})
	b = start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{endpoint("127.0.0.1", at)}})
	awaitSession(t, a, b)
	return a, b
}

func awaitSession(t testing.TB, sides ...*side) {
	t.Helper()
	testbed.Await(t, "a session", patience, func() error {
		for i, s := range sides {
			if !s.Stats().Peer.IsValid() {
				return fmt.Errorf("side %d has none", i)
			}
		}
		return nil
	})
}

// TestSecureRestarts starts one side again and again, at new ports too, while the other runs.
func TestSecureRestarts(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	at := testbed.FreeUDPPorts(t, 1)
	steady := start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: at})
	steady.talk(t, 1000)
	port := testbed.FreeUDPPorts(t, 1)
	var worst, sum time.Duration
	const times = 20
	for n := range uint32(times) {
		if n%5 == 4 {
			port = testbed.FreeUDPPorts(t, 1)
		}
		began := time.Now()
		s := start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: port, Peers: []string{endpoint("127.0.0.1", at)}})
		stop := s.talk(t, n+1)
		both(t, s, steady, n+1, 1000)
		took := time.Since(began)
		worst, sum = max(worst, took), sum+took
		stop()
		s.stop()
	}
	t.Logf("%d starts: %v on average, %v at worst", times, (sum / times).Round(time.Millisecond), worst.Round(time.Millisecond))
	if sum/times > time.Second {
		t.Errorf("a start took %v on average, want 1s at most", sum/times)
	}
}

// TestSecureWrongSecret lets a stranger call, who knows all but the secret.
func TestSecureWrongSecret(t *testing.T) {
	noGoroutines(t)
	ids, others := identities(t), identities(t)
	for name, stranger := range map[string]link.Identity{
		"another pair": others[1],
		"another pair with our names": func() link.Identity {
			id := others[1]
			id.Name, id.PeerName = ids[1].Name, ids[1].PeerName
			return id
		}(),
		"our passwords and another certificate": func() link.Identity {
			id := ids[1]
			id.Certificate = others[1].Certificate
			return id
		}(),
		"our passwords and the certificate of the other side": func() link.Identity {
			id := ids[1]
			id.Certificate = ids[0].Certificate
			return id
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := testbed.FreeUDPPorts(t, 1)
			a := start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: at})
			a.talk(t, 1)
			b := start(t, link.SecureOptions{Identity: stranger, Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{endpoint("127.0.0.1", at)}})
			b.talk(t, 2)
			select {
			case got := <-a.arrivals:
				t.Errorf("the stranger's packet came through: %+v", got)
			case got := <-b.arrivals:
				t.Errorf("the stranger got a packet: %+v", got)
			case <-time.After(2 * time.Second):
			}
			for i, s := range []*side{a, b} {
				if got := s.Stats(); got.Peer.IsValid() || len(s.requests) > 0 {
					t.Errorf("side %d has a session: %+v", i, got)
				}
			}
		})
	}
}

// drain forgets what came up to now.
func (s *side) drain() {
	for len(s.arrivals) > 0 {
		<-s.arrivals
	}
}
