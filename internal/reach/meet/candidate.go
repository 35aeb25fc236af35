// SPDX-License-Identifier: Apache-2.0

package meet

import (
	"net/netip"
	"slices"
)

// MaxCandidates is how many addresses a note has room for.
const MaxCandidates = 16

// Kind says how an address of a candidate came about. The numbers are part of a note.
type Kind uint8

// The kinds of candidates.
const (
	Host    Kind = 1 // a public address of the machine itself
	Outer   Kind = 2 // where nodes of the DHT see the machine
	Mapped  Kind = 3 // a port that the router opened
	Relayed Kind = 4 // at a relay
	LAN     Kind = 5 // a private address of the machine

	// Changing is Outer where the network uses another port for each connection, so that the port is of no use. The address
	// is: a relay must know whom to let in.
	Changing Kind = 6
)

func (k Kind) String() string {
	switch k {
	case Host:
		return "host"
	case Outer:
		return "outer"
	case Mapped:
		return "mapped"
	case Relayed:
		return "relayed"
	case LAN:
		return "LAN"
	case Changing:
		return "changing"
	}
	return "unknown"
}

// Candidate is an address at which a side may be reached.
type Candidate struct {
	Addr netip.AddrPort
	Kind Kind
}

// usable tells whether an address may be in a note: one of the internet, of a private network or of a provider's shared
// ones.
func usable(a netip.AddrPort) bool {
	addr := a.Addr()
	if !a.IsValid() || a.Port() == 0 || addr.Is4In6() || addr.Zone() != "" || !addr.IsGlobalUnicast() {
		return false
	}
	if addr.Is4() {
		first := addr.As4()[0]
		return first != 0 && first != 127 && first < 224
	}
	return addr.IsPrivate() || addr.As16()[0]>>5 == 1 // fc00::/7 and 2000::/3
}

// choose returns the usable ones, each address once, no more than a note has room for.
func choose(all []Candidate) []Candidate {
	var chosen []Candidate
	for _, c := range all {
		c.Addr = netip.AddrPortFrom(c.Addr.Addr().Unmap(), c.Addr.Port())
		known := slices.ContainsFunc(chosen, func(o Candidate) bool { return o.Addr == c.Addr })
		if c.Kind >= Host && c.Kind <= Changing && usable(c.Addr) && !known && len(chosen) < MaxCandidates {
			chosen = append(chosen, c)
		}
	}
	return chosen
}
