// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"math"
	"time"
)

const (
	// standingSpan is how much of the newest arrivals tells how long the queue on the path is: longer than the time between
	// two pictures, since each picture makes a queue of its own for a moment.
	standingSpan = 60 * time.Millisecond

	// standingCount is the least number of arrivals that tell it: one packet alone is late when the sender was interrupted
	// just before it was written, as on a busy machine.
	standingCount = 5

	// queueLimit is the standing queue at which the path counts as full, and queueGone the one at which it is drained.
	queueLimit = 25 * time.Millisecond
	queueGone  = 10 * time.Millisecond

	// historySpan is how far back arrivals are kept.
	historySpan = 500 * time.Millisecond

	// drainTime is the time in which a queue shall be gone.
	drainTime = 500 * time.Millisecond

	// drainLimit is how long a queue may stay although less is sent than the path takes: then the path has become longer.
	drainLimit = 3 * time.Second

	// utilisation is the share of what a full path takes that is used.
	utilisation = 0.92

	// The rate grows by slowGrowth a second after the path was full, and twice as much every growthDouble that it stays
	// free, up to fastGrowth. So the capacity that was found is approached with care, and one that has come back is used
	// within seconds.
	slowGrowth   = 0.05
	fastGrowth   = 0.60
	growthDouble = 700 * time.Millisecond

	// minUsed is the share of the rate that must have been sent for the rate to grow: nothing is known of what was not tried.
	minUsed = 0.6

	// Losses up to lossAllowed do not keep the rate from growing, and those from lossLimit make it smaller. Radio loses
	// packets at any rate, a full path with a short queue many.
	lossAllowed = 0.05
	lossLimit   = 0.10
	lossSpan    = 500 * time.Millisecond

	// lossEventSpan is over how many packets loss events are counted: two seconds or more.
	lossEventSpan = 800
)

// estimator works out how much the path to the peer takes, from the delay and loss that packets meet (compare
// draft-ietf-rmcat-gcc-02 and RFC 8298). A queue that stands is the first sign of a full path, and how fast packets come
// out of it is what the path takes. Not safe for concurrent use.
//
// pion's estimator (interceptor v0.1.44, pkg/gcc) reads the clock itself, grows by 8 % a second at most and takes what a
// still picture needs for what the path takes.
type estimator struct {
	floor, ceiling float64 // bit/s
	rate           float64 // bit/s, all headers included

	began    time.Time // of the times that packets were sent; the clock of the first one
	base     lowestDelay
	arrivals []arrival // of the last historySpan, in the order in which they came
	full     bool      // and the queue is being drained
	fullFrom time.Time
	before   float64 // the rate before the path was full
	capacity float64 // what it takes
	freeFrom time.Time
	updated  time.Time

	lossFrom          time.Time
	lostCount, counts int
	loss              float64

	lossEvents float64 // share of packets at which a loss begins, in the last seconds
	wasLost    bool    // the newest packet
}

type arrival struct {
	at    time.Duration
	delay time.Duration // above the shortest
	size  int
}

func newEstimator(floor, start, ceiling int) *estimator {
	return &estimator{floor: float64(floor), ceiling: float64(ceiling), rate: float64(start)}
}

// update takes in what became of packets.
func (c *estimator) update(now time.Time, results []result) {
	c.take(now, results)
	if len(c.arrivals) == 0 {
		return
	}
	if c.updated.IsZero() {
		c.updated, c.freeFrom = now, now
	}
	passed := min(now.Sub(c.updated), 100*time.Millisecond)
	c.updated = now
	queue := c.standingQueue()
	switch {
	case queue > queueLimit || c.full && queue > queueGone:
		c.drain(now, queue)
	case c.full:
		c.full, c.freeFrom = false, now
		c.rate = min(c.before, utilisation*c.capacity)
		c.lossFrom, c.lostCount, c.counts, c.loss = now, 0, 0, 0 // what the queue could not hold is answered
	case c.lossy(now):
	case c.loss <= lossAllowed && c.throughput() > minUsed*c.rate:
		growth := min(slowGrowth*math.Exp2(float64(now.Sub(c.freeFrom))/float64(growthDouble)), fastGrowth)
		c.rate *= 1 + growth*passed.Seconds()
	}
	c.rate = min(max(c.rate, c.floor), c.ceiling)
}

