// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"time"
	"unsafe"
)

// ClockSet returns a time that time.Now gave as it would be if the system's clock had been set forward by so much before:
// its reading of the monotonic clock is the same. Package time has no other way to such a time.
func ClockSet(tb TB, t time.Time, by time.Duration) time.Time {
	tb.Helper()
	const (
		monotonic   = 1 << 63
		nanoseconds = 1<<30 - 1
	)
	set := t
	wall := (*uint64)(unsafe.Pointer(&set)) // the first field of time.Time (Go 1.9 to 1.26)
	passed := time.Duration(*wall&^monotonic>>30)*time.Second + time.Duration(*wall&nanoseconds) + by
	*wall = monotonic | uint64(passed/time.Second)<<30 | uint64(passed%time.Second)
	if set.Sub(t) != 0 || set.UnixNano()-t.UnixNano() != int64(by) {
		tb.Fatalf("package time keeps its times in another way: %v set by %v is %v", t, by, set)
	}
	return set
}
