// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"testing"
	"time"
)

func TestShotPace(t *testing.T) {
	const frame = 33 * time.Millisecond
	tests := []struct {
		name        string
		takes, each time.Duration
		want        time.Duration
	}{
		// Nothing is known of when OBS draws.
		{"each picture of OBS", 15 * time.Millisecond, frame, frame/2 + 15*time.Millisecond},
		{"each second one", 15 * time.Millisecond, 2 * frame, frame/2 + 15*time.Millisecond + frame/2},
		{"as fast as they come", 150 * time.Millisecond, 150 * time.Millisecond, frame/2 + 150*time.Millisecond + (150*time.Millisecond-frame)/2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := shotPace{clock: new(frameClock), frame: frame}
			now := time.Unix(1e9, 0)
			var got time.Duration
			for range 100 {
				p.asked(now)
				got = p.came(now.Add(tt.takes))
				now = now.Add(tt.each)
			}
			if (got - tt.want).Abs() > time.Millisecond {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
