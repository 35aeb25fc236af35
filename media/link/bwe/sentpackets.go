// SPDX-License-Identifier: Apache-2.0

package link

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// ledgerLength is how many of the newest packets the peer may still report on: 4 s at 10 Mbit/s.
	ledgerLength = 4096

	// referenceUnit is the resolution of the time that a report begins with.
	referenceUnit = 64 * time.Millisecond
)

// stream is one of the SRTP streams of a session, which share the transport-wide numbers.
type stream uint8

const (
	pictureStream stream = iota
	soundStream
	parityStream
	streams // how many there are
)

// streamOf returns the stream of a packet as it is before encryption.
func streamOf(packet []byte) stream {
	switch packet[1] & 0x7f {
	case audioPayloadType:
		return soundStream
	case parityPayloadType:
		return parityStream
	}
	return pictureStream
}

// medium is what the stream is of.
func (of stream) medium() Medium {
	if of == soundStream {
		return Audio
	}
	return Video
}

// ledger remembers what was sent under which transport-wide number, until the peer has told what became of it
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). The zero value is empty.
type ledger struct {
	next      uint64 // number of the next packet; its low 16 bits go with the packet
	shipments [ledgerLength]shipment

	counted [streams]uint64 // packets up to now, whether they were sent or not
	heard   [streams]uint64 // counted, when the newest packet was sent that the peer is known to have

	reference     uint32 // of the newest report, in units that wrap after 24 bits
	referenceTime time.Duration
}

type shipment struct {
	number   uint64
	sent     time.Time
	size     int
	stream   stream
	count    uint64 // of its stream, with this packet
	reported bool
}

// ack tells what became of one packet.
type ack struct {
	sent    time.Time
	size    int // bytes on the wire
	lost    bool
	arrived time.Duration // on the peer's clock, whose zero is anywhere
}

// enter notes a packet and returns its number.
func (l *ledger) enter(now time.Time, of stream, size int) uint16 {
	number := l.next
	l.next++
	l.counted[of]++
	l.shipments[number%ledgerLength] = shipment{number: number, sent: now, size: size, stream: of, count: l.counted[of]}
	return uint16(number)
}

// skip notes a packet that is not sent, although it has a sequence number.
func (l *ledger) skip(of stream) { l.counted[of]++ }

// unheard is how many packets in a row of one stream the peer is not known to have, up to the newest one.
func (l *ledger) unheard() (most uint64) {
	for of, counted := range l.counted {
		most = max(most, counted-l.heard[of])
	}
	return most
}

// settle appends to acks what a report tells that was not known before.
func (l *ledger) settle(acks []ack, report *rtcp.TransportLayerCC) []ack {
	l.referenceTime += time.Duration(int32((report.ReferenceTime-l.reference)<<8)>>8) * referenceUnit
	l.reference = report.ReferenceTime
	arrived := l.referenceTime
	number := l.next - uint64(uint16(l.next)-report.BaseSequenceNumber)
	deltas, left := report.RecvDeltas, int(report.PacketStatusCount)
	next := func(symbol uint16) {
		came := symbol != rtcp.TypeTCCPacketNotReceived
		if came && symbol != rtcp.TypeTCCPacketReceivedWithoutDelta && len(deltas) > 0 {
			arrived += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
		}
		s := &l.shipments[number%ledgerLength]
		if number < l.next && s.number == number && !s.reported && !s.sent.IsZero() {
			s.reported = true
			if came {
				l.heard[s.stream] = max(l.heard[s.stream], s.count)
			}
			acks = append(acks, ack{sent: s.sent, size: s.size, lost: !came, arrived: arrived})
		}
		number++
		left--
	}
	for _, chunk := range report.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for n := min(int(c.RunLength), left); n > 0; n-- {
				next(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList[:min(len(c.SymbolList), left)] {
				next(symbol)
			}
		}
	}
	return acks
}
