// SPDX-License-Identifier: Apache-2.0

package mean

import (
	"testing"
	"time"
)

func TestMean(t *testing.T) {
	var m Mean
	const of = 8
	add := func(d time.Duration, times int) time.Duration {
		for range times {
			m.Add(d, of)
		}
		return m.Value()
	}
	steps := []struct {
		name  string
		d     time.Duration
		times int
		want  time.Duration
	}{
		{"the first", 80 * time.Millisecond, 1, 80 * time.Millisecond},
		{"the second", 160 * time.Millisecond, 1, 120 * time.Millisecond},
		{"the rest of the first eight", 120 * time.Millisecond, 6, 120 * time.Millisecond},
		{"one of eight", 200 * time.Millisecond, 1, 130 * time.Millisecond},
		{"many", 160 * time.Millisecond, 100, 160 * time.Millisecond},
	}
	for _, s := range steps {
		if got := add(s.d, s.times); (got - s.want).Abs() > time.Microsecond {
			t.Errorf("%s: got %v, want %v", s.name, got, s.want)
		}
	}
	m.Reset()
	if got := m.Value(); got != 0 {
		t.Errorf("after Reset: got %v, want 0", got)
	}
	if got, want := add(5*time.Millisecond, 1), 5*time.Millisecond; got != want {
		t.Errorf("the first after Reset: got %v, want %v", got, want)
	}
}
