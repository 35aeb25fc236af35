// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// forger makes datagrams as somebody can who sees all that two peers send and lacks the key.
type forger struct {
	rng *rand.Rand
	nat *nat
}

func (f *forger) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f.rng.Uint32())
	}
	return b
}

// next returns a datagram of any kind: made up, captured, or captured and changed.
func (f *forger) next() []byte {
	switch f.rng.IntN(13) {
	case 0: // anything
		return f.bytes(f.rng.IntN(100))
	case 1: // RTP of an SSRC that is new each time
		b := append(rtpPacket(f.rng.Uint32(), uint16(f.rng.Uint32()), keyFrame), f.bytes(16)...)
		b[1] = byte(96+f.rng.IntN(2)) | byte(f.rng.IntN(2))<<7
		return b
	case 2: // RTCP of all types, among them requests for key frames and goodbyes
		b := f.bytes(12 + 4*f.rng.IntN(20))
		b[0], b[1] = 0x81, byte(200+f.rng.IntN(8))
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
		return b
	case 3: // records of DTLS that are not encrypted: alerts, broken and whole handshake messages, application data
		body := f.bytes(1 + f.rng.IntN(60))
		kind := byte(20 + f.rng.IntN(5))
		switch {
		case kind == 21:
			body = []byte{byte(1 + f.rng.IntN(2)), []byte{0, 10, 40, 50}[f.rng.IntN(4)]}
		case kind == 22 && len(body) > 12:
			size := len(body) - 12
			body[0] = byte(f.rng.IntN(21))
			body[1], body[2], body[3] = 0, 0, byte(size)
			body[4], body[5] = 0, byte(f.rng.IntN(20))
			body[6], body[7], body[8], body[9], body[10], body[11] = 0, 0, 0, 0, 0, byte(size)
		}
		record := append([]byte{kind, 254, 253, 0, byte(f.rng.IntN(2)), 0, 0}, f.bytes(4)...)
		return append(binary.BigEndian.AppendUint16(record, uint16(len(body))), body...)
	case 4: // a check without the password
		b := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, f.bytes(12+4*f.rng.IntN(30))...)
		b[0] = byte(f.rng.IntN(2))
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20))
		return b
	}
	switch f.rng.IntN(12) {
	case 0: // another protocol's, whole and broken
		return append([]byte("d1:ad2:id20:"), f.bytes(f.rng.IntN(100))...)
	case 1: // channel data of TURN
		b := append([]byte{byte(0x40 + f.rng.IntN(16)), 0, 0, 0}, f.bytes(f.rng.IntN(100))...)
		binary.BigEndian.PutUint16(b[2:], uint16(f.rng.IntN(len(b)+4)))
		return b
	case 2: // STUN with methods and attributes of TURN, and addresses that are cut off
		setters := []stun.Setter{stun.TransactionID, stun.NewType(stun.Method(1+f.rng.IntN(12)), stun.MessageClass(f.rng.IntN(4)))}
		for range f.rng.IntN(5) {
			kinds := []stun.AttrType{stun.AttrXORPeerAddress, stun.AttrData, stun.AttrXORRelayedAddress, stun.AttrXORMappedAddress,
				stun.AttrLifetime, stun.AttrErrorCode, stun.AttrUsername, 0xc0b5, 0xc0b6, 0xc0b7}
			setters = append(setters, stun.RawAttribute{Type: kinds[f.rng.IntN(len(kinds))], Value: f.bytes(f.rng.IntN(24))})
		}
		setters = append(setters, stun.NewShortTermIntegrity("a stranger's password"), stun.Fingerprint)
		if m, err := stun.Build(setters...); err == nil {
			return m.Raw
		}
	}
	captured := f.nat.seen(byte(f.rng.IntN(4)))
	if len(captured) == 0 {
		return nil
	}
	b := append([]byte(nil), captured[f.rng.IntN(len(captured))]...)
	switch f.rng.IntN(4) {
	case 0:
		b[f.rng.IntN(len(b))] ^= byte(1 + f.rng.IntN(255))
	case 1:
		b = b[:f.rng.IntN(len(b))]
	case 2:
		b = append(b, f.bytes(f.rng.IntN(50))...)
	}
	return b
}

