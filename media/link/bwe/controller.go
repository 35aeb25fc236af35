// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"math"
	"slices"
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

	// headers is what IPv4 and UDP add to a packet, in bytes.
	headers = 28

	// pictureShare is what is left of the rate once headers, encryption and numbers are paid: 68 bytes of each 1268.
	pictureShare = 0.94

	// soundRate is what sound takes at most, with all headers, in bit/s.
	soundRate = 200_000

	// minRateChange is the smallest relative change of the rate that is reported.
	minRateChange = 0.04
)

// Controller decides how many bits of a picture are sent: what the path takes, less what sound and repairs take. Safe for
// concurrent use.
type Controller struct {
	floor, ceiling int // bit/s of the picture

	mu        sync.Mutex
	sent      sentPackets
	estimator *estimator
	results   []result
	told      int // bit/s of the picture

	otherBits, otherRate int // of all but the picture: since otherFrom, and bit/s before that
	otherFrom            time.Time

	parity int // packets of it for each group
	counts Counts
}

// Counts are those of one direction since the link was made.
type Counts struct {
	Bytes   uint64 // of all datagrams with media, repairs included, UDP and IP headers not
	Packets uint64 // of which is known whether they arrived, each counted once however often it was sent
	Lost    uint64 // of these, the ones that did not arrive when they were sent first
}

// NewController returns a controller that keeps the picture between two bit rates.
func NewController(floor, ceiling int) *Controller {
	c := &Controller{floor: floor, ceiling: ceiling}
	c.Begin()
	return c
}

// Begin forgets the path: the peer counts anew, and may be elsewhere.
func (c *Controller) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := min(max(startBitrate, c.floor), c.ceiling)
	if c.estimator != nil {
		start = min(start, c.told)
	}
	c.sent = sentPackets{}
	c.estimator = newEstimator(Total(c.floor), Total(start), Total(c.ceiling))
	c.told = start
}

// PathChanged forgets how long the path was, since the peer is at another address.
func (c *Controller) PathChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.estimator.forgetPath()
}

// Total is the bit rate that it takes to send a picture of a given rate, and sound.
func Total(picture int) int { return int(float64(picture)/pictureShare) + soundRate }

// Sent notes a packet that leaves now and returns its transport-wide number. Size is that of the datagram, in bytes.
func (c *Controller) Sent(now time.Time, of Stream, size int) uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Bytes += uint64(size)
	if of != Picture {
		c.otherBits += 8 * (size + headers)
	}
	return c.sent.add(now, of, size+headers)
}

// Leaves notes when the packet of a number goes to the network. On a busy machine that is later than Sent was called, and
// the time between is not a queue on the path.
func (c *Controller) Leaves(number uint16, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.leaves(number, at)
}

// Skipped notes a packet that does not leave.
func (c *Controller) Skipped(of Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.skip(of)
}

// Unacknowledged is how many packets in a row of one stream the peer is not known to have.
func (c *Controller) Unacknowledged() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.unacknowledged()
}

// Resent notes a datagram, of a size in bytes, that leaves without a number of its own.
func (c *Controller) Resent(size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Bytes += uint64(size)
	c.otherBits += 8 * (size + headers)
}

// Asked notes that the peer asked for a datagram again.
func (c *Controller) Asked(datagram []byte) {
	number, ok := numberOf(datagram)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.ask(number)
}

// Counts are of what we sent, and of what the peer reports about it.
func (c *Controller) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

// Report takes in what the peer reports. It returns the rates for the picture, and for all packets together, in bit/s,
// and tells whether the former is news.
func (c *Controller) Report(now time.Time, report *rtcp.TransportLayerCC) (picture, all int, news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = c.sent.report(c.results[:0], report)
	c.counts.Packets += uint64(len(c.results))
	c.counts.Lost += lostFirst(c.results)
	c.estimator.update(now, c.results)
	c.parity = parityLevel(c.parity, c.estimator.lossEvents)
	if passed := now.Sub(c.otherFrom); passed >= time.Second {
		c.otherRate = int(float64(c.otherBits) / passed.Seconds())
		c.otherBits, c.otherFrom = 0, now
	}
	all = int(c.estimator.rate)
	picture = min(max(int(float64(all-c.otherRate)*pictureShare), c.floor), c.ceiling)
	change := picture - c.told
	if change == 0 || math.Abs(float64(change)) < minRateChange*float64(c.told) && picture != c.ceiling {
		return c.told, all, false
	}
	c.told = picture
	return picture, all, true
}

// lostFirst is how many of the packets of one report did not arrive when they were sent first: those that were lost, and
// those that the peer asked for again and that came after a later one.
func lostFirst(results []result) (lost uint64) {
	earliest := time.Duration(math.MaxInt64) // of the later ones
	for _, r := range slices.Backward(results) {
		switch {
		case r.lost || r.asked && r.arrived > earliest:
			lost++
		default:
			earliest = min(earliest, r.arrived)
		}
	}
	return lost
}

// parityLevel is how many packets of parity are worth sending for each group. Where bursts are lost they would not help:
// asking again must do.
func parityLevel(level int, lossEvents float64) int {
	const one, two = 0.004, 0.015
	switch {
	case lossEvents > two || level == 2 && lossEvents > two/2:
		return 2
	case lossEvents > one || level > 0 && lossEvents > one/2:
		return 1
	}
	return 0
}

// ParityLevel is how many packets of parity to send for each group.
func (c *Controller) ParityLevel() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parity
}

// Rate is what the picture may take, in bit/s.
func (c *Controller) Rate() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}
