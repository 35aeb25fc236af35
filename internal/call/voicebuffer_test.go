// SPDX-License-Identifier: Apache-2.0

package call

import (
	"testing"
	"time"
)

func TestVoiceBuffer(t *testing.T) {
	begin := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var b voiceBuffer
	for _, step := range []struct {
		after time.Duration
		late  int
		want  time.Duration
	}{
		{1 * time.Second, 0, 25 * time.Millisecond},
		{2 * time.Second, 4, 25 * time.Millisecond},
		{13 * time.Second, 4, 25 * time.Millisecond}, // the others are long ago
		{14 * time.Second, 1, 50 * time.Millisecond},
		{15 * time.Second, 1, 50 * time.Millisecond}, // counted anew
		{16 * time.Second, 30, 100 * time.Millisecond},
		{17 * time.Second, 30, 100 * time.Millisecond}, // no more than that
	} {
		before := max(b.size, leastBuffer)
		grew := b.note(step.late, begin.Add(step.after))
		if b.size != step.want || grew != (b.size > before) {
			t.Errorf("after %v: got %v (grew: %v), want %v", step.after, b.size, grew, step.want)
		}
	}
}
