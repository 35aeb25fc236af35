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

// ledger remembers what was sent under which transport-wide number, until the peer has told what became of it
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). The zero value is empty.
type ledger struct {
	next      uint64 // number of the next packet; its low 16 bits go with the packet
	shipments [ledgerLength]shipment

	reference     uint32 // of the newest report, in units that wrap after 24 bits
	referenceTime time.Duration
}

type shipment struct {
	number   uint64
	sent     time.Time
	size     int
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
func (l *ledger) enter(now time.Time, size int) uint16 {
	number := l.next
	l.next++
	l.shipments[number%ledgerLength] = shipment{number: number, sent: now, size: size}
	return uint16(number)
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
