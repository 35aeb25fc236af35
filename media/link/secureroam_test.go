// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// newTwoNetworks makes two machines with two networks between them, cable and air, each a network namespace of its own.
// The one inside has the addresses 198.18.1.1 and 198.18.2.1, the one outside 198.18.1.2, 198.18.2.2, and on both 198.18.9.9.
func newTwoNetworks(t *testing.T) *homeNetwork {
	t.Helper()
	if testing.Short() {
		t.Skip("makes network namespaces")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("needs ip (Debian: iproute2): %v", err)
	}
	id := fmt.Sprint(os.Getpid())
	h := &homeNetwork{t: t, inside: "costream-left-" + id, outside: "costream-right-" + id}
	for _, ns := range []string{h.inside, h.outside} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("this machine allows no network namespaces: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		h.ip(ns, "link set lo up")
	}
	for i, network := range []string{"cable", "air"} {
		h.ip(h.inside, "link add "+network+" type veth peer name "+network+" netns "+h.outside)
		h.ip(h.inside, fmt.Sprintf("addr add 198.18.%d.1/24 dev %s", i+1, network))
		h.ip(h.outside, fmt.Sprintf("addr add 198.18.%d.2/24 dev %s", i+1, network))
		h.ip(h.inside, "link set "+network+" up")
		h.ip(h.outside, "link set "+network+" up")
	}
	h.ip(h.outside, "addr add 198.18.9.9/32 dev lo")
	h.ip(h.inside, "route add 198.18.9.9 via 198.18.1.2")
	return h
}

// TestRealRoam changes the networks of one side in mid-call. Only that side knows where the other one is.
func TestRealRoam(t *testing.T) {
	noGoroutines(t)
	for _, test := range []struct {
		name   string
		peers  []string
		change func(h *homeNetwork)
		want   string // where the hidden side then sends
	}{
		{"a cable is pulled", []string{"198.18.1.2", "198.18.2.2"},
			func(h *homeNetwork) { h.ip(h.inside, "link set cable down") }, "198.18.2.2"},
		{"the peer's cable is pulled", []string{"198.18.1.2", "198.18.2.2"},
			func(h *homeNetwork) { h.ip(h.outside, "link set cable down") }, "198.18.2.2"},
		{"a switch fails", []string{"198.18.1.2", "198.18.2.2"}, // no machine is told
			func(h *homeNetwork) {
				h.run(h.inside, "nft", "add table ip cut; add chain ip cut in { type filter hook input priority 0; }; add rule ip cut in iifname cable drop;"+
					"add chain ip cut out { type filter hook output priority 0; }; add rule ip cut out oifname cable drop")
			}, "198.18.2.2"},
		{"another address", []string{"198.18.1.2"},
			func(h *homeNetwork) {
				h.ip(h.inside, "addr add 198.18.1.77/24 dev cable")
				h.ip(h.inside, "addr del 198.18.1.1/24 dev cable")
				h.ip(h.inside, "addr add 198.18.1.78/24 dev cable")
			}, "198.18.1.2"},
		{"from cable to air", []string{"198.18.9.9"},
			func(h *homeNetwork) {
				h.ip(h.inside, "link set cable down")
				h.ip(h.inside, "route replace 198.18.9.9 via 198.18.2.2")
			}, ""}, // it sees the peer at both of its addresses
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newTwoNetworks(t)
			ids := identities(t)
			there := h.start(h.outside, link.SecureOptions{Identity: ids[0], Port: 5000})
			here := h.start(h.inside, link.SecureOptions{Identity: ids[1], Port: 5000, Peers: test.peers[:1]})
			there.talk(t, 1)
			here.talk(t, 2)
			both(t, there, here, 1, 2)
			for _, p := range test.peers[1:] {
				here.SetFound(append(link.Addresses(here.Secure), addrPort(p, 5000)))
			}
			<-time.After(time.Second) // so that all ways are known
			session := link.SessionOf(here.Secure)
			for _, s := range []*side{here, there} {
				s.drain()
			}
			test.change(h)
			for _, test := range []struct {
				name string
				side *side
				ssrc uint32
			}{{"here", here, 2}, {"there", there, 4}} {
				longest, last := time.Duration(0), test.side.await(t, link.Video, test.ssrc)
				for until := last.at.Add(3 * time.Second); last.at.Before(until); {
					next := test.side.await(t, link.Video, test.ssrc)
					longest = max(longest, next.at.Sub(last.at))
					last = next
				}
				t.Logf("%s nothing came for %v", test.name, longest.Round(time.Millisecond))
				if longest > busyLimit {
					t.Errorf("%s nothing came for %v, want 1s at most", test.name, longest)
				}
			}
			if got := here.Way().Addr.Addr().String(); got != test.want && test.want != "" || link.SessionOf(here.Secure) != session {
				t.Errorf("sends to %s in another session (%v), want %s in the same", got, link.SessionOf(here.Secure) != session, test.want)
			}
		})
	}
}

// TestRealLocalNetwork: two sides that know nothing of each other meet in the local network, over IPv4, IPv6, or both.
func TestRealLocalNetwork(t *testing.T) {
	noGoroutines(t)
	for _, test := range []struct {
		name, listen string
		prepare      string
	}{
		{"IPv4", "", "link set cable addrgenmode none"},
		{"IPv6", "", "addr flush dev cable scope global"},
		{"bound to one address", "198.18.1.2", "link set cable addrgenmode none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newTwoNetworks(t)
			for _, ns := range []string{h.inside, h.outside} {
				h.ip(ns, "link set air down")
				h.ip(ns, "link set cable down")
				h.ip(ns, test.prepare)
				h.run(ns, "sysctl", "-q", "-w", "net.ipv6.conf.cable.accept_dad=0")
				h.ip(ns, "link set cable up")
			}
			ids := identities(t)
			var sides [2]*side
			began := time.Now()
			for i, ns := range []string{h.outside, h.inside} {
				listen := test.listen
				if i == 1 {
					listen = ""
				}
				sides[i] = h.start(ns, link.SecureOptions{Identity: ids[i], Port: 5000, Listen: listen})
				sides[i].talk(t, uint32(i+1))
				began = time.Now()
				testbed.Await(t, "a local network", patience, func() (err error) { // the system gives itself an address first
					h.within(ns, func() {
						if !link.AskLocalNetworks(sides[i].Secure) {
							err = errNotYet
						}
					})
					return err
				})
			}
			a, b := sides[0], sides[1]
			both(t, a, b, 1, 2)
			took := time.Since(began)
			t.Logf("connected after %v: %v", took.Round(time.Millisecond), b.Way().Addr)
			if took > busyLimit {
				t.Errorf("connected after %v, want 1s", took)
			}
			if r := b.Probe(t.Context()); !r.Peer.IsValid() || len(r.Twins)+len(r.Strangers) > 0 {
				t.Errorf("got %+v, want the peer, and nobody else", r)
			}
		})
	}
}
