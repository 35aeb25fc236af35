// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"math/rand/v2"
	"time"
)

// Path is what one direction does to datagrams. The zero Path passes them on at once.
type Path struct {
	Loss      float64       // share of datagrams that start a loss, 0 to 1
	Burst     int           // datagrams lost in a row each time; 0 is 1
	Delay     time.Duration // of every datagram
	Jitter    time.Duration // more delay, evenly spread from none to this, that does not change the order
	Reorder   float64       // share of datagrams that fall behind
	ReorderBy time.Duration // and by how much; 0 is 5 ms
	Duplicate float64       // share of datagrams that come twice
	Rate      int           // bits per second on the wire, UDP and IPv4 headers included; 0 is unlimited
	Queue     time.Duration // longest wait for the rate, after which datagrams are lost; 0 is 300 ms
	MTU       int           // bytes of the largest IPv4 packet that is not lost, headers included; 0 is unlimited
}

const (
	defaultReorderBy = 5 * time.Millisecond
	defaultQueue     = 300 * time.Millisecond
	headerBytes      = 28
)

// stream decides the fate of the datagrams to one port. What it decides about the n-th one follows from the seed, the place
// of the port in Options.Ports and n alone, whatever the timing and the other ports; only Rate depends on time, and it is
// shared by a direction.
type stream struct {
	rng   *rand.Rand
	burst int // datagrams of the current burst still to lose
	last  time.Time
}

func newStream(seed uint64, direction, port int) *stream {
	return &stream{rng: rand.New(rand.NewPCG(seed, uint64(direction)<<16|uint64(port)))}
}

// next returns when the copies of the next datagram, ready to leave at the given time, arrive: none, one or two times.
func (s *stream) next(p Path, ready time.Time) []time.Time {
	// As many numbers are drawn for each datagram whatever becomes of it, or a changed Path would change all that follows.
	lose, fall, double, jitter := s.rng.Float64(), s.rng.Float64(), s.rng.Float64(), s.rng.Float64()
	if s.burst > 0 {
		s.burst--
		return nil
	}
	if lose < p.Loss {
		s.burst = max(p.Burst, 1) - 1
		return nil
	}
	at := ready.Add(p.Delay + time.Duration(jitter*float64(p.Jitter)))
	if at.Before(s.last) {
		at = s.last
	}
	s.last = at
	if fall < p.Reorder {
		by := p.ReorderBy
		if by == 0 {
			by = defaultReorderBy
		}
		at = at.Add(by)
	}
	if double < p.Duplicate {
		return []time.Time{at, at}
	}
	return []time.Time{at}
}

// throttle is the narrowest link of a direction.
type throttle struct{ free time.Time }

// pass returns when a datagram that comes now has left, or false when the queue is full.
func (t *throttle) pass(p Path, now time.Time, size int) (time.Time, bool) {
	if p.Rate == 0 {
		return now, true
	}
	limit := p.Queue
	if limit == 0 {
		limit = defaultQueue
	}
	start := now
	if t.free.After(now) {
		start = t.free
	}
	if start.Sub(now) > limit {
		return time.Time{}, false
	}
	t.free = start.Add(time.Duration(int64(size+headerBytes) * 8 * int64(time.Second) / int64(p.Rate)))
	return t.free, true
}
