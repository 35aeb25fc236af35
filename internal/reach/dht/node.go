// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
)

// ID is the place of a node or an item in the DHT.
type ID [20]byte

// Node is a node of the DHT: its ID and where it listens.
type Node struct {
	ID   ID
	Addr netip.AddrPort
}

// String is the node as ID@ADDRESS, which ParseNode reads.
func (n Node) String() string { return hex.EncodeToString(n.ID[:]) + "@" + n.Addr.String() }

// ParseNode reads what Node.String returned.
func ParseNode(s string) (Node, error) {
	id, addr, _ := strings.Cut(s, "@")
	var n Node
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != len(n.ID) {
		return Node{}, fmt.Errorf("dht: node %.80q: its ID must be 40 hexadecimal digits", s)
	}
	copy(n.ID[:], b)
	if n.Addr, err = netip.ParseAddrPort(addr); err != nil {
		return Node{}, fmt.Errorf("dht: node %.80q: %w", s, err)
	}
	return n, nil
}

// closer tells whether a is closer to a target than b.
func closer(target, a, b ID) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

// compare orders by the distance to a target.
func compare(target, a, b ID) int {
	switch {
	case closer(target, a, b):
		return -1
	case closer(target, b, a):
		return 1
	}
	return bytes.Compare(a[:], b[:])
}

// Public tells whether an address can be that of a stranger's node on the internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	if a.Is6() {
		return a.As16()[0]>>5 == 1 // 2000::/3
	}
	b := a.As4()
	return b[0] != 0 && b[0] < 224 && !(b[0] == 100 && b[1]&0xc0 == 64) // 100.64.0.0/10 is shared by customers of a provider
}

// family is 0 for IPv4 and 1 for IPv6, which are two separate networks (BEP 32).
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
