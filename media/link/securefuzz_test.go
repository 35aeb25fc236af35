// SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func testIdentity() *Identity {
	return &Identity{Name: "own", Password: "own password of a test", PeerName: "peer", PeerPassword: "peer password of a test"}
}

// mirrored is the identity of the other side.
func mirrored(id *Identity) *Identity {
	return &Identity{Caller: !id.Caller, Name: id.PeerName, Password: id.PeerPassword, PeerName: id.Name, PeerPassword: id.Password}
}

func TestCheckThereAndBack(t *testing.T) {
	id := testIdentity()
	own, peer := &checker{id: id}, &checker{id: mirrored(id)}
	for _, want := range []check{
		{transaction: transaction{1, 2}, from: 3, knows: 0},
		{response: true, transaction: transaction{4}, from: 1 << 63, knows: 5},
	} {
		b, err := peer.encode(want, netip.MustParseAddrPort("[2001:db8::1]:5000"))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := own.decode(b); !ok || got != want {
			t.Errorf("got %+v (%v), want %+v", got, ok, want)
		}
		if len(b) > maxCheck {
			t.Errorf("got %d bytes, want at most %d", len(b), maxCheck)
		}
		if got, ok := peer.decode(b); ok {
			t.Errorf("what came back to its sender was taken for the peer's: %+v", got)
		}
		for i := range b {
			changed := append([]byte(nil), b...)
			changed[i] ^= 1
			// The fingerprint at the end tells STUN from other protocols, and the passwords are what counts.
			if got, ok := own.decode(changed); ok && i < len(b)-8 {
				t.Errorf("byte %d changed: taken as %+v", i, got)
			}
		}
	}
}

// FuzzCheck holds that nothing is taken for a check that was not made with the password.
func FuzzCheck(f *testing.F) {
	id := testIdentity()
	c := &checker{id: id}
	own, err := c.encode(check{from: 1}, netip.AddrPort{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, ok := c.decode(b); ok {
			t.Errorf("% x: taken for a check: %+v", b, k)
		}
	})
}

// FuzzPipe holds that after the handshake nothing passes that is not encrypted.
func FuzzPipe(f *testing.F) {
	f.Add([]byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 0})
	f.Add([]byte{22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 7})
	f.Add([]byte{20, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newPipe(func([]byte) {})
		defer func() { _ = p.Close() }()
		p.put(b)
		p.seal()
		if p.put(b) && len(b) > 0 {
			for rest := b; len(rest) >= recordHeader; rest = rest[recordHeader+int(binary.BigEndian.Uint16(rest[11:])):] {
				if binary.BigEndian.Uint16(rest[3:]) != 1 || rest[0] != recordAlert && rest[0] != recordHandshake {
					t.Errorf("% x passed", b)
				}
			}
		}
	})
}

