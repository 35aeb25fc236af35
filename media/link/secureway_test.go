// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

func addrPort(addr string, port int) netip.AddrPort {
	return netip.MustParseAddrPort(endpoint(addr, port))
}

// TestSecureFound connects sides that know no address beforehand, and then finds others, and none, for the one in use.
func TestSecureFound(t *testing.T) {
	noGoroutines(t)
	ids, ports := identities(t), testbed.FreeUDPPorts(t, 2)
	at := addrPort("127.0.0.1", ports)
	a := start(t, link.SecureOptions{Identity: ids[0], Listen: "127.0.0.1", Port: ports})
	began := time.Now()
	b := start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: ports + 1, Peers: []string{"nobody.invalid"}})
	if got := b.Port(); int(got) != ports+1 {
		t.Errorf("got port %d, want %d", got, ports+1)
	}
	if got := b.Way(); got.Connected() || got.Since.Before(began.Add(-time.Second)) {
		t.Errorf("nobody is there: got %+v", got)
	}
	b.SetFound([]netip.AddrPort{
		{}, netip.AddrPortFrom(netip.IPv4Unspecified(), 5), addrPort("224.0.0.1", 5), addrPort("::1", 5), // cannot be the peer
		addrPort("::ffff:127.0.0.1", ports), at, at,
	})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	want := link.Way{Addr: at}
	got := b.Way()
	if got.Since.Before(began) || time.Since(got.Since) > patience {
		t.Errorf("in use since %v, want a moment ago", got.Since)
	}
	if got.Since = (time.Time{}); got != want {
		t.Errorf("got way %+v, want %+v", got, want)
	}
	select {
	case <-b.WayChanged():
	default:
		t.Error("nobody told that the way has changed")
	}

	session := link.SessionOf(b.Secure)
	b.drain()
	var others []netip.AddrPort
	for n := range 100 {
		others = append(others, addrPort("127.0.0.1", 1+n))
	}
	last := b.await(t, link.Video, 2)
	for _, found := range [][]netip.AddrPort{others, nil, {at}, append(others, at)} {
		b.SetFound(found)
		for until := time.Now().Add(700 * time.Millisecond); time.Now().Before(until); {
			next := b.await(t, link.Video, 2)
			if gap := next.at.Sub(last.at); gap > busyLimit/3 {
				t.Errorf("%d addresses found: nothing came for %v", len(found), gap)
			}
			last = next
		}
	}
	if got := b.Way().Addr; got != at || link.SessionOf(b.Secure) != session {
		t.Errorf("got way %v and another session %v, want %v and the same", got, link.SessionOf(b.Secure) != session, at)
	}

	a.stop()
	testbed.Await(t, "the peer to be missed", patience, func() error {
		if b.Way().Connected() {
			return errNotYet
		}
		return nil
	})
	if got := time.Since(b.Way().Since); got > patience {
		t.Errorf("nobody answers for %v, want some seconds", got)
	}
}

// TestSecureOwnAddress: the address where the peer may be is one of ours as well, as it is in many homes.
func TestSecureOwnAddress(t *testing.T) {
	noGoroutines(t)
	ids, port := identities(t), testbed.FreeUDPPorts(t, 1)
	for i, id := range ids {
		s := start(t, link.SecureOptions{Identity: id, Listen: "127.0.0.1", Port: port, Peers: []string{endpoint("127.0.0.1", port)}})
		before := s.Stats().Video.Receive.Ignored
		testbed.Await(t, "own checks to come back", patience, func() error {
			if s.Stats().Video.Receive.Ignored < before+4 {
				return errNotYet
			}
			return nil
		})
		r := probeFor(t, s.Secure, 700*time.Millisecond)
		if got := s.Way(); got.Connected() || r.Peer.IsValid() || len(r.Twins)+len(r.Strangers) > 0 {
			t.Errorf("side %d takes itself for the peer or a twin: way %+v, probe %+v", i, got, r)
		}
		s.stop()
	}
}

// TestSecureBeside carries another protocol on the port, on air and off air.
func TestSecureBeside(t *testing.T) {
	noGoroutines(t)
	ids, ports := identities(t), testbed.FreeUDPPorts(t, 2)
	neighbour, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer neighbour.Close()
	there := neighbour.LocalAddr().(*net.UDPAddr).AddrPort()
	came := make(chan string, 10)
	options := link.SecureOptions{
		Identity: ids[0], Listen: "127.0.0.1", Port: ports,
		Beside: func(from netip.AddrPort, b []byte) { came <- fmt.Sprint(from, " ", string(b)) },
	}
	exchange := func(s *link.Secure, port int) {
		t.Helper()
		testbed.Await(t, "a question", patience, func() error {
			s.SendBeside(there, []byte("d1:q4:pinge"))
			b := make([]byte, 100)
			_ = neighbour.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			n, from, err := neighbour.ReadFromUDPAddrPort(b)
			if err != nil || string(b[:n]) != "d1:q4:pinge" || from != addrPort("127.0.0.1", port) {
				return fmt.Errorf("got %q from %v: %v", b[:n], from, err)
			}
			return nil
		})
		_, _ = neighbour.WriteToUDPAddrPort([]byte("d1:r2:ide"), addrPort("127.0.0.1", port))
	}
	wantCame := func() {
		t.Helper()
		select {
		case got := <-came:
			if want := there.String() + " d1:r2:ide"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Error("no answer came")
		}
	}
	off, stop := standby(t, options)
	exchange(off, ports)
	wantCame()
	stop()

	a := start(t, options)
	b := start(t, link.SecureOptions{Identity: ids[1], Listen: "127.0.0.1", Port: ports + 1, Peers: []string{endpoint("127.0.0.1", ports)}})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	exchange(a.Secure, ports)
	wantCame()

	refused := b.Stats().Video.Receive.Ignored
	exchange(b.Secure, ports+1)
	testbed.Await(t, "what nobody takes to be refused", patience, func() error {
		if b.Stats().Video.Receive.Ignored == refused {
			return errNotYet
		}
		return nil
	})
	// A neighbour with much to say takes no packet's place.
	dropped := a.Stats().Video.Send.Dropped
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20_000 {
			a.SendBeside(there, make([]byte, 1000))
		}
	}()
	both(t, a, b, 1, 2)
	<-done
	if got := a.Stats().Video.Send.Dropped - dropped; got > 0 {
		t.Errorf("%d packets were dropped", got)
	}
}

// standInRelay is a relay of a test's own: a socket whose address the peer is told, and which may be deaf.
type standInRelay struct {
	conn *net.UDPConn
	at   netip.AddrPort

	mu        sync.Mutex
	permitted []netip.Addr
	sent      int // datagrams
	in, out   int // bytes
}

func newStandInRelay(t *testing.T, take func(netip.AddrPort, []byte)) *standInRelay {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := &standInRelay{conn: conn, at: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	testbed.Run(t, "the relay", func(ctx context.Context) error {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		b := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return nil
			}
			r.mu.Lock()
			permitted := slices.Contains(r.permitted, from.Addr())
			r.in += n
			r.mu.Unlock()
			if permitted {
				take(from, b[:n])
			}
		}
	})
	return r
}

func (r *standInRelay) Send(to netip.AddrPort, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.permitted, to.Addr()) {
		r.sent++
		r.out += len(b)
		_, _ = r.conn.WriteToUDPAddrPort(b, to)
	}
}

func (r *standInRelay) Permit(addrs []netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.permitted = slices.Clone(addrs)
}

func (r *standInRelay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}
