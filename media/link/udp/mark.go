// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mark tells networks how urgent a datagram is (DSCP, RFC 8837). Wi-Fi and some routers let those through first.
type Mark uint8

// The marks, as they stand in the header of IP. Sound has the one of pictures: with its own (EF) it may take another queue and
// overtake them. Then pictures that wait count as lost, are asked for again, and nobody sees how long their queue is.
const (
	Plain       Mark = 0
	Interactive Mark = 34 << 2 // AF41: pictures and sound of a call
)

// control is the control message that marks a datagram to an address.
func (m Mark) control(to netip.Addr) []byte {
	b := make([]byte, unix.CmsgSpace(4))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_TCLASS
	if to.Unmap().Is4() {
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_TOS
	}
	h.SetLen(unix.CmsgLen(4))
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0):], uint32(m))
	return b
}

// controls are the control messages of each mark, for IPv4 and for IPv6.
type controls map[Mark][2][]byte

func newControls(marks ...Mark) controls {
	c := make(controls)
	for _, m := range marks {
		c[m] = [2][]byte{m.control(netip.IPv4Unspecified()), m.control(netip.IPv6Unspecified())}
	}
	return c
}

// of is the control message of a mark; nil for none.
func (c controls) of(m Mark, to netip.Addr) []byte {
	if to.Unmap().Is4() {
		return c[m][0]
	}
	return c[m][1]
}