// FuzzSecureTake feeds datagrams to a link that has no session.
func FuzzSecureTake(f *testing.F) {
	s := &Secure{id: *testIdentity(), own: 1, lookNow: make(chan struct{}, 1), news: make(chan struct{}, 1)}
	s.checker.id = &s.id
	from := netip.MustParseAddrPort("192.0.2.1:5000")
	f.Add([]byte{})
	f.Add([]byte{0x80})
	f.Add([]byte{0x80, 200, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{22, 254, 253, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := s.refused.Load()
		s.take(from, b)
		if s.refused.Load() != before+1 || len(s.paths.all) > 0 {
			t.Errorf("% x was not refused", b)
		}
	})
}

func TestPaths(t *testing.T) {
	c := newClock()
	home, away := netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.1:6000")
	var p paths
	var count byte
	// checks sends all checks that are due and answers those to the addresses.
	checks := func(answering ...netip.AddrPort) (sent int) {
		for {
			count++
			to, _ := p.next(c.now(), transaction{count})
			if !to.IsValid() {
				return sent
			}
			sent++
			for _, a := range answering {
				if a == to && !p.answer(c.now(), a, transaction{count}) {
					t.Fatalf("the answer of %v was refused", a)
				}
			}
		}
	}
	p.configure(c.now(), []netip.AddrPort{home})
	if p.alive(c.now()) || p.selected != nil {
		t.Error("alive before any answer")
	}
	if p.answer(c.now(), home, transaction{200}) {
		t.Error("an answer to no question was taken")
	}
	checks(home)
	if !p.alive(c.now()) || p.selected.addr != home {
		t.Errorf("got %+v, want the one that answers", p.selected)
	}
	if p.answer(c.now(), home, transaction{1}) {
		t.Error("an answer was taken twice")
	}
	// The peer moves.
	c.pass(checkInterval)
	checks(home)
	c.pass(checkInterval / 2)
	if !p.heard(c.now(), away) {
		t.Error("the peer's new address is not checked at once")
	}
	checks(away)
	if p.selected.addr != home {
		t.Error("left the old address before it could answer")
	}
	c.pass(checkInterval)
	checks(away)
	if p.selected.addr != away {
		t.Errorf("got %v, want the new address", p.selected.addr)
	}
	// Somebody repeats requests from everywhere.
	for n := range 1000 {
		c.pass(10 * time.Millisecond)
		p.heard(c.now(), netip.AddrPortFrom(home.Addr(), uint16(10000+n)))
		checks(away)
	}
	if len(p.all) > maxLearned+2 || p.selected.addr != away {
		t.Errorf("got %d paths, sending to %v, want at most %d and %v", len(p.all), p.selected.addr, maxLearned+2, away)
	}
	// Nobody answers for minutes.
	c.pass(time.Minute)
	sent := 0
	for range 100 {
		c.pass(100 * time.Millisecond)
		p.expire(c.now())
		sent += checks()
	}
	if p.alive(c.now()) || len(p.all) != 2 {
		t.Errorf("got %d paths, alive %v, want the two that were known, and not alive", len(p.all), p.alive(c.now()))
	}
	if want := 2 * int(10*time.Second/restInterval); sent < want-4 || sent > want+4 {
		t.Errorf("got %d checks in 10s, want about %d", sent, want)
	}
	c.pass(restInterval)
	checks(home)
	if !p.alive(c.now()) || p.selected.addr != home {
		t.Errorf("got %+v, want the one that answers", p.selected)
	}
}

func TestRepair(t *testing.T) {
	c := newClock()
	const rtt, patience = 20 * time.Millisecond, 100 * time.Millisecond
	r := repair{enabled: true}
	ask := func(when string, want ...uint16) {
		t.Helper()
		if got, _ := r.ask(c.now(), rtt, patience); !slices.Equal(got, want) {
			t.Errorf("%s: asked for %v, want %v", when, got, want)
		}
	}
	r.gap(c.now(), 100, 102)
	ask("at once", 100, 101, 102)
	r.gap(c.now(), 101, 103)
	ask("one more", 103)
	c.pass(askAgainAfter)
	ask("before it could have come")
	r.arrived(c.now(), rtt, 103)
	r.gap(c.now(), 105, 105)
	ask("may be late as the last one was")
	c.pass(askAgainAfter)
	ask("it was not", 105)
	r.arrived(c.now(), rtt, 105)
	r.arrived(c.now(), rtt, 101)
	r.arrived(c.now(), rtt, 100)
	c.pass(rtt - askAgainAfter)
	ask("again", 102)
	c.pass(rtt + askAgainAfter)
	ask("and again", 102)
	r.arrived(c.now(), rtt, 102)
	late := r.disorder
	r.guess(c.now(), 200, 203)
	c.pass(late)
	ask("guessed", 200, 201, 202, 203)
	r.arrived(c.now(), rtt, 200)
	if r.disorder > late {
		t.Errorf("what was only guessed to be missing is not late, got %v", r.disorder)
	}
	c.pass(rtt + askAgainAfter)
	ask("guessed, once")
	r.gap(c.now(), 201, 202)
	c.pass(late)
	ask("they are missing indeed", 201, 202)
	c.pass(patience)
	if got, next := r.ask(c.now(), rtt, patience); len(got) != 0 || !next.IsZero() {
		t.Errorf("asked for %v, next %v, want it given up", got, next)
	}
	for n := uint64(0); n < 1000; n += 100 {
		r.gap(c.now(), 1000+n, 1060+n)
	}
	if len(r.missing) > maxMissing {
		t.Errorf("remembers %d packets, want at most %d", len(r.missing), maxMissing)
	}
}
