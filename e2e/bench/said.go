// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// said is one number that a program of e2e/bench/peer logged.
type said struct {
	at    time.Time
	value int
}

var (
	saidBitrate = regexp.MustCompile(`time=(\S+) .*msg=bitrate bits=(\d+)`)
	saidBreaks  = regexp.MustCompile(`time=(\S+) .*msg=breaks times=(\d+)`)
)

// find returns what a pattern with a time and a number finds in the lines of a log.
func find(log string, pattern *regexp.Regexp) (all []said) {
	for line := range strings.Lines(log) {
		found := pattern.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		value, errNumber := strconv.Atoi(found[2])
		if err == nil && errNumber == nil {
			all = append(all, said{at, value})
		}
	}
	return all
}

// allowed is the mean of the bitrate that the link allowed between two times, in bit/s.
func allowed(log string, from, to time.Time) int {
	var sum float64
	now, since := 0, from
	until := func(at time.Time) {
		if at.After(since) {
			sum += float64(now) * at.Sub(since).Seconds()
			since = at
		}
	}
	for _, s := range find(log, saidBitrate) {
		if s.at.After(to) {
			break
		}
		until(s.at)
		now = s.value
	}
	until(to)
	return int(sum / to.Sub(from).Seconds())
}

// voiceBreaks is how often the voice broke off between two times.
func voiceBreaks(log string, from, to time.Time) int {
	var before, after int
	for _, s := range find(log, saidBreaks) {
		if !s.at.After(from) {
			before = s.value
		}
		if !s.at.After(to) {
			after = s.value
		}
	}
	return after - before
}
