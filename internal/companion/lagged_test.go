// SPDX-License-Identifier: Apache-2.0

package companion

import "testing"

func TestLagged(t *testing.T) {
	var l lagged
	if _, known := l.since(); known {
		t.Error("known before OBS told anything")
	}
	l.told(100)
	l.begin()
	for _, step := range []struct{ told, want int }{{107, 0}, {109, 2}, {109, 2}, {1, 3}, {4, 6}} {
		l.told(step.told)
		if got, known := l.since(); got != step.want || !known {
			t.Errorf("OBS told %d: got %d (known %v), want %d", step.told, got, known, step.want)
		}
	}
}
