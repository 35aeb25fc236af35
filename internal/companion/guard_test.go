// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"
	"time"
)

// TestTruce: a stream is put back three times in ten seconds, then left alone for a while.
func TestTruce(t *testing.T) {
	begin := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var tr truce
	for _, step := range []struct {
		after  time.Duration
		stream string
		want   bool
	}{
		{0, "voice", true}, {time.Second, "voice", true}, {2 * time.Second, "voice", true},
		{3 * time.Second, "voice", false}, {3 * time.Second, "music", true}, {20 * time.Second, "voice", false},
		{34 * time.Second, "voice", true}, {46 * time.Second, "voice", true}, {58 * time.Second, "voice", true}, {70 * time.Second, "voice", true},
	} {
		if got := tr.mayMove(step.stream, begin.Add(step.after)); got != step.want {
			t.Errorf("%s after %v: got %v, want %v", step.stream, step.after, got, step.want)
		}
	}
}
