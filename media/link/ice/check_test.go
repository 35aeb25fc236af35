// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"testing"
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
