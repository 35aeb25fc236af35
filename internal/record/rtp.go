// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/binary"
	"slices"
	"time"
)

// packet is an RTP packet (RFC 3550).
type packet struct {
	number  uint16
	ticks   uint32
	marker  bool
	payload []byte
	at      time.Time // when it came
}

// parse returns false for what is no RTP packet with a payload.
func parse(b []byte, at time.Time) (packet, bool) {
	const header = 12
	if len(b) < header || b[0]>>6 != 2 {
		return packet{}, false
	}
	p := packet{number: binary.BigEndian.Uint16(b[2:]), ticks: binary.BigEndian.Uint32(b[4:]), marker: b[1]&0x80 != 0, at: at}
	rest := b[header:]
	sources := 4 * int(b[0]&15)
	if len(rest) < sources {
		return packet{}, false
	}
	rest = rest[sources:]
	if b[0]&0x10 != 0 {
		if len(rest) < 4 {
			return packet{}, false
		}
		extension := 4 + 4*int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < extension {
			return packet{}, false
		}
		rest = rest[extension:]
	}
	if b[0]&0x20 != 0 && len(rest) > 0 {
		padding := int(rest[len(rest)-1])
		if padding == 0 || padding > len(rest) {
			return packet{}, false
		}
		rest = rest[:len(rest)-padding]
	}
	p.payload = rest
	return p, len(rest) > 0
}

const (
	// orderPackets and orderTime are how long packets wait for one before them. A recording is in no hurry.
	orderPackets = 256
	orderTime    = 200 * time.Millisecond
	// farPackets is more than packets are ever out of order.
	farPackets = 4096
)

// order brings the packets of one stream into the order in which they were sent.
type order struct {
	begun bool
	next  uint16
	early []packet // sorted, all of them after next
}

// put takes a packet, whose payload it copies if it must wait, and passes on what is in order now. gap says that packets
// before it never came.
func (o *order) put(p packet, out func(p packet, gap bool)) {
	if !o.begun {
		o.begun, o.next = true, p.number
	}
	ahead := int16(p.number - o.next)
	if ahead > farPackets || ahead < -farPackets {
		// Nothing of what is between them comes any more.
		o.flush(out)
		o.next = p.number + 1
		out(p, true)
		return
	}
	switch {
	case ahead == 0:
		o.next++
		out(p, false)
	case ahead < 0:
		return // It comes twice, or too late.
	default:
		p.payload = slices.Clone(p.payload)
		at, twice := slices.BinarySearchFunc(o.early, ahead, func(e packet, ahead int16) int {
			return int(int16(e.number-o.next)) - int(ahead)
		})
		if !twice {
			o.early = slices.Insert(o.early, at, p)
		}
	}
	for len(o.early) > 0 {
		first := o.early[0]
		gap := first.number != o.next
		if gap && len(o.early) < orderPackets && p.at.Sub(first.at) < orderTime {
			return
		}
		o.early = slices.Delete(o.early, 0, 1)
		o.next = first.number + 1
		out(first, gap)
	}
}

// flush passes on what waits.
func (o *order) flush(out func(p packet, gap bool)) {
	for _, p := range o.early {
		gap := p.number != o.next
		o.next = p.number + 1
		out(p, gap)
	}
	o.early = nil
}
