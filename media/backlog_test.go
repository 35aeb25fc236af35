// SPDX-License-Identifier: Apache-2.0

package media

import "testing"

func TestBacklog(t *testing.T) {
	for _, test := range []struct {
		name string
		// drops and inside: after picture i so many were dropped, and so many are in the pipeline.
		drops, inside func(i uint64) uint64
		want          uint64
	}{
		{"none", func(uint64) uint64 { return 0 }, func(uint64) uint64 { return 0 }, 0},
		{"one is often on its way", func(uint64) uint64 { return 0 }, func(i uint64) uint64 { return i % 3 }, 0},
		{"every tenth", func(i uint64) uint64 { return i / 10 }, func(i uint64) uint64 { return i % 2 }, 29},
		{"three at once", func(i uint64) uint64 { return 3 * min(i/50, 1) }, func(uint64) uint64 { return 0 }, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b backlog
			for left := uint64(1); left <= 320; left++ {
				b.look(left+test.drops(left)+test.inside(left), left)
			}
			if got := b.dropped(); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
