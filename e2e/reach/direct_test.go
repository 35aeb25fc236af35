// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// TestRealDirect shows what the secure link does by itself, where each side knows the other's address or only one does.
func TestRealDirect(t *testing.T) {
	needLab(t)
	t.Parallel()
	const wan1, wan2 = "203.0.112.11", "203.0.112.12"
	for _, tc := range []struct {
		name         string
		homes        func(l *lab) (inviter, guest *pc)
		known, knows string // the guest's address as the inviter has it, and the inviter's as the guest has it
		never        bool
	}{
		{"two home NATs, both know", homes(habits{}, habits{}), wan2, wan1, false},
		{"two home NATs, the guest knows", homes(habits{}, habits{}), "", wan1, true},
		{"IPv6 with firewalls, both know", homes(habits{ipv6: true, noIPv4: true}, habits{ipv6: true, noIPv4: true}), "2001:db8:2::2", "2001:db8:1::2", false},
		{"CGNAT and a home NAT, both know", func(l *lab) (*pc, *pc) {
			return l.home("inviter", habits{behind: l.carrier()}).pc("inviter"), l.home("guest", habits{}).pc("guest")
		}, wan2, "203.0.112.99", false},
		{"one symmetric, both know", homes(habits{symmetric: true}, habits{}), wan2, wan1, true},
		{"one symmetric, the other forwards", homes(habits{symmetric: true}, habits{forwards: true}), wan2, "", false},
		{"forwarded, but a firewall on the computer", func(l *lab) (*pc, *pc) {
			inviter := l.home("inviter", habits{forwards: true}).pc("inviter")
			inviter.guard()
			return inviter, l.home("guest", habits{}).pc("guest")
		}, "", wan1, true},
		{"one LAN, the LAN's address", oneLAN(habits{}), "", "192.168.1.2", false},
		{"one LAN, the outer address without hairpin", oneLAN(habits{}), "", wan1, true},
		{"one LAN, the outer address with hairpin", oneLAN(habits{forwards: true}), "", wan1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inviter, guest := tc.homes(newLab(t))
			c := newCall(t)
			a := c.start(inviter, peerConfig{Role: pairing.Inviter, Peers: known(tc.known)})
			b := c.start(guest, peerConfig{Role: pairing.Guest, Peers: known(tc.knows)})
			const never = 5 * time.Second
			limit := patience
			if tc.never {
				limit = never
			}
			took, ok := firstPictures(a, b, limit)
			t.Logf("connected: %v, after %v", ok, took)
			if ok == tc.never {
				t.Errorf("connected: %v, want %v", ok, !tc.never)
			}
		})
	}
}

func known(address string) []string {
	if address == "" {
		return nil
	}
	return []string{address}
}

// homes makes a home with a computer for each of the two.
func homes(a, b habits) func(*lab) (inviter, guest *pc) {
	return func(l *lab) (*pc, *pc) { return l.home("inviter", a).pc("inviter"), l.home("guest", b).pc("guest") }
}

// oneLAN makes one home with a computer for each.
func oneLAN(h habits) func(*lab) (inviter, guest *pc) {
	return func(l *lab) (*pc, *pc) {
		r := l.home("home", h)
		return r.pc("inviter"), r.pc("guest")
	}
}

// TestRealDirectWire shows that with reach direct nothing is sent to anybody but the peer: before it is there, while it is
// there, and after it has gone.
func TestRealDirectWire(t *testing.T) {
	needLab(t)
	t.Parallel()
	l := newLab(t)
	inviter, guest := homes(habits{ipv6: true, opens: true}, habits{ipv6: true})(l)
	c := newCall(t)
	sent := newCapture(t, inviter)
	peers := map[*pc]string{inviter: "203.0.112.12", guest: "203.0.112.11"}
	config := peerConfig{
		Role: pairing.Inviter, Peers: []string{peers[inviter]},
		MeetNodes: []string{serversAddr + ":6881"}, Relay: "turn:user:password@" + serversAddr + ":3478", // not to be used
	}
	a := c.start(inviter, config)
	time.Sleep(3 * time.Second) // nothing is awaited: nobody must hear of it meanwhile
	config.Role, config.Peers = pairing.Guest, []string{peers[guest]}
	b := c.start(guest, config)
	if _, ok := firstPictures(a, b, patience); !ok {
		t.Fatal("not connected")
	}
	b.process.Kill()
	time.Sleep(3 * time.Second)
	a.process.Terminate()
	<-a.process.Done()
	peer := netip.MustParseAddrPort(peers[inviter] + ":5000")
	if sent.others()[destination{unix.IPPROTO_UDP, peer}].packets == 0 {
		t.Errorf("nothing was sent to the peer:\n%s", lines(sent.others()))
	}
	if others := sent.others(peer); len(others) > 0 {
		t.Errorf("sent to others than the peer:\n%s", lines(others))
	}
}
