// SPDX-License-Identifier: Apache-2.0

package call

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// outgoing joins the packets of our senders during one time on air into one RTP stream. A pipeline that is built again
// begins with a new SSRC, sequence number and timestamp. A 2020 receiver ends with "not-linked" when the SSRC changes
// (measured), and any other receiver loses time. It is used by one goroutine at a time: the next sender starts after the
// last has ended.
type outgoing struct {
	rate uint32 // of the RTP clock, in Hz
	ssrc uint32

	begun     bool
	from      uint32 // SSRC of the current pipeline
	seqShift  uint16
	timeShift uint32
	lastSeq   uint16
	lastTime  uint32
	lastAt    time.Time
	packet    []byte
}

func newOutgoing(rate uint32) *outgoing {
	return &outgoing{rate: rate, ssrc: rand.Uint32()}
}

// rtpHeader is the length of an RTP header without extensions (RFC 3550, 5.1).
const rtpHeader = 12

// next returns a packet with the numbers that continue the stream. The result is valid until the next call; the packet
// itself belongs to the pipeline and is not changed.
func (o *outgoing) next(packet []byte, now time.Time) []byte {
	if len(packet) < rtpHeader {
		return packet
	}
	packet = append(o.packet[:0], packet...)
	o.packet = packet
	seq := binary.BigEndian.Uint16(packet[2:])
	stamp := binary.BigEndian.Uint32(packet[4:])
	ssrc := binary.BigEndian.Uint32(packet[8:])
	switch {
	case !o.begun:
		o.begun, o.from = true, ssrc
	case ssrc != o.from:
		o.from = ssrc
		o.seqShift = o.lastSeq + 1 - seq
		gap := uint32(now.Sub(o.lastAt).Seconds() * float64(o.rate))
		o.timeShift = o.lastTime + gap - stamp
	}
	o.lastSeq, o.lastTime, o.lastAt = seq+o.seqShift, stamp+o.timeShift, now
	binary.BigEndian.PutUint16(packet[2:], o.lastSeq)
	binary.BigEndian.PutUint32(packet[4:], o.lastTime)
	binary.BigEndian.PutUint32(packet[8:], o.ssrc)
	return packet
}
