// SPDX-License-Identifier: Apache-2.0

package link

// assemblyLength is how many packets may wait for one before them: 1.5 s at 6 Mbit/s.
const assemblyLength = 1024

// assembly hands packets on in the order in which they were sent. It holds back none that could be used: sound waits
// only behind a gap, and a picture cannot be decoded before its last packet is there. Once a picture is lost it hands on
// none until the next key frame, so that the last good one stays on show.
type assembly struct {
	pictures bool

	started bool
	broken  bool   // what comes next needs a picture that was lost
	sps     bool   // parameter sets were handed on
	next    uint64 // the first packet that was neither handed on nor given up
	newest  uint64
	key     uint64 // the newest packet in which a key frame begins
	parcels [assemblyLength]parcel
}

// parcel is a packet that waits.
type parcel struct {
	number   uint64
	held     bool
	datagram []byte
	stamp    uint32
	last     bool // of its picture
	sps, idr bool
}

// begin forgets everything, for a new stream.
func (a *assembly) begin() {
	for i := range a.parcels {
		a.parcels[i].held, a.parcels[i].number = false, 0
	}
	a.started, a.broken, a.sps, a.key = false, a.pictures, false, 0
}

// put takes in a packet, which is copied, and hands on what is complete with it.
func (a *assembly) put(p parcel, out func([]byte)) {
	if !a.started {
		a.started, a.next, a.newest = true, p.number, p.number
	}
	if p.number < a.next {
		return
	}
	if p.number-a.next >= assemblyLength {
		a.giveUp(p.number-1, out)
	}
	at := a.at(p.number)
	p.held, p.datagram = true, append(at.datagram[:0], p.datagram...)
	*at = p
	a.newest = max(a.newest, p.number)
	if p.idr {
		a.key = max(a.key, p.number)
	}
	a.handOn(out)
}

// giveUp stops waiting for packets up to a number.
func (a *assembly) giveUp(hi uint64, out func([]byte)) {
	if !a.started || hi < a.next {
		return
	}
	a.broken = a.pictures
	for ; a.next <= min(hi, a.newest); a.next++ {
		if p := a.at(a.next); p.held && p.number == a.next {
			p.held = false
			if !a.pictures {
				out(p.datagram)
			}
		}
	}
	a.next = hi + 1
	a.handOn(out)
}

// packets returns those of the packets from first on that came, and nil for the others, as long as they are remembered.
// The bytes are valid until the next call of put.
func (a *assembly) packets(first uint64, count int) (packets [][]byte, missing int) {
	packets = make([][]byte, count)
	for i := range packets {
		if p := a.at(first + uint64(i)); p.number == first+uint64(i) {
			packets[i] = p.datagram
		} else {
			missing++
		}
	}
	return packets, missing
}

func (a *assembly) at(number uint64) *parcel { return &a.parcels[number%assemblyLength] }

func (a *assembly) has(number uint64) bool {
	p := a.at(number)
	return p.held && p.number == number
}

// handOn hands on what is complete.
func (a *assembly) handOn(out func([]byte)) {
	for a.has(a.next) || a.key > a.next {
		last, ok := a.next, true
		if a.pictures {
			last, ok = a.picture()
		}
		if !ok {
			return
		}
		heals := a.heals(last)
		for ; a.next <= last; a.next++ {
			p := a.at(a.next)
			p.held = false
			if !a.broken || heals || p.sps {
				a.sps = a.sps || p.sps
				out(p.datagram)
			}
		}
		a.broken = a.broken && !heals
	}
}

// heals tells whether the packets from the next to the last one are a key frame.
func (a *assembly) heals(last uint64) bool {
	sps, idr := a.sps, false
	for n := a.next; n <= last; n++ {
		sps, idr = sps || a.at(n).sps, idr || a.at(n).idr
	}
	return sps && idr
}

// picture returns the last packet of the next picture if that is complete. A key frame that is complete needs nothing
// before it.
func (a *assembly) picture() (last uint64, ok bool) {
	if last, ok = a.complete(a.next); ok || a.key <= a.next {
		return last, ok
	}
	first := a.key
	for first > a.next && a.has(first-1) && !a.at(first-1).last && a.at(first-1).stamp == a.at(first).stamp {
		first--
	}
	if last, ok = a.complete(first); ok {
		for n := a.next; n < first; n++ {
			if a.has(n) {
				a.at(n).held = false
			}
		}
		a.next, a.broken = first, true
	}
	return last, ok
}

// complete tells whether all packets of the picture that begins with the first one are there, and which one is the last.
// A sender that does not mark it ends a picture with the first packet of the next.
func (a *assembly) complete(first uint64) (last uint64, ok bool) {
	for n := first; a.has(n); n++ {
		p := a.at(n)
		if p.last || a.has(n+1) && a.at(n+1).stamp != p.stamp {
			return n, true
		}
	}
	return 0, false
}
