// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"time"
)

// Way is how datagrams reach an address of the peer: from our own socket, or from our address at a relay.
type Way struct {
	Addr    netip.AddrPort
	Relayed bool // through our own relay
}

func (w Way) String() string {
	if w.Relayed {
		return w.Addr.String() + " through our relay"
	}
	return w.Addr.String()
}

// Status is the way in use.
type Status struct {
	Connected  bool
	Way        Way       // where datagrams go; the zero Way unless Connected
	TheirRelay bool      // Way.Addr is the peer's address at a relay
	Since      time.Time // when this began, be it the way or that nobody answers
}
