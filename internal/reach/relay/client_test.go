// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

var errNotYet = errors.New("not yet")

// exchange sends datagrams through the relay until one has come back, and returns how many that took.
func exchange(t *testing.T, r *running, p *peer, text string) (sent int) {
	t.Helper()
	testbed.Await(t, "an answer through the relay", 2*patience, func() error {
		sent++
		r.Send(p.at, []byte(text))
		for late := time.After(50 * time.Millisecond); ; {
			select {
			case got := <-r.came:
				if got == text { // an earlier one may have come late
					return nil
				}
			case <-late:
				return fmt.Errorf("not yet; the state is %+v", r.State())
			}
		}
	})
	return sent
}

// TestClient exchanges datagrams through a relay over each transport, where those before it are blocked.
func TestClient(t *testing.T) {
	for _, over := range []Transport{UDP, TCP, TLS} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			server := newTURNServer(t, over)
			p := newPeer(t, "127.0.0.1")
			began := time.Now()
			r := run(t, server.server())
			state := r.await(t, "address", hasAddress)
			t.Logf("an address after %v: %+v", time.Since(began).Round(time.Millisecond), state)
			if state.Transport != over || state.Err != nil {
				t.Errorf("got %+v, want one over %v", state, over)
			}
			r.Permit([]netip.Addr{p.at.Addr()})
			exchange(t, r, p, "first")
			for n := range 300 { // by channel data of all lengths
				exchange(t, r, p, strings.Repeat("x", 1+n*4+n%4))
			}
			r.stop()
			if got := server.running.AllocationCount(); got > 0 {
				testbed.Await(t, "the lease to be given back", patience, func() error {
					if server.running.AllocationCount() > 0 {
						return errNotYet
					}
					return nil
				})
			}
			if got := r.State(); got != (State{}) {
				t.Errorf("after its end: got %+v, want nothing", got)
			}
		})
	}
}

// TestClientPermits: what comes from others than the permitted ones is dropped, and nothing is sent to others.
func TestClientPermits(t *testing.T) {
	server := newTURNServer(t, UDP)
	server.refused["127.0.0.3"] = true
	friend, stranger, refused := newPeer(t, "127.0.0.1"), newPeer(t, "127.0.0.2"), newPeer(t, "127.0.0.3")
	r := run(t, server.server())
	state := r.await(t, "address", hasAddress)
	r.Permit([]netip.Addr{refused.at.Addr(), friend.at.Addr(), netip.MustParseAddr("2001:db8::1"), netip.IPv4Unspecified()})
	exchange(t, r, friend, "first")
	for range 20 {
		r.Send(stranger.at, []byte("to a stranger"))
		r.Send(refused.at, []byte("to one whom the server refuses"))
		_, _ = stranger.conn.WriteToUDPAddrPort([]byte("from a stranger"), state.Address)
	}
	exchange(t, r, friend, "last")
	if len(stranger.came)+len(refused.came) > 0 {
		t.Errorf("%d datagrams came to a stranger and %d to a refused one, want none", len(stranger.came), len(refused.came))
	}
	for len(r.came) > 0 {
		if got := <-r.came; got != "first" && got != "last" {
			t.Errorf("got %q", got)
		}
	}
	// Another address, which another friend has.
	r.Permit([]netip.Addr{stranger.at.Addr()})
	exchange(t, r, stranger, "permitted now")
}

// TestClientAfterRestart: the server is gone for a while, and has then forgotten the lease.
func TestClientAfterRestart(t *testing.T) {
	for _, over := range []Transport{UDP, TCP} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			server := newTURNServer(t, over)
			p := newPeer(t, "127.0.0.1")
			r := run(t, server.server())
			first := r.await(t, "address", hasAddress)
			r.Permit([]netip.Addr{p.at.Addr()})
			exchange(t, r, p, "before")
			server.stop()
			began := time.Now()
			tick := time.NewTicker(50 * time.Millisecond) // a call that is going on
			defer tick.Stop()
			for hasAddress(r.State()) && time.Since(began) < patience {
				r.Send(p.at, []byte("to nowhere"))
				<-tick.C
			}
			t.Logf("noticed after %v: %v", time.Since(began).Round(time.Millisecond), r.State().Err)
			server.start()
			began = time.Now()
			second := r.await(t, "second address", hasAddress)
			for len(r.came) > 0 {
				<-r.came
			}
			exchange(t, r, p, "after")
			t.Logf("another address %v after the first %v; back after %v", second.Address, first.Address, time.Since(began).Round(time.Millisecond))
		})
	}
}

