// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"net"
	"net/netip"
)

// maxLocal bounds the addresses that LocalNetworks returns.
const maxLocal = 16

// limitedBroadcast is all machines of one local network, which the system chooses (RFC 919).
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// LocalNetworks returns addresses that all machines of the local networks listen at: the IPv4 broadcast addresses, and all
// nodes of each interface in IPv6 (ff02::1). Local is the address of ours that a socket is bound to, the zero Addr for all.
// It returns none where the system does not tell its interfaces.
func LocalNetworks(local netip.Addr) []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var known []network
	for _, i := range interfaces {
		n := network{name: i.Name, flags: i.Flags}
		addrs, _ := i.Addrs() // it may be gone
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.prefixes = append(n.prefixes, p)
			}
		}
		known = append(known, n)
	}
	return localNetworks(local, known)
}

// network is what an interface leads to.
type network struct {
	name     string
	flags    net.Flags
	prefixes []netip.Prefix // each with our address in it
}

func localNetworks(local netip.Addr, known []network) (found []netip.Addr) {
	add := func(a netip.Addr) {
		if len(found) < maxLocal {
			found = append(found, a)
		}
	}
	four := false
	for _, n := range known {
		if n.flags&net.FlagUp == 0 || n.flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		six := false
		for _, p := range n.prefixes {
			addr := p.Addr().Unmap()
			switch {
			case local.IsValid() && addr != local.WithZone(""):
			case addr.Is6():
				six = n.flags&net.FlagMulticast != 0
			case n.flags&net.FlagBroadcast != 0 && p.Bits() < 31:
				four = true
				add(broadcast(addr, p.Bits()))
			}
		}
		if six {
			add(netip.IPv6LinkLocalAllNodes().WithZone(n.name))
		}
	}
	if four {
		add(limitedBroadcast)
	}
	return found
}

// broadcast is the address of all machines of an IPv4 network.
func broadcast(addr netip.Addr, bits int) netip.Addr {
	b := addr.As4()
	for i := bits; i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}