// take notes arrivals and losses.
func (c *estimator) take(now time.Time, results []result) {
	for _, a := range results {
		c.counts++
		begins := 0.0
		if a.lost && !c.wasLost && !c.full {
			begins = 1
		}
		c.wasLost = a.lost
		c.lossEvents += (begins - c.lossEvents) / lossEventSpan
		if a.lost {
			c.lostCount++
			continue
		}
		// Neither clock's zero means anything, so the difference is of use only in comparison.
		if c.began.IsZero() {
			c.began = a.sent
		}
		delay := a.arrived - a.sent.Sub(c.began)
		c.arrivals = append(c.arrivals, arrival{at: a.arrived, delay: c.base.above(now, delay), size: a.size})
	}
	if len(c.arrivals) == 0 {
		return
	}
	old, newest := 0, c.arrivals[len(c.arrivals)-1].at
	for old < len(c.arrivals) && newest-c.arrivals[old].at > historySpan {
		old++
	}
	c.arrivals = append(c.arrivals[:0], c.arrivals[old:]...)
}

// standingQueue is the shortest queue that the newest packets have met.
func (c *estimator) standingQueue() time.Duration {
	newest := c.arrivals[len(c.arrivals)-1].at
	queue := time.Hour
	for i, looked := len(c.arrivals)-1, 0; i >= 0 && (newest-c.arrivals[i].at <= standingSpan || looked < standingCount); i-- {
		queue = min(queue, c.arrivals[i].delay)
		looked++
	}
	return queue
}

// drain lowers the rate so that the queue is gone after drainTime.
func (c *estimator) drain(now time.Time, queue time.Duration) {
	if !c.full {
		c.full, c.fullFrom, c.before = true, now, c.rate
	}
	if now.Sub(c.fullFrom) > drainLimit {
		c.forgetPath()
		c.freeFrom = now
		return
	}
	c.capacity = c.outflow()
	c.rate = min(c.before, c.capacity*(utilisation-min(queue.Seconds()/drainTime.Seconds(), 0.5)))
}

// forgetPath forgets how long the path is.
func (c *estimator) forgetPath() {
	c.base, c.arrivals, c.full = lowestDelay{}, c.arrivals[:0], false
}

// outflow is how fast packets come out of a queue.
func (c *estimator) outflow() float64 {
	last := len(c.arrivals) - 1
	bits, first := 0, last
	for first > 0 && c.arrivals[first-1].delay > queueGone && c.arrivals[last].at-c.arrivals[first-1].at < historySpan/2 {
		bits += 8 * c.arrivals[first].size
		first--
	}
	span := c.arrivals[last].at - c.arrivals[first].at
	if span < standingSpan/2 {
		return c.throughput()
	}
	return float64(bits) / span.Seconds()
}

// throughput is what came lately, in bit/s.
func (c *estimator) throughput() float64 {
	bits := 0
	for _, a := range c.arrivals[1:] {
		bits += 8 * a.size
	}
	span := c.arrivals[len(c.arrivals)-1].at - c.arrivals[0].at
	return float64(bits) / max(span, standingSpan).Seconds()
}

// lossy lowers the rate where too much is lost, and tells whether it is.
func (c *estimator) lossy(now time.Time) bool {
	if now.Sub(c.lossFrom) < lossSpan || c.counts < 20 {
		return c.loss >= lossLimit
	}
	c.loss = float64(c.lostCount) / float64(c.counts)
	c.lossFrom, c.lostCount, c.counts = now, 0, 0
	if c.loss < lossLimit {
		return false
	}
	c.rate *= 1 - c.loss/2
	c.freeFrom = now
	return true
}

// lowestDelay follows the shortest delay of the last 15 to 20 s: longer than queues stand, short enough for two clocks
// that drift apart. The zero value knows nothing.
type lowestDelay struct {
	spans [4]time.Duration
	known int // spans
	since time.Time
}

const delaySpan = 5 * time.Second

// above notes a delay and returns how far it is above the lowest one.
func (l *lowestDelay) above(now time.Time, delay time.Duration) time.Duration {
	if l.known == 0 || now.Sub(l.since) > delaySpan {
		copy(l.spans[1:], l.spans[:])
		l.spans[0], l.since = delay, now
		l.known = min(l.known+1, len(l.spans))
	}
	l.spans[0] = min(l.spans[0], delay)
	lowest := delay
	for _, d := range l.spans[:l.known] {
		lowest = min(lowest, d)
	}
	return delay - lowest
}
