// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLocalNetworks(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, s := range texts {
			all = append(all, netip.MustParsePrefix(s))
		}
		return all
	}
	const lan = net.FlagUp | net.FlagBroadcast | net.FlagMulticast
	home := network{"eth0", lan, prefixes("192.168.1.2/24", "10.1.2.3/22", "fe80::1/64", "2001:db8::1/64")}
	var many []network
	for range 100 {
		many = append(many, home)
	}
	for _, test := range []struct {
		name  string
		local netip.Addr
		known []network
		want  []string
	}{
		{"a home", netip.Addr{}, []network{
			{"lo", net.FlagUp | net.FlagLoopback | net.FlagMulticast, prefixes("127.0.0.1/8", "::1/128")},
			home,
			{"wlan0", lan &^ net.FlagUp, prefixes("192.168.2.2/24")},
			{"tun0", net.FlagUp | net.FlagPointToPoint | net.FlagMulticast, prefixes("10.8.0.2/24", "fe80::2/64")},
			{"eth1", lan, nil},
			{"eth2", lan, prefixes("192.0.2.1/31", "192.0.2.2/32")},
			{"eth3", lan &^ net.FlagMulticast, prefixes("fe80::3/64")},
		}, []string{"192.168.1.255", "10.1.3.255", "ff02::1%eth0", "255.255.255.255"}},
		{"bound to IPv4", netip.MustParseAddr("10.1.2.3"), []network{home}, []string{"10.1.3.255", "255.255.255.255"}},
		{"bound to IPv6", netip.MustParseAddr("2001:db8::1"), []network{home}, []string{"ff02::1%eth0"}},
		{"bound to a link", netip.MustParseAddr("fe80::1%eth0"), []network{home}, []string{"ff02::1%eth0"}},
		{"IPv6 alone", netip.Addr{}, []network{{"eth0", lan, prefixes("fe80::1/64")}}, []string{"ff02::1%eth0"}},
		{"nothing", netip.Addr{}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(addrs(test.want...), localNetworks(test.local, test.known), compareAddrs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := localNetworks(netip.Addr{}, many); len(got) != maxLocal {
		t.Errorf("got %d addresses of many networks, want %d", len(got), maxLocal)
	}
}
