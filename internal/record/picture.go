// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The types of NAL units (H.264, table 7-1, and RFC 6184) that matter here.
const (
	nalSlice     = 1 // the first of those with a part of a picture
	nalIDR       = 5 // the last of them; a key frame has only such
	nalSPS       = 7
	nalPPS       = 8
	nalDelimiter = 9
	nalFiller    = 12
	nalSTAPA     = 24 // several NAL units in one packet
	nalFUA       = 28 // a part of one
)

// maxPicture bounds what a peer can make us keep for one picture.
const maxPicture = 4 << 20

// picture is a whole one.
type picture struct {
	ticks uint32
	at    time.Time // when its last packet came
	key   bool
	data  []byte // NAL units, each after its length in four bytes
}

// assembler makes pictures of the packets of one stream (RFC 6184).
type assembler struct {
	sps, pps []byte // the newest
	// skipped says that pictures are missing before the next one.
	skipped bool

	begun  bool
	broken bool // the picture lacks a packet
	now    picture
	slices bool // it has more than parameter sets
	whole  bool // the parameter sets are in it
	part   []byte
	inPart bool
}

// put takes the next packet, and passes on the picture that is whole with it.
func (a *assembler) put(p packet, gap bool, out func(picture)) {
	if a.begun && a.now.ticks != p.ticks {
		// Its sender did not mark the last packet, or that is lost.
		a.broken = a.broken || gap
		a.end(out)
	}
	first := !a.begun
	if first {
		a.begun, a.broken = true, false
		a.now = picture{ticks: p.ticks, data: a.now.data[:0]}
		a.slices, a.whole, a.inPart = false, false, false
	}
	switch {
	case gap && first && begins(p.payload):
		a.skipped = true
	case gap:
		a.broken = true
	}
	a.now.at = p.at
	a.take(p.payload)
	if p.marker {
		a.end(out)
	}
}

// begins says whether a packet is the first one of a picture.
func begins(payload []byte) bool {
	kind, rest := payload[0]&31, payload[1:]
	switch {
	case kind == nalSTAPA && len(rest) > 2:
		kind, rest = rest[2]&31, rest[3:]
	case kind == nalFUA && len(rest) > 0 && rest[0]&0x80 != 0:
		kind, rest = rest[0]&31, rest[1:]
	case kind == nalFUA:
		return false
	}
	if kind >= nalSlice && kind <= nalIDR {
		return len(rest) > 0 && rest[0]&0x80 != 0 // It begins with the first macroblock.
	}
	return kind > nalIDR && kind <= nalDelimiter
}

func (a *assembler) end(out func(picture)) {
	a.begun = false
	if a.inPart || a.broken || len(a.now.data) > maxPicture {
		a.skipped = true
		return
	}
	if !a.slices {
		return // Parameter sets by themselves are in the next key frame.
	}
	if a.now.key && !a.whole && a.sps != nil && a.pps != nil {
		a.now.data = append(appendUnit(appendUnit(nil, a.sps), a.pps), a.now.data...)
	}
	out(a.now)
}

// take takes what is in a packet.
func (a *assembler) take(payload []byte) {
	switch kind := payload[0] & 31; kind {
	case nalSTAPA:
		for rest := payload[1:]; len(rest) > 2; {
			size := int(binary.BigEndian.Uint16(rest))
			if size == 0 || size > len(rest)-2 {
				a.broken = true
				return
			}
			a.unit(rest[2 : 2+size])
			rest = rest[2+size:]
		}
	case nalFUA:
		if len(payload) < 3 {
			a.broken = true
			return
		}
		if first := payload[1]&0x80 != 0; first {
			a.broken = a.broken || a.inPart
			a.inPart = true
			a.part = append(a.part[:0], payload[0]&0xE0|payload[1]&31)
		}
		if !a.inPart || len(a.part) > maxPicture {
			a.broken = true
			return
		}
		a.part = append(a.part, payload[2:]...)
		if last := payload[1]&0x40 != 0; last {
			a.inPart = false
			a.unit(a.part)
		}
	default:
		a.unit(payload)
	}
}

// unit takes a NAL unit.
func (a *assembler) unit(nal []byte) {
	kind := nal[0] & 31
	switch {
	case kind == nalDelimiter || kind == nalFiller:
		return
	case kind == nalSPS:
		a.sps, a.whole = bytes.Clone(nal), true
	case kind == nalPPS:
		a.pps = bytes.Clone(nal)
	case kind >= nalSlice && kind <= nalIDR:
		a.slices = true
		a.now.key = a.now.key || kind == nalIDR
	}
	if len(a.now.data) <= maxPicture {
		a.now.data = appendUnit(a.now.data, nal)
	}
}

func appendUnit(b, nal []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(nal))), nal...)
}
