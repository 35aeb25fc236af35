// SPDX-License-Identifier: Apache-2.0

package jitter

// H.264 NAL unit types, and those that RFC 6184 adds for RTP.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

// KeyFrame tells whether an RTP payload holds a sequence parameter set and whether an IDR picture begins in it.
func KeyFrame(payload []byte) (sps, idr bool) {
	if len(payload) < 2 {
		return false, false
	}
	switch nal := payload[0] & 0x1f; nal {
	case nalSTAPA:
		for rest := payload[1:]; len(rest) > 2; {
			size := int(rest[0])<<8 | int(rest[1])
			rest = rest[2:]
			if size == 0 || size > len(rest) {
				break
			}
			s, i := nalUnit(rest[0]&0x1f, rest[1:size])
			sps, idr = sps || s, idr || i
			rest = rest[size:]
		}
		return sps, idr
	case nalFUA:
		if start := payload[1]&0x80 != 0; !start {
			return false, false
		}
		return nalUnit(payload[1]&0x1f, payload[2:])
	default:
		return nalUnit(nal, payload[1:])
	}
}

// nalUnit judges one NAL unit, or the first fragment of one, by its type and what follows its header.
func nalUnit(nal byte, body []byte) (sps, idr bool) {
	switch nal {
	case nalSPS:
		return true, false
	case nalIDR:
		// The slice header begins with first_mb_in_slice as an Exp-Golomb number, and 0 is a single 1 bit. Any other
		// slice than the first is no beginning: x264's zerolatency cuts each picture into several.
		return false, len(body) > 0 && body[0]&0x80 != 0
	default:
		return false, false
	}
}
