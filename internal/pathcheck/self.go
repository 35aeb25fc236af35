// SPDX-License-Identifier: Apache-2.0

package pathcheck

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Self says that the addresses of the peer lead back to our own sockets, so that we would show and hear ourselves, or nil.
// listen are the addresses that the sockets are bound to; empty means all of this machine. own are this machine's addresses.
func Self(name string, peer, listen, own []netip.Addr) error {
	back := func(a netip.Addr) bool {
		a = a.WithZone("")
		if len(listen) > 0 {
			return slices.ContainsFunc(listen, func(l netip.Addr) bool { return l.WithZone("") == a })
		}
		return a.IsLoopback() || a.IsUnspecified() || slices.Contains(own, a)
	}
	if len(peer) == 0 || slices.ContainsFunc(peer, func(a netip.Addr) bool { return !back(a) }) {
		return nil
	}
	return fmt.Errorf("--peer %s is this machine itself, so you would see and hear yourself: give your friend's address with --peer", name)
}

// OwnAddresses are this machine's addresses. Without an answer of the kernel there are none.
func OwnAddresses() []netip.Addr {
	addrs, _ := net.InterfaceAddrs()
	var own []netip.Addr
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, prefix.Addr().Unmap().WithZone(""))
		}
	}
	return own
}
