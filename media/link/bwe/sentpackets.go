// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	// historyLength is how many of the newest packets the peer may still report on: 4 s at 10 Mbit/s.
	historyLength = 4096

	// referenceUnit is the resolution of the time that a report begins with.
	referenceUnit = 64 * time.Millisecond
)

// Stream is one of the SRTP streams of a session, which share the transport-wide numbers.
type Stream uint8

// The streams of a session.
const (
	Picture Stream = iota
	Sound
	Parity
	streamCount
)

// sentPackets remembers what was sent under which transport-wide number, until the peer has told what became of it
// (draft-holmer-rmcat-transport-wide-cc-extensions-01). The zero value is empty.
type sentPackets struct {
	next    uint64 // number of the next packet; its low 16 bits go with the packet
	packets [historyLength]sentPacket

	counted [streamCount]uint64 // packets up to now, whether they were sent or not
	acked   [streamCount]uint64 // counted, when the newest packet was sent that the peer is known to have

	reference     uint32 // of the newest report, in units that wrap after 24 bits
	referenceTime time.Duration
}

type sentPacket struct {
	number   uint64
	sent     time.Time
	size     int
	stream   Stream
	count    uint64 // of its stream, with this packet
	reported bool
	asked    bool // the peer asked for it again before it was reported
}

// result is what became of one packet.
type result struct {
	sent    time.Time
	size    int // bytes on the wire
	lost    bool
	asked   bool          // again, by the peer
	arrived time.Duration // on the peer's clock, whose zero is anywhere
}

// add notes a packet and returns its number.
func (p *sentPackets) add(now time.Time, of Stream, size int) uint16 {
	number := p.next
	p.next++
	p.counted[of]++
	p.packets[number%historyLength] = sentPacket{number: number, sent: now, size: size, stream: of, count: p.counted[of]}
	return uint16(number)
}

// leaves notes when the packet of a number really goes out.
func (p *sentPackets) leaves(number uint16, at time.Time) {
	full := p.next - uint64(uint16(p.next)-number)
	if s := &p.packets[full%historyLength]; full < p.next && s.number == full && !s.sent.IsZero() {
		s.sent = at
	}
}

// ask notes that the peer asked for a packet again.
func (p *sentPackets) ask(number uint16) {
	full := p.next - uint64(uint16(p.next)-number)
	if s := &p.packets[full%historyLength]; full < p.next && s.number == full {
		s.asked = true
	}
}

// skip notes a packet that is not sent, although it has a sequence number.
func (p *sentPackets) skip(of Stream) { p.counted[of]++ }

// unacknowledged is how many packets in a row of one stream the peer is not known to have, up to the newest one.
func (p *sentPackets) unacknowledged() (most uint64) {
	for of, counted := range p.counted {
		most = max(most, counted-p.acked[of])
	}
	return most
}

// report appends to results what a report tells that was not known before.
func (p *sentPackets) report(results []result, report *rtcp.TransportLayerCC) []result {
	p.referenceTime += time.Duration(int32((report.ReferenceTime-p.reference)<<8)>>8) * referenceUnit
	p.reference = report.ReferenceTime
	arrived := p.referenceTime
	number := p.next - uint64(uint16(p.next)-report.BaseSequenceNumber)
	deltas, left := report.RecvDeltas, int(report.PacketStatusCount)
	next := func(symbol uint16) {
		came := symbol != rtcp.TypeTCCPacketNotReceived
		if came && symbol != rtcp.TypeTCCPacketReceivedWithoutDelta && len(deltas) > 0 {
			arrived += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
		}
		s := &p.packets[number%historyLength]
		if number < p.next && s.number == number && !s.reported && !s.sent.IsZero() {
			s.reported = true
			if came {
				p.acked[s.stream] = max(p.acked[s.stream], s.count)
			}
			results = append(results, result{sent: s.sent, size: s.size, lost: !came, asked: s.asked, arrived: arrived})
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
	return results
}
