// SPDX-License-Identifier: Apache-2.0

package jitter

import "sync/atomic"

// bufferLength is how many packets may wait for one before them: 1.5 s at 6 Mbit/s.
const bufferLength = 1024

// FrameAssembler releases packets in the order in which they were sent. It holds back none that could be used: sound waits
// only behind a gap, and a picture cannot be decoded before its last packet is there. Once a picture is lost it releases
// none until the next key frame, so that the last good one stays on show. Not safe for concurrent use.
type FrameAssembler struct {
	pictures bool

	started bool
	broken  bool   // what comes next needs a picture that was lost
	sps     bool   // parameter sets were released
	next    uint64 // the first packet that was neither released nor given up
	newest  uint64
	key     uint64 // the newest packet in which a key frame begins
	packets [bufferLength]bufferedPacket

	lost     atomic.Uint64 // pictures that were not released
	shown    bool          // a picture was released: what comes before the first one needs what was never ours
	counted  bool          // lastLost is the timestamp of the newest one that was not
	lastLost uint32
}

// Packet is what a FrameAssembler must know of an RTP packet.
type Packet struct {
	Number    uint64 // sequence number, extended as Sequence does it
	Datagram  []byte
	Timestamp uint32
	Last      bool // of its picture
	SPS, IDR  bool // as KeyFrame tells; false for sound
}

type bufferedPacket struct {
	Packet
	held bool // it waits
}

// NewFrameAssembler returns an assembler for a stream of pictures, or of sound.
func NewFrameAssembler(pictures bool) *FrameAssembler { return &FrameAssembler{pictures: pictures} }

// Begin forgets everything, for a new stream.
func (a *FrameAssembler) Begin() {
	for i := range a.packets {
		a.packets[i].held, a.packets[i].Number = false, 0
	}
	a.started, a.broken, a.sps, a.key = false, a.pictures, false, 0
	a.shown, a.counted = false, false
}

// Put takes in a packet, which is copied, and releases what is complete with it.
func (a *FrameAssembler) Put(p Packet, out func([]byte)) {
	if !a.started {
		a.started, a.next, a.newest = true, p.Number, p.Number
	}
	if p.Number < a.next {
		return
	}
	if p.Number-a.next >= bufferLength {
		a.GiveUp(p.Number-1, out)
	}
	at := a.at(p.Number)
	p.Datagram = append(at.Datagram[:0], p.Datagram...)
	*at = bufferedPacket{p, true}
	a.newest = max(a.newest, p.Number)
	if p.IDR {
		a.key = max(a.key, p.Number)
	}
	a.release(out)
}

// GiveUp stops waiting for packets up to a number.
func (a *FrameAssembler) GiveUp(hi uint64, out func([]byte)) {
	if !a.started || hi < a.next {
		return
	}
	a.broken = a.pictures
	for ; a.next <= min(hi, a.newest); a.next++ {
		if p := a.at(a.next); p.held && p.Number == a.next {
			p.held = false
			if a.pictures {
				a.countLost(p)
			} else {
				out(p.Datagram)
			}
		}
	}
	a.next = hi + 1
	a.release(out)
}

// Packets returns those of the packets from first on that came, and nil for the others, as long as they are remembered.
// The bytes are valid until the next call of Put.
func (a *FrameAssembler) Packets(first uint64, count int) (packets [][]byte, missing int) {
	packets = make([][]byte, count)
	for i := range packets {
		if p := a.at(first + uint64(i)); p.Number == first+uint64(i) {
			packets[i] = p.Datagram
		} else {
			missing++
		}
	}
	return packets, missing
}

// Lost is how many pictures were not released although a packet of them came: another one of theirs was given up, or one of a
// picture that they need. It is safe for concurrent use.
func (a *FrameAssembler) Lost() uint64 { return a.lost.Load() }

// countLost counts the picture of a packet that is not released, once.
func (a *FrameAssembler) countLost(p *bufferedPacket) {
	if !a.shown {
		return
	}
	if !a.counted || a.lastLost != p.Timestamp {
		a.counted, a.lastLost = true, p.Timestamp
		a.lost.Add(1)
	}
}

func (a *FrameAssembler) at(number uint64) *bufferedPacket { return &a.packets[number%bufferLength] }

func (a *FrameAssembler) has(number uint64) bool {
	p := a.at(number)
	return p.held && p.Number == number
}

// release releases what is complete.
func (a *FrameAssembler) release(out func([]byte)) {
	for a.has(a.next) || a.key > a.next {
		last, ok := a.next, true
		if a.pictures {
			last, ok = a.picture()
		}
		if !ok {
			return
		}
		recovers := a.recovers(last)
		for ; a.next <= last; a.next++ {
			p := a.at(a.next)
			p.held = false
			if !a.broken || recovers || p.SPS {
				a.sps = a.sps || p.SPS
				out(p.Datagram)
			} else {
				a.countLost(p)
			}
		}
		a.broken = a.broken && !recovers
		a.shown = a.shown || !a.broken
	}
}

// recovers tells whether the packets from the next to the last one are a key frame.
func (a *FrameAssembler) recovers(last uint64) bool {
	sps, idr := a.sps, false
	for n := a.next; n <= last; n++ {
		sps, idr = sps || a.at(n).SPS, idr || a.at(n).IDR
	}
	return sps && idr
}

// picture returns the last packet of the next picture if that is complete. A key frame that is complete needs nothing
// before it.
func (a *FrameAssembler) picture() (last uint64, ok bool) {
	if last, ok = a.complete(a.next); ok || a.key <= a.next {
		return last, ok
	}
	first := a.key
	for first > a.next && a.has(first-1) && !a.at(first-1).Last && a.at(first-1).Timestamp == a.at(first).Timestamp {
		first--
	}
	if last, ok = a.complete(first); ok {
		for n := a.next; n < first; n++ {
			if a.has(n) {
				a.at(n).held = false
				a.countLost(a.at(n))
			}
		}
		a.next, a.broken = first, true
	}
	return last, ok
}

// complete tells whether all packets of the picture that begins with the first one are there, and which one is the last.
// A sender that does not mark it ends a picture with the first packet of the next.
func (a *FrameAssembler) complete(first uint64) (last uint64, ok bool) {
	for n := first; a.has(n); n++ {
		p := a.at(n)
		if p.Last || a.has(n+1) && a.at(n+1).Timestamp != p.Timestamp {
			return n, true
		}
	}
	return 0, false
}
