// SPDX-License-Identifier: Apache-2.0

package link

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
)

// feedbackInterval is the time between two reports about the packets that came: short enough to see a queue grow before
// it is full, at a cost of some 30 kbit/s.
const feedbackInterval = 25 * time.Millisecond

// arrivals notes when the peer's packets came, by their transport-wide numbers, and reports that. Safe for concurrent use.
type arrivals struct {
	ssrc  uint32 // ours, in reports
	began time.Time

	mu       sync.Mutex
	recorder *twcc.Recorder
	next     uint16 // number of the next packet
	counting bool   // next is known
}

func newArrivals(now time.Time, ssrc uint32) *arrivals {
	a := &arrivals{ssrc: ssrc, began: now}
	a.begin()
	return a
}

// begin forgets all packets, since the peer counts anew.
func (a *arrivals) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recorder, a.counting = twcc.NewRecorder(a.ssrc), false
}

// came notes a packet, and returns how many before it are missing that were not missed until now.
func (a *arrivals) came(now time.Time, ssrc uint32, number uint16) (missing int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.recorder.Record(ssrc, number, now.Sub(a.began).Microseconds())
	step := int16(number - a.next)
	if a.counting && step < 0 {
		return 0
	}
	if a.counting {
		missing = int(step)
	}
	a.counting, a.next = true, number+1
	return missing
}

// report passes on the reports about what came since the last call, if anything did.
func (a *arrivals) report(send func([]byte)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.recorder.PacketsHeld() == 0 {
		return
	}
	for _, p := range a.recorder.BuildFeedbackPacket() {
		// A report alone is a reduced-size packet (RFC 5506).
		if b, err := p.Marshal(); err == nil {
			send(b)
		}
	}
}

// The transport-wide number travels in a header extension of one element (RFC 8285, 4.2).
const (
	extensionBit  = 0x10
	extensionSize = 8
	numberElement = 1<<4 | 2 // our identifier, and the length less one
	flagTwice     = 1        // follows the number: the packet comes a second time with the one after it
)

// putNumber appends an RTP packet with its transport-wide number to b. Packets with extensions or contributing sources
// of their own, which our pipelines do not make, go without.
func putNumber(b, packet []byte, number uint16, twice bool) []byte {
	if packet[0]&(extensionBit|0x0f) != 0 {
		return append(b, packet...)
	}
	b = append(b, packet[0]|extensionBit)
	b = append(b, packet[1:rtpHeaderSize]...)
	flags := byte(0)
	if twice {
		flags = flagTwice
	}
	b = append(b, 0xbe, 0xde, 0, 1, numberElement, byte(number>>8), byte(number), flags)
	return append(b, packet[rtpHeaderSize:]...)
}

// takeNumber returns an RTP packet as it was before putNumber, in place, and what that added, if anything.
func takeNumber(packet []byte) (rest []byte, number uint16, twice, ok bool) {
	const at = rtpHeaderSize
	if len(packet) < at+extensionSize || packet[0]&(extensionBit|0x0f) != extensionBit ||
		binary.BigEndian.Uint32(packet[at:]) != 0xbede0001 || packet[at+4] != numberElement {
		return packet, 0, false, false
	}
	number, twice = binary.BigEndian.Uint16(packet[at+5:]), packet[at+7]&flagTwice != 0
	copy(packet[extensionSize:], packet[:at])
	packet = packet[extensionSize:]
	packet[0] &^= extensionBit
	return packet, number, twice, true
}