// overNAT returns two sides that talk to each other, a at an address of its own and b behind a router.
func overNAT(t *testing.T, beside func(netip.AddrPort, []byte)) (at netip.AddrPort, router *nat, a, b *side) {
	t.Helper()
	ids := identities(t)
	at = netip.MustParseAddrPort(endpoint("127.0.0.1", testbed.FreeUDPPorts(t, 1)))
	a = start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: int(at.Port()), LAN: beside != nil, Beside: beside})
	router = newNAT(t, at)
	b = start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: testbed.FreeUDPPorts(t, 1), Peers: []string{router.address()}})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	return at, router, a, b
}

// TestSecureAttack sends 100,000 datagrams of somebody without the key into a live link, from the peer's own address and
// from many others; then into one that has a relay, a neighbour on its port and the local network to look at, through the
// relay as well.
func TestSecureAttack(t *testing.T) {
	t.Run("as it is", func(t *testing.T) { attack(t, false) })
	t.Run("with all there is", func(t *testing.T) { attack(t, true) })
}

func attack(t *testing.T, everything bool) {
	noGoroutines(t)
	var besides atomic.Int64
	var beside func(netip.AddrPort, []byte)
	if everything {
		beside = func(_ netip.AddrPort, b []byte) {
			if b[0] != 'd' {
				t.Errorf("% x is not the neighbour's", b)
			}
			besides.Add(1)
		}
	}
	at, router, a, b := overNAT(t, beside)
	var own *standInRelay
	if everything {
		own = newStandInRelay(t, a.TakeRelayed)
		a.UseRelay(own)
		a.SetFound([]netip.AddrPort{addrPort("127.0.0.1", 9)})
		testbed.Await(t, "permissions", patience, func() error {
			own.mu.Lock()
			defer own.mu.Unlock()
			if len(own.permitted) == 0 {
				return errNotYet
			}
			return nil
		})
	}
	testbed.Await(t, "reports to forge", patience, func() error {
		if len(router.seen(kindRTCP)) < 4 {
			return errNotYet
		}
		return nil
	})
	var strangers []*net.UDPConn
	for range 200 {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		strangers = append(strangers, conn)
	}
	f := &forger{rng: rand.New(rand.NewPCG(1, 2)), nat: router}
	keys, stream := len(a.requests), a.Stats().Video.Receive.Stream
	before, heap := a.Stats(), heapInUse()
	const datagrams = 100_000
	flood := func(send func(n int, b []byte)) (took, spent time.Duration) {
		cpu, began := cpuTime(), time.Now()
		for n := range datagrams {
			send(n, f.next())
			if n%200 == 199 { // what the socket drops is no test
				time.Sleep(5 * time.Millisecond)
			}
		}
		return time.Since(began), cpuTime() - cpu
	}
	way := a.Way()
	took, spent := flood(func(n int, b []byte) {
		switch {
		case n%2 == 0:
			router.inject(b)
		case everything && n%6 == 1:
			_, _ = strangers[f.rng.IntN(len(strangers))].WriteToUDPAddrPort(b, own.at)
		default:
			_, _ = strangers[f.rng.IntN(len(strangers))].WriteToUDPAddrPort(b, at)
		}
	})
	after, grown := a.Stats(), heapInUse()-heap
	t.Logf("%d datagrams in %v, %d of them taken in and refused; heap grew by %d kB",
		datagrams, took.Round(time.Millisecond), after.Video.Receive.Ignored-before.Video.Receive.Ignored, grown>>10)
	drain := newDrain(t)
	_, other := flood(func(_ int, b []byte) { _, _ = drain.Write(b) })
	// A sender and a receiver of 1080p30 use about half a core.
	share := float64(spent-other) / float64(took)
	t.Logf("taking in and refusing cost %v of CPU, %.1f µs each, %.1f %% of a core at %.0f a second",
		(spent - other).Round(time.Millisecond), float64(spent-other)/float64(time.Microsecond)/datagrams, 100*share, datagrams/took.Seconds())
	if refused := after.Video.Receive.Ignored - before.Video.Receive.Ignored + uint64(besides.Load()); refused < datagrams*3/4 {
		t.Errorf("only %d datagrams were seen at all", refused)
	}
	if got := a.Way(); got != way {
		t.Errorf("the way is now %+v, want %+v as before", got, way)
	}
	if everything {
		own.mu.Lock()
		t.Logf("%d datagrams came to the neighbour; %d bytes came through the relay, and %d left", besides.Load(), own.in, own.out)
		if besides.Load() == 0 || own.out > own.in/10 {
			t.Errorf("%d datagrams came to the neighbour, and %d bytes left through the relay for %d; want some, and next to none", besides.Load(), own.out, own.in)
		}
		own.mu.Unlock()
	}
	if got := after.Video.Receive.Stream; got != stream {
		t.Errorf("the stream is now %+v, want %+v as before", got, stream)
	}
	if got := len(a.requests) - keys; got > 2 {
		t.Errorf("got %d requests for key frames, want none but by chance", got)
	}
	if grown > 4<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
	seen := map[uint16]bool{}
	for range len(a.arrivals) {
		got := <-a.arrivals
		if got.m != link.Video {
			continue
		}
		if got.stream.SSRC != 4 || !got.sane || seen[got.number] {
			t.Fatalf("packet %+v is not the peer's, or comes again", got)
		}
		seen[got.number] = true
	}
	both(t, a, b, 1, 2) // still
}

