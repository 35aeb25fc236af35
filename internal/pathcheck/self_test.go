// SPDX-License-Identifier: Apache-2.0

package pathcheck

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestSelf(t *testing.T) {
	parse := func(list string) (addrs []netip.Addr) {
		for _, text := range strings.Fields(list) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		return addrs
	}
	own := parse("127.0.0.1 192.168.1.5 fe80::1 ::1")
	for _, tt := range []struct {
		name, peer, listen string
		want               bool
	}{
		{"a friend's", "192.168.1.6", "", false},
		{"ours", "192.168.1.5", "", true},
		{"the loopback address", "127.0.0.1", "", true},
		{"another loopback address", "127.0.0.9", "", true},
		{"all addresses", "0.0.0.0", "", true},
		{"an address of a link", "fe80::1%eth0", "", true},
		{"a name with addresses of both", "192.168.1.6 192.168.1.5", "", false},
		{"two addresses of ours", "192.168.1.5 ::1", "", true},
		{"ours, but we listen on another", "127.0.0.2", "127.0.0.1", false},
		{"ours, on which we listen", "127.0.0.1", "127.0.0.1", true},
		{"a name without an address", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Self("NAME", parse(tt.peer), parse(tt.listen), own)
			if (err != nil) != tt.want {
				t.Errorf("got %v, want an error: %t", err, tt.want)
			}
		})
	}
	if got := OwnAddresses(); !slices.ContainsFunc(got, netip.Addr.IsLoopback) {
		t.Errorf("this machine has the addresses %v, want the loopback address among them", got)
	}
}
