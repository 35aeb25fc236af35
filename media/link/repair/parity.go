// SPDX-License-Identifier: Apache-2.0

package repair

import (
	"encoding/binary"
	"time"
)

const (
	// ParityPayloadType is the RTP payload type of parity, which is a stream of its own.
	ParityPayloadType = 98

	// groupLength is how many packets of a picture one group of parity covers at most, and smallGroup up to how many one
	// packet of parity is enough.
	groupLength = 10
	smallGroup  = 3

	// rtpHeaderSize is that of RTP (RFC 3550, 5.1); our packets have no contributing sources.
	rtpHeaderSize = 12

	// parityHeaderSize is that of the SSRC of the packets, the number of the first one, how many they are, and which kind of
	// parity it is.
	parityHeaderSize = 8

	// parityWait is how long a missing packet is awaited before it is asked for where parity may restore it.
	parityWait = 5 * time.Millisecond
)

// The kinds of parity, as those of RAID 6: the first restores one packet of a group, both restore two.
const (
	paritySum      = 0 // of all packets, that is XOR
	parityWeighted = 1 // where each packet counts double what the one after it does, in GF(2^8)
)

// ParityEncoder makes parity of the packets that pass. On a path that loses packets a picture is complete without the
// round trip that asking again takes. Not safe for
// concurrent use.
type ParityEncoder struct {
	ssrc   uint32
	number uint16 // of the next packet of parity

	first []byte // header of the group's first packet
	count int
	sums  [2][]byte
	out   []byte
}

// NewParityEncoder returns an encoder whose packets are a stream of their own, with an SSRC.
func NewParityEncoder(ssrc uint32) *ParityEncoder { return &ParityEncoder{ssrc: ssrc} }

// Add takes in a packet and sends parity at the end of a group or a picture: as many packets as level says.
func (m *ParityEncoder) Add(packet []byte, level int, send func([]byte)) {
	if level == 0 {
		m.count = 0
		return
	}
	if m.count == 0 {
		m.first = append(m.first[:0], packet[:rtpHeaderSize]...)
		m.sums[paritySum], m.sums[parityWeighted] = m.sums[paritySum][:0], m.sums[parityWeighted][:0]
	}
	m.count++
	m.sums[paritySum] = addBlock(m.sums[paritySum], packet)
	timesTwo(m.sums[parityWeighted])
	m.sums[parityWeighted] = addBlock(m.sums[parityWeighted], packet)
	if marker := packet[1]&0x80 != 0; !marker && m.count < groupLength {
		return
	}
	if m.count <= smallGroup {
		level = 1
	}
	for kind := range level {
		b := append(m.out[:0], 0x80, ParityPayloadType)
		b = binary.BigEndian.AppendUint16(b, m.number)
		b = append(b, m.first[4:8]...)
		b = binary.BigEndian.AppendUint32(b, m.ssrc)
		b = append(b, m.first[8:12]...)
		b = append(b, m.first[2:4]...)
		b = append(b, byte(m.count), byte(kind))
		m.out = append(b, m.sums[kind]...)
		m.number++
		send(m.out)
	}
	m.count = 0
}

// addBlock adds a packet to a sum, as a block of its length and its bytes with zeros after them.
func addBlock(sum, packet []byte) []byte {
	for len(sum) < 2+len(packet) {
		sum = append(sum, 0)
	}
	sum[0] ^= byte(len(packet) >> 8)
	sum[1] ^= byte(len(packet))
	for i, b := range packet {
		sum[2+i] ^= b
	}
	return sum
}

// ParityPacket is the content of one packet of parity.
type ParityPacket struct {
	SSRC  uint32 // of the packets that it covers
	First uint16 // sequence number of the first of them
	Count int    // how many they are
	kind  byte
	sum   []byte
}

// ParseParity reads the payload of a packet of parity, of which the result remains a part.
func ParseParity(payload []byte) (p ParityPacket, ok bool) {
	if len(payload) < parityHeaderSize+2+rtpHeaderSize {
		return p, false
	}
	p = ParityPacket{
		SSRC:  binary.BigEndian.Uint32(payload),
		First: binary.BigEndian.Uint16(payload[4:]),
		Count: int(payload[6]), kind: payload[7], sum: payload[parityHeaderSize:],
	}
	return p, p.Count >= 1 && p.Count <= groupLength && p.kind <= parityWeighted
}