// TestSecureReflection: who repeats the peer's checks in another's name makes us send that other no more than 1.5 times as
// much, however slowly it goes on.
func TestSecureReflection(t *testing.T) {
	noGoroutines(t)
	t.Parallel()
	at, router, _, _ := overNAT(t, nil)
	var requests [][]byte
	testbed.Await(t, "checks to repeat", patience, func() error {
		requests = slices.DeleteFunc(slices.Clone(router.seen(kindSTUN)), func(b []byte) bool { return b[0] != 0 })
		if len(requests) < 3 {
			return errNotYet
		}
		return nil
	})
	for _, pause := range []time.Duration{time.Millisecond, 60 * time.Millisecond, 500 * time.Millisecond} {
		victim, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(at))
		if err != nil {
			t.Fatal(err)
		}
		defer victim.Close()
		sent := 0
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for began := time.Now(); time.Since(began) < 2*time.Second; <-tick.C {
			n, _ := victim.Write(requests[0])
			sent += n
		}
		got, datagrams := 0, 0
		_ = victim.SetReadDeadline(time.Now().Add(time.Second)) // and what comes of it later
		for b := make([]byte, 1500); ; datagrams++ {
			n, err := victim.Read(b)
			if err != nil {
				break
			}
			got += n
		}
		t.Logf("every %v: %d bytes sent, %d bytes in %d datagrams came of it", pause, sent, got, datagrams)
		if limit := sent*3/2 + len(requests[0]); got > limit || got == 0 {
			t.Errorf("every %v: %d bytes for %d, want some and at most %d", pause, got, sent, limit)
		}
	}
}

// newDrain returns a way to a socket that nobody reads.
func newDrain(t *testing.T) *net.UDPConn {
	t.Helper()
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp4", nil, sink.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close(), sink.Close() })
	return conn
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSecureNewPort changes the port of a NAT in front of one side.
func TestSecureNewPort(t *testing.T) {
	noGoroutines(t)
	_, router, _, b := overNAT(t, nil)
	for range 3 {
		before := b.await(t, link.Video, 2)
		router.rebind()
		began := time.Now()
		for got := before; ; before = got {
			if got = b.await(t, link.Video, 2); got.at.Sub(before.at) > 50*time.Millisecond || time.Since(began) > 3*time.Second {
				t.Logf("nothing came for %v", got.at.Sub(before.at).Round(time.Millisecond))
				if got.at.Sub(before.at) > busyLimit || got.stream != before.stream {
					t.Errorf("after %v: stream %+v, was %+v; want the same within 3s", got.at.Sub(before.at), got.stream, before.stream)
				}
				break
			}
		}
	}
}
