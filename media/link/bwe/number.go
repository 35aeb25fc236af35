// SPDX-License-Identifier: Apache-2.0

package bwe

import "encoding/binary"

// The transport-wide number travels in a header extension of one element (RFC 8285, 4.2).
const (
	rtpHeaderSize = 12 // without contributing sources (RFC 3550, 5.1)
	extensionBit  = 0x10
	ExtensionSize = 8        // bytes that AppendNumber adds
	numberElement = 1<<4 | 2 // our identifier, and the length less one
	flagTwice     = 1        // follows the number: the packet comes a second time with the one after it
)

// AppendNumber appends an RTP packet with its transport-wide number to b. Packets with extensions or contributing sources
// of their own, which our pipelines do not make, go without.
func AppendNumber(b, packet []byte, number uint16, twice bool) []byte {
	if packet[0]&(extensionBit|0x0f) != 0 {
		return append(b, packet...)
	}
	b = append(b, packet[0]|extensionBit)
	b = append(b, packet[1:rtpHeaderSize]...)
	flags := byte(0)
	if twice {
		flags = flagTwice
	}
	b = append(b, 0xbe, 0xde, 0, 1, numberElement, byte(number>>8), byte(number), flags)
	return append(b, packet[rtpHeaderSize:]...)
}

// TakeNumber returns an RTP packet as it was before AppendNumber, in place, and what that added, if anything.
func TakeNumber(packet []byte) (rest []byte, number uint16, twice, ok bool) {
	const at = rtpHeaderSize
	if number, ok = numberOf(packet); !ok {
		return packet, 0, false, false
	}
	twice = packet[at+7]&flagTwice != 0
	copy(packet[ExtensionSize:], packet[:at])
	packet = packet[ExtensionSize:]
	packet[0] &^= extensionBit
	return packet, number, twice, true
}

// numberOf is the number of a packet as AppendNumber made it, encrypted or not.
func numberOf(packet []byte) (number uint16, ok bool) {
	const at = rtpHeaderSize
	if len(packet) < at+ExtensionSize || packet[0]&(extensionBit|0x0f) != extensionBit ||
		binary.BigEndian.Uint32(packet[at:]) != 0xbede0001 || packet[at+4] != numberElement {
		return 0, false
	}
	return binary.BigEndian.Uint16(packet[at+5:]), true
}