// ParityDecoder restores packets from parity. The zero value works. Not safe for concurrent use.
type ParityDecoder struct {
	last ParityPacket // the newest sum of all packets, whose second packet of parity may follow
}

// Restore takes in a packet of parity, and the packets that it covers, nil for those that are missing, and how many of them
// are. It returns as many of the missing ones as it can: none, one or two.
func (d *ParityDecoder) Restore(p ParityPacket, packets [][]byte, missing int) [][]byte {
	sum, weighted := p.sum, []byte(nil)
	if p.kind == paritySum {
		p.sum = append(d.last.sum[:0], p.sum...)
		d.last = p
	} else {
		sum, weighted = nil, p.sum
		if d.last.SSRC == p.SSRC && d.last.First == p.First && d.last.Count == p.Count {
			sum = d.last.sum
		}
	}
	if missing == 0 {
		return nil
	}
	return restore(packets, sum, weighted)
}

// restore works out the packets of a group that are missing from those that are there, which are nil otherwise, and the
// sums, of which either may be nil. It returns as many as it can: none, one or two.
func restore(packets [][]byte, sum, weighted []byte) [][]byte {
	var missing []int
	for i, p := range packets {
		if p == nil {
			missing = append(missing, i)
		}
	}
	weight := func(i int) byte { return power(len(packets) - 1 - i) }
	sum, weighted = without(packets, sum, func(int) byte { return 1 }), without(packets, weighted, weight)
	switch {
	case len(missing) == 1 && sum != nil:
		return unblock(sum)
	case len(missing) == 1 && weighted != nil:
		scale(weighted, inverse(weight(missing[0])))
		return unblock(weighted)
	case len(missing) == 2 && sum != nil && len(sum) == len(weighted):
		x, y := weight(missing[0]), weight(missing[1])
		a, b := make([]byte, len(sum)), make([]byte, len(sum))
		over := inverse(x ^ y)
		for i := range sum {
			a[i] = times(weighted[i]^times(y, sum[i]), over)
			b[i] = sum[i] ^ a[i]
		}
		return append(unblock(a), unblock(b)...)
	}
	return nil
}

// without returns what is left of a sum when the packets that are there are taken away, or nil if that cannot be.
func without(packets [][]byte, sum []byte, weight func(int) byte) []byte {
	if sum == nil {
		return nil
	}
	rest := append([]byte(nil), sum...)
	for i, p := range packets {
		if p == nil {
			continue
		}
		if 2+len(p) > len(rest) {
			return nil
		}
		w := weight(i)
		rest[0] ^= times(w, byte(len(p)>>8))
		rest[1] ^= times(w, byte(len(p)))
		for j, b := range p {
			rest[2+j] ^= times(w, b)
		}
	}
	return rest
}

// unblock returns the packet in a block, if one is.
func unblock(block []byte) [][]byte {
	n := int(block[0])<<8 | int(block[1])
	if n < rtpHeaderSize || n > len(block)-2 {
		return nil
	}
	return [][]byte{block[2 : 2+n]}
}

// The field GF(2^8) with the polynomial of RAID 6.
const polynomial = 0x1d

func timesTwo(b []byte) {
	for i, x := range b {
		b[i] = x<<1 ^ polynomial*(x>>7)
	}
}

func scale(b []byte, by byte) {
	for i, x := range b {
		b[i] = times(x, by)
	}
}

func times(a, b byte) (product byte) {
	if b == 1 {
		return a
	}
	for ; b > 0; b >>= 1 {
		product ^= a * (b & 1)
		a = a<<1 ^ polynomial*(a>>7)
	}
	return product
}

// power is 2 to the n.
func power(n int) byte {
	p := byte(1)
	for range n {
		p = times(2, p)
	}
	return p
}

// inverse is 1/x; that of 0 is 0.
func inverse(x byte) byte {
	y := byte(1)
	for range 254 {
		y = times(y, x)
	}
	return y
}
