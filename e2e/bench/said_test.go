// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"
)

func TestSaid(t *testing.T) {
	const log = `time=2026-11-30T10:00:00.000Z level=INFO msg=bitrate bits=3000000
time=2026-11-30T10:00:01.000Z level=INFO msg=breaks times=2
time=2026-11-30T10:00:03.500Z level=INFO msg=breaks times=3
time=2026-11-30T10:00:04.000Z level=INFO msg=bitrate bits=1000000
time=2026-11-30T10:00:05.000Z level=INFO msg=bitrate bits=2000000
time=2026-11-30T10:00:05.500Z level=INFO msg=breaks times=4
time=2026-11-30T10:00:05.600Z level=INFO msg="something else" times=7
time=2026-11-30T10:00:07.000Z level=INFO msg=breaks times=9
`
	at := func(second int) time.Time { return time.Date(2026, 11, 30, 10, 0, second, 0, time.UTC) }
	if got, want := allowed(log, at(2), at(6)), 2_250_000; got != want {
		t.Errorf("allowed: got %d, want %d", got, want)
	}
	if got, want := voiceBreaks(log, at(2), at(6)), 2; got != want {
		t.Errorf("breaks: got %d, want %d", got, want)
	}
	if got := allowed("", at(2), at(6)); got != 0 {
		t.Errorf("a link that says nothing: got %d", got)
	}
}
