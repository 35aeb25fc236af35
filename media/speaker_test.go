// SPDX-License-Identifier: Apache-2.0

package media

import "testing"

// TestSpeakerGoesSilent: a speaker that is silenced is so after one piece, and comes back as fast, in neither case with a jump.
func TestSpeakerGoesSilent(t *testing.T) {
	s := &speaker{loud: 1}
	last := int16(1000)
	play := func(silent bool) (first, end int16) {
		t.Helper()
		s.silent.Store(silent)
		pcm := make([]int16, soundChannels*frames(chunk))
		for i := range pcm {
			pcm[i] = 1000
		}
		s.shade(pcm)
		for i, v := range pcm {
			if step := int(v) - int(last); step > 10 || step < -10 {
				t.Fatalf("a jump from %d to %d at %d", last, v, i)
			}
			last = v
		}
		return pcm[0], pcm[len(pcm)-1]
	}
	for i, tt := range []struct {
		silent     bool
		first, end int16
	}{
		{false, 1000, 1000}, {true, 1000, 4}, {true, 0, 0}, {false, 0, 995}, {false, 1000, 1000},
	} {
		if first, end := play(tt.silent); first != tt.first || end != tt.end {
			t.Errorf("piece %d: got %d to %d, want %d to %d", i, first, end, tt.first, tt.end)
		}
	}
}
