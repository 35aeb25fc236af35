// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func testCredentials() *Credentials {
	return &Credentials{Name: "own", Password: "own password of a test", PeerName: "peer", PeerPassword: "peer password of a test"}
}

// mirrored are the credentials of the other side.
func mirrored(id *Credentials) *Credentials {
	return &Credentials{Controlling: !id.Controlling, Name: id.PeerName, Password: id.PeerPassword, PeerName: id.Name, PeerPassword: id.Password}
}

func TestCheckThereAndBack(t *testing.T) {
	id := testCredentials()
	own, peer := &checker{id: id}, &checker{id: mirrored(id)}
	for _, want := range []check{
		{transaction: transaction{1, 2}, from: 3, knows: 0},
		{response: true, transaction: transaction{4}, from: 1 << 63, knows: 5},
		{response: true, transaction: transaction{4}, from: 1 << 63, knows: 5, relayed: true},
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

// TestCheckBytes: what older versions understand.
func TestCheckBytes(t *testing.T) {
	request := check{transaction: transaction{1, 2, 3}, from: 0x0102030405060708, knows: 9}
	response := request
	response.response = true
	for _, test := range []struct {
		id   *Credentials
		k    check
		want string
	}{
		{testCredentials(), request, "000100542112a44201020300000000000000000000060008706565723a6f776e002400046effffff802900080102030405060708" +
			"c0b5001001020304050607080000000000000009000800141580b81eeba1c65478be9f73a4fcb478f2a35d3680280004410df24c"},
		{testCredentials(), response, "010100402112a442010203000000000000000000002000080001329ae112a643" +
			"c0b50010010203040506070800000000000000090008001489f6ad9007b0c64bd90c6d823e428c45f8a0acec80280004d5f6f71e"},
		{mirrored(testCredentials()), request, "000100542112a442010203000000000000000000000600086f776e3a70656572002400046effffff802a00080102030405060708" +
			"c0b500100102030405060708000000000000000900080014e68e57d7dbb0c2cafc1cc821bf26b6054166503b80280004ed14d19d"},
	} {
		b, err := (&checker{id: test.id}).encode(test.k, netip.MustParseAddrPort("192.0.2.1:5000"))
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(b); got != test.want {
			t.Errorf("%+v: got\n%s, want\n%s", test.k, got, test.want)
		}
	}
}

// TestAgentHearsItself: where the peer's address is one of ours, too, our checks come back to us.
func TestAgentHearsItself(t *testing.T) {
	var a *Agent
	at := Way{Addr: netip.MustParseAddrPort("192.168.1.2:5000")}
	sent := 0
	var came [][]byte
	a = NewAgent(Options{Credentials: *testCredentials(), Send: func(to Way, b []byte) {
		sent++
		came = append(came, b)
	}})
	a.SetCandidates([]netip.AddrPort{at.Addr})
	a.SetLocal([]netip.AddrPort{netip.MustParseAddrPort("192.168.1.255:5000")})
	a.checkDue()
	if sent != 2 {
		t.Fatalf("got %d checks, want one there and one to all", sent)
	}
	for _, b := range came {
		if a.Take(at, b) {
			t.Error("an own check was taken for the peer's")
		}
	}
	if sent != 2 || len(a.paths.all) != 1 || a.Status().Connected || len(a.prober.twins) > 0 {
		t.Errorf("got %d answers, %d paths and twins %v, want none, one and none", sent-2, len(a.paths.all), a.prober.twins)
	}
	// Another machine with our side of the pair is still told from that.
	b, err := a.checker.encode(check{transaction: transaction{9}, from: 7}, netip.AddrPort{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Take(at, b); len(a.prober.twins) != 1 {
		t.Errorf("got twins %v, want %v", a.prober.twins, at)
	}
}

// TestProberHearsItself: a question of ours that comes back when its probe has just ended is not another machine's.
func TestProberHearsItself(t *testing.T) {
	at := Way{Addr: netip.MustParseAddrPort("192.168.1.2:5000")}
	ctx, end := context.WithCancel(t.Context())
	var sent [][]byte
	a := NewAgent(Options{Credentials: *testCredentials(), Send: func(_ Way, b []byte) {
		sent = append(sent, b)
		end()
	}})
	a.SetCandidates([]netip.AddrPort{at.Addr})
	if report := a.Probe(ctx); len(sent) == 0 || report.Peer.IsValid() {
		t.Fatalf("got %d questions and the peer at %v, want some and none", len(sent), report.Peer)
	}
	for _, b := range sent {
		a.Take(at, b)
	}
	if len(a.prober.twins) > 0 {
		t.Errorf("got twins %v, want none", a.prober.twins)
	}
}

// TestProbeRelayed: a probe tells whether it went through our own relay.
func TestProbeRelayed(t *testing.T) {
	for _, relayed := range []bool{false, true} {
		ids, at := testCredentials(), Way{Addr: netip.MustParseAddrPort("192.0.2.7:5000"), Relayed: relayed}
		var a, peer *Agent
		a = NewAgent(Options{Credentials: *ids, Send: func(_ Way, b []byte) { peer.Take(Way{Addr: netip.MustParseAddrPort("192.0.2.1:5000")}, b) }})
		peer = NewAgent(Options{Credentials: *mirrored(ids), Send: func(_ Way, b []byte) { a.Take(at, b) }})
		a.prober.called(at)
		if got := a.Probe(t.Context()); got.Peer != at.Addr || got.Relayed != relayed {
			t.Errorf("got the peer at %v, relayed %t; want %v, %t", got.Peer, got.Relayed, at.Addr, relayed)
		}
	}
}

// TestAgentLocal: who answers a question to all is asked where it is.
func TestAgentLocal(t *testing.T) {
	ids := testCredentials()
	all, at := netip.MustParseAddrPort("192.168.1.255:5000"), Way{Addr: netip.MustParseAddrPort("192.168.1.7:5000")}
	var asked []Way
	var question []byte
	a := NewAgent(Options{Credentials: *ids, Send: func(to Way, b []byte) { asked, question = append(asked, to), b }, Found: func(Way, time.Duration) {}})
	var answer []byte
	peer := NewAgent(Options{Credentials: *mirrored(ids), Send: func(_ Way, b []byte) { answer = b }})
	a.SetLocal([]netip.AddrPort{all})
	if a.checkDue(); len(asked) != 1 || asked[0].Addr != all {
		t.Fatalf("asked %v, want %v", asked, all)
	}
	if a.checkDue(); len(asked) != 1 {
		t.Errorf("asked again at once: %v", asked)
	}
	peer.Take(Way{Addr: netip.MustParseAddrPort("192.168.1.2:5000")}, question)
	if !a.Take(at, answer) || a.Status().Connected {
		t.Error("the answer to all was refused, or taken for a proof of where the peer is")
	}
	if a.checkDue(); len(asked) != 2 || asked[1] != at {
		t.Fatalf("asked %v, want %v after that", asked, at)
	}
	peer.Take(Way{Addr: netip.MustParseAddrPort("192.168.1.2:5000")}, question)
	if !a.Take(at, answer) || !a.Status().Connected {
		t.Error("the peer is not known to be where it answers")
	}
	a.local.newest = time.Time{}
	if a.checkDue(); slices.Contains(asked[2:], Way{Addr: all}) {
		t.Error("all are asked although the peer is there")
	}
}

// FuzzCheck holds that nothing is taken for a check that was not made with the password.
func FuzzCheck(f *testing.F) {
	id := testCredentials()
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

// FuzzAgent holds that an agent takes nothing in that was not made with the password.
func FuzzAgent(f *testing.F) {
	sent := 0
	a := NewAgent(Options{Credentials: *testCredentials(), Send: func(Way, []byte) { sent++ }})
	from := Way{Addr: netip.MustParseAddrPort("192.0.2.1:5000")}
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a.Take(from, b) || len(a.paths.all) > 0 || sent > 0 {
			t.Errorf("% x was not refused", b)
		}
	})
}
