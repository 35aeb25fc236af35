// SPDX-License-Identifier: Apache-2.0

package media

import "encoding/binary"

// nalKinds are the kinds of NAL units in the RTP packets of one picture (RFC 6184, ITU-T H.264 7.3).
type nalKinds struct {
	idr, sps, pps bool
	b             bool // a slice of a B-frame
}

// key reports whether a decoder can begin with the picture.
func (k *nalKinds) key() bool { return k.idr && k.sps && k.pps }

const (
	rtpHeaderSize = 12 // without extensions, as rtph264pay makes it

	nalSlice, nalIDR, nalSPS, nalPPS = 1, 5, 7, 8
	nalSTAPA, nalFUA                 = 24, 28
)

// add takes in a packet of the picture.
func (k *nalKinds) add(packet []byte) {
	if len(packet) <= rtpHeaderSize+1 {
		return
	}
	payload := packet[rtpHeaderSize:]
	switch payload[0] & 31 {
	case nalSTAPA:
		for rest := payload[1:]; len(rest) > 2; {
			n := int(binary.BigEndian.Uint16(rest))
			if n == 0 || 2+n > len(rest) {
				return
			}
			k.unit(rest[2], rest[3:2+n])
			rest = rest[2+n:]
		}
	case nalFUA:
		if first := payload[1]&0x80 != 0; first {
			k.unit(payload[1], payload[2:])
		}
	default:
		k.unit(payload[0], payload[1:])
	}
}

// unit takes in the header of a unit and the beginning of what is in it.
func (k *nalKinds) unit(header byte, data []byte) {
	switch header & 31 {
	case nalSPS:
		k.sps = true
	case nalPPS:
		k.pps = true
	case nalIDR:
		k.idr = true
	case nalSlice:
		r := bitReader{data: data}
		r.golomb() // first_mb_in_slice
		k.b = k.b || r.golomb()%5 == 1
	}
}

// bitReader reads the numbers at the beginning of a slice. Behind the end are zeroes.
type bitReader struct {
	data []byte
	at   int
}

func (r *bitReader) bit() uint {
	i := r.at / 8
	if i >= len(r.data) {
		return 0
	}
	r.at++
	return uint(r.data[i]>>(7-(r.at-1)%8)) & 1
}

// golomb reads an unsigned number (ITU-T H.264, 9.1).
func (r *bitReader) golomb() uint {
	zeroes := 0
	for r.bit() == 0 {
		if zeroes++; zeroes > 31 {
			return 0
		}
	}
	n := uint(1)
	for range zeroes {
		n = n<<1 | r.bit()
	}
	return n - 1
}
