// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/binary"
	"errors"
	"slices"
)

// shape is what a sequence parameter set says of pictures. Within one file it stays as it is.
type shape struct {
	profile, chroma, lumaBits, chromaBits byte
	width, height                         int
}

// highProfiles are those whose parameter sets say which chroma they have (H.264, 7.3.2.1.1).
var highProfiles = []byte{100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}

var errSPS = errors.New("the picture's parameters cannot be read")

// largest is more than any picture.
const largest = 1 << 14

// parseSPS reads a sequence parameter set (H.264, 7.3.2.1.1).
func parseSPS(nal []byte) (shape, error) {
	if len(nal) < 4 {
		return shape{}, errSPS
	}
	s := shape{profile: nal[1], chroma: 1, lumaBits: 8, chromaBits: 8}
	r := bits{data: unescape(nal[4:])}
	r.golomb() // its number
	separate := false
	if slices.Contains(highProfiles, s.profile) {
		s.chroma = byte(r.golomb())
		separate = s.chroma == 3 && r.bit() == 1
		s.lumaBits, s.chromaBits = byte(8+r.golomb()), byte(8+r.golomb())
		r.bit()
		if r.bit() == 1 {
			r.skipScaling(s.chroma)
		}
	}
	r.golomb() // frame numbers
	switch r.golomb() {
	case 0:
		r.golomb()
	case 1:
		r.bit()
		r.golomb()
		r.golomb()
		for n := r.golomb(); n > 0 && !r.ended; n-- {
			r.golomb()
		}
	}
	r.golomb() // reference frames
	r.bit()
	wide, high := r.golomb()+1, r.golomb()+1
	frames := r.bit() // 1 if there are no fields
	if frames == 0 {
		r.bit()
	}
	r.bit()
	cropX, cropY := uint32(1), uint32(2)-frames
	if !separate && (s.chroma == 1 || s.chroma == 2) {
		cropX = 2
	}
	if !separate && s.chroma == 1 {
		cropY *= 2
	}
	var left, right, top, bottom uint32
	if r.bit() == 1 {
		left, right, top, bottom = r.golomb(), r.golomb(), r.golomb(), r.golomb()
	}
	if r.ended || max(wide, high, left, right, top, bottom) > largest {
		return shape{}, errSPS
	}
	s.width = int(16*wide) - int(cropX*(left+right))
	s.height = int(16*high*(2-frames)) - int(cropY*(top+bottom))
	if s.width <= 0 || s.height <= 0 || s.width > largest || s.height > largest {
		return shape{}, errSPS
	}
	return s, nil
}

// config is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) of parameter sets.
func (s shape) config(sps, pps []byte) []byte {
	b := []byte{1, sps[1], sps[2], sps[3], 0xFF, 0xE1}
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(sps))), sps...)
	b = append(binary.BigEndian.AppendUint16(append(b, 1), uint16(len(pps))), pps...)
	if s.profile != 66 && s.profile != 77 && s.profile != 88 {
		b = append(b, 0xFC|s.chroma, 0xF8|(s.lumaBits-8), 0xF8|(s.chromaBits-8), 0)
	}
	return b
}

// unescape removes the bytes that keep start codes out of a NAL unit.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// bits reads bits, the first one first. At the end it reads zeros.
type bits struct {
	data  []byte
	at    int
	ended bool
}

func (r *bits) bit() uint32 {
	if r.at/8 >= len(r.data) {
		r.ended = true
		return 0
	}
	b := r.data[r.at/8] >> (7 - r.at%8) & 1
	r.at++
	return uint32(b)
}

// golomb reads a number as H.264 codes it (9.1).
func (r *bits) golomb() uint32 {
	zeros := 0
	for r.bit() == 0 && !r.ended {
		if zeros++; zeros > 31 {
			r.ended = true
		}
	}
	v := uint32(1)
	for range zeros {
		v = v<<1 | r.bit()
	}
	return v - 1
}

// signed reads a number that may be negative (9.1.1).
func (r *bits) signed() int {
	v := int(r.golomb())
	if v%2 == 0 {
		return -v / 2
	}
	return (v + 1) / 2
}

// skipScaling reads over scaling lists (7.3.2.1.1.1).
func (r *bits) skipScaling(chroma byte) {
	lists := 8
	if chroma == 3 {
		lists = 12
	}
	for i := range lists {
		if r.bit() == 0 {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := 8, 8
		for j := 0; j < size && next != 0; j++ {
			if next = (last + r.signed() + 256) & 255; next != 0 {
				last = next
			}
		}
	}
}
