// SPDX-License-Identifier: Apache-2.0

package link

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
)

const (
	// DefaultMinBitrate and DefaultMaxBitrate bound the picture's rate, in bit/s. The lower one leaves a picture that can be
	// recognised, at the upper one text is legible even while it scrolls (1080p30, measured).
	DefaultMinBitrate = 300_000
	DefaultMaxBitrate = 6_000_000

	// startBitrate is the picture's rate before anything is known of the path.
	startBitrate = 3_000_000

	// headers is what IPv4 and UDP add to a packet.
	headers = 28

	// pictureShare is what is left of the rate once headers, encryption and numbers are paid: 68 bytes of each 1268.
	pictureShare = 0.94

	// soundRate is what sound takes at most, with all headers, in bit/s.
	soundRate = 200_000

	// noticeable is the change of rate that is worth telling.
	noticeable = 0.04
)

// flow decides how much of a picture is sent: what the path takes, less what sound and repairs take. Safe for concurrent
// use.
type flow struct {
	floor, ceiling int // bit/s of the picture

	mu         sync.Mutex
	ledger     ledger
	congestion *congestion
	acks       []ack
	told       int // bit/s of the picture

	otherBits, otherRate int // of all but the picture: since otherFrom, and bit/s before that
	otherFrom            time.Time

	parity int // packets of it for each group
}

func newFlow(floor, ceiling int) *flow {
	f := &flow{floor: floor, ceiling: ceiling}
	f.begin()
	return f
}

// begin forgets the path: the peer counts anew, and may be elsewhere.
func (f *flow) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	start := min(max(startBitrate, f.floor), f.ceiling)
	if f.congestion != nil {
		start = min(start, f.told)
	}
	f.ledger = ledger{}
	f.congestion = newCongestion(whole(f.floor), whole(start), whole(f.ceiling))
	f.told = start
}

// moved forgets how long the path was, since the peer is at another address.
func (f *flow) moved() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.congestion.forgetPath()
}

// whole is what it takes to send a picture of a given rate, and sound.
func whole(picture int) int { return int(float64(picture)/pictureShare) + soundRate }

// enter notes a packet that leaves now and returns its transport-wide number. Size is that of the datagram.
func (f *flow) enter(now time.Time, of stream, size int) uint16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if of != pictureStream {
		f.otherBits += 8 * (size + headers)
	}
	return f.ledger.enter(now, of, size+headers)
}

// skip notes a packet that does not leave.
func (f *flow) skip(of stream) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ledger.skip(of)
}

// unheard is how many packets in a row of one stream the peer is not known to have.
func (f *flow) unheard() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ledger.unheard()
}

// spend notes a datagram that leaves without a number of its own.
func (f *flow) spend(size int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.otherBits += 8 * (size + headers)
}

// report takes in what the peer reports. It returns the rates for the picture, and for all packets together, in bit/s,
// and tells whether the former is news.
func (f *flow) report(now time.Time, report *rtcp.TransportLayerCC) (picture, all int, news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acks = f.ledger.settle(f.acks[:0], report)
	f.congestion.update(now, f.acks)
	f.parity = parityLevel(f.parity, f.congestion.holes)
	if passed := now.Sub(f.otherFrom); passed >= time.Second {
		f.otherRate = int(float64(f.otherBits) / passed.Seconds())
		f.otherBits, f.otherFrom = 0, now
	}
	all = int(f.congestion.rate)
	picture = min(max(int(float64(all-f.otherRate)*pictureShare), f.floor), f.ceiling)
	change := picture - f.told
	if change == 0 || abs(float64(change)) < noticeable*float64(f.told) && picture != f.ceiling {
		return f.told, all, false
	}
	f.told = picture
	return picture, all, true
}

// parityLevel is how many packets of parity are worth sending for each group. Where bursts are lost they would not help:
// asking again must do.
func parityLevel(level int, holes float64) int {
	const one, two = 0.004, 0.015
	switch {
	case holes > two || level == 2 && holes > two/2:
		return 2
	case holes > one || level > 0 && holes > one/2:
		return 1
	}
	return 0
}

// parityNow is how many packets of parity to send for each group.
func (f *flow) parityNow() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parity
}

// rate is what the picture may take, in bit/s.
func (f *flow) rate() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told
}