// TestClientForgotten: a server that was restarted at once answers, but knows nothing of us.
func TestClientForgotten(t *testing.T) {
	server := newTURNServer(t, UDP)
	p := newPeer(t, "127.0.0.1")
	r := run(t, server.server())
	first := r.await(t, "address", hasAddress)
	r.Permit([]netip.Addr{p.at.Addr()})
	exchange(t, r, p, "before")
	server.stop()
	server.start()
	began := time.Now()
	exchange(t, r, p, "after")
	t.Logf("back after %v, at %v after %v", time.Since(began).Round(time.Millisecond), r.State().Address, first.Address)
}

// TestClientErrors says what is wrong, and never the password.
func TestClientErrors(t *testing.T) {
	good := newTURNServer(t, UDP, TCP)
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	wrong, user, away, closed := good.server(), good.server(), good.server(), good.server()
	wrong.Password = "another password"
	user.User = "nobody"
	away.Host, away.Transports = "relay.invalid", []Transport{UDP, TCP, TLS}
	closed.Port = silent.LocalAddr().(*net.UDPAddr).AddrPort().Port() // UDP is swallowed, TCP refused
	for name, test := range map[string]struct {
		server Server
		want   error
	}{
		"password": {wrong, ErrRefused}, "user": {user, ErrRefused}, "name": {away, ErrName}, "port": {closed, ErrSilent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			r := run(t, test.server)
			state := r.await(t, "error", failed)
			t.Logf("after %v: %v", time.Since(began).Round(time.Millisecond), state.Err)
			if n := strings.Count(state.Err.Error(), "no such host"); n > 1 {
				t.Errorf("said %d times that there is no such host: %v", n, state.Err)
			}
			if !errors.Is(state.Err, test.want) || hasAddress(state) || strings.Contains(state.Err.Error(), test.server.Password) {
				t.Errorf("got %+v, want %v and no password", state, test.want)
			}
		})
	}
}

// TestClientHostile floods the client with made-up and near-valid messages in the server's name. What seems to be of the
// peer may come through, as on any path: the link knows the peer's packets by their keys.
func TestClientHostile(t *testing.T) {
	server := newTURNServer(t, UDP)
	p := newPeer(t, "127.0.0.1")
	between := newForwarder(t, server.at)
	s := server.server()
	s.Port = between.at.Port()
	r := run(t, s)
	state := r.await(t, "address", hasAddress)
	r.Permit([]netip.Addr{p.at.Addr()})
	for range 50 {
		exchange(t, r, p, "before")
	}
	f := &forger{rng: rand.New(rand.NewPCG(3, 4)), captured: between.seen(), relayed: state.Address}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const datagrams = 100_000
	for n := range datagrams {
		between.inject(f.next())
		if n%200 == 199 {
			time.Sleep(2 * time.Millisecond) // what the socket drops is no test
		}
	}
	through := len(r.came)
	for range through {
		<-r.came
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d datagrams, of which %d seemed to be of the peer; the heap grew by %d kB", datagrams, through, grown>>10)
	if grown > 4<<20 {
		t.Errorf("the heap grew by %d kB", grown>>10)
	}
	exchange(t, r, p, "after")
	if now := r.State(); now != state {
		t.Errorf("the state is %+v, want %+v as before", now, state)
	}
	if sources := r.sources(); len(sources) != 1 {
		t.Errorf("datagrams came through from %v, want the permitted address alone", sources)
	}
}
