// SPDX-License-Identifier: Apache-2.0

// Package score turns what was sent and what was seen, and when, into the figures of a benchmark. It starts nothing and
// reads no clock.
package score

import (
	"slices"
	"time"
)

// Shown is one picture that the receiver gave. Times count from any common moment.
type Shown struct {
	Sent  time.Duration // when the first byte of the picture went into the sender
	At    time.Duration // when its last byte came out of the receiver
	Wrong bool          // its content is not what was sent; Sent means nothing then
	PSNR  float64       // of the luma, in dB; 0 if unknown
}

// OldAfter is the age at which a picture on show counts as frozen: at twice that, people begin to talk at the same time
// (ITU-T G.114). A picture of a system that is slow anyway must be spare later than its usual delay.
const (
	OldAfter = 150 * time.Millisecond
	spare    = 110 * time.Millisecond
)

// Limit is the age from which on pictures of a system with this usual delay are frozen.
func Limit(usual time.Duration) time.Duration { return max(OldAfter, usual+spare) }

// Screen is what a viewer saw in a window of time.
type Screen struct {
	Frozen  time.Duration // with a picture that was right, but too old, or with none at all
	Wrong   time.Duration // with a picture whose content was wrong
	Longest time.Duration // stretch of either without a break
}

// Watch goes through the pictures, which are in the order of At, as a viewer would who looks from one moment to another.
// What stood on the screen before the first moment may be among them.
func Watch(shown []Shown, from, to, limit time.Duration) Screen {
	var s Screen
	var bad time.Duration // of the stretch that goes on
	note := func(good, frozen, wrong time.Duration) {
		if good > 0 {
			bad = 0
		}
		bad += frozen + wrong
		s.Frozen += frozen
		s.Wrong += wrong
		s.Longest = max(s.Longest, bad)
	}
	begin := from
	if n := firstAfter(shown, from); n > 0 {
		shown = shown[n-1:]
	} else {
		end := to
		if len(shown) > 0 {
			end = min(to, shown[0].At)
		}
		note(0, end-from, 0)
		begin = end
	}
	for i, picture := range shown {
		end := to
		if i+1 < len(shown) {
			end = min(to, shown[i+1].At)
		}
		if end <= begin {
			continue
		}
		on := end - begin
		switch frozen := min(on, max(0, end-picture.Sent-limit)); {
		case picture.Wrong:
			note(0, 0, on)
		default:
			note(on-frozen, 0, 0)
			note(0, frozen, 0)
		}
		begin = end
	}
	return s
}

// firstAfter is the index of the first picture that came later than t.
func firstAfter(shown []Shown, t time.Duration) int {
	n, _ := slices.BinarySearchFunc(shown, t, func(s Shown, t time.Duration) int {
		if s.At <= t {
			return -1
		}
		return 1
	})
	return n
}

// Within are the pictures that came in a window.
func Within(shown []Shown, from, to time.Duration) []Shown {
	return shown[firstAfter(shown, from):firstAfter(shown, to)]
}

// Delays are the times from end to end of the pictures whose content was right.
func Delays(shown []Shown) []time.Duration {
	var out []time.Duration
	for _, s := range shown {
		if !s.Wrong {
			out = append(out, s.At-s.Sent)
		}
	}
	return out
}

// Quantile returns the value below which a share q of the values lies, or zero when there are none. The values are not
// changed.
func Quantile[T ~int64 | ~float64](values []T, q float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + T(float64(sorted[high]-sorted[low])*(at-float64(low)))
}

// Recovered returns how long after a moment the rate of each second on is at least a share of what it was in the same
// second of an earlier stretch. Rates are bytes in each tenth of a second; compare is the distance of the two stretches.
// It returns false when that does not happen.
func Recovered(tenths []int64, after, compare int, share float64) (time.Duration, bool) {
	const second = 10
	sum := func(at int) (total int64) {
		for _, v := range tenths[at : at+second] {
			total += v
		}
		return total
	}
	for at := after; at-compare >= 0 && at+second <= len(tenths); at++ {
		if float64(sum(at)) >= share*float64(sum(at-compare)) {
			return time.Duration(at-after) * 100 * time.Millisecond, true
		}
	}
	return 0, false
}
