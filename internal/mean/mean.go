// SPDX-License-Identifier: Apache-2.0

// Package mean keeps an exponentially weighted mean of durations, in which the newest
// count most. It keeps no samples, so it has no median.
package mean

import (
	"sync/atomic"
	"time"
)

// Mean is a mean; the zero value is that of no durations. One goroutine may add
// while others read.
type Mean struct{ d, seen atomic.Int64 }

// Add takes a duration, as one of about so many that count. As long as there were fewer, each of them
// counts the same.
func (m *Mean) Add(d time.Duration, of int) {
	seen := min(m.seen.Load()+1, int64(of))
	m.seen.Store(seen)
	was := m.Value()
	m.d.Store(int64(was + (d-was)/time.Duration(seen)))
}

// Value is the mean, 0 while there is none.
func (m *Mean) Value() time.Duration { return time.Duration(m.d.Load()) }

// Reset forgets all durations.
func (m *Mean) Reset() {
	m.seen.Store(0)
	m.d.Store(0)
}
