// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

// drawing is an OBS in virtual time that is asked by a frameClock.
type drawing struct {
	clock *frameClock
	each  time.Duration
	since time.Time // when it drew its picture 0
	now   time.Time
	asked int
	late  func() time.Duration // of an answer
}

// after asks for so long.
func (d *drawing) after(long time.Duration) {
	for end := d.now.Add(long); d.now.Before(end); d.asked++ {
		n := int(d.now.Sub(d.since) / d.each)
		d.now = d.now.Add(d.late())
		d.clock.told(n, d.now)
		d.now = d.now.Add(d.clock.pause(d.asked))
	}
}

// wrong is how far the clock is off.
func (d *drawing) wrong(t *testing.T) time.Duration {
	t.Helper()
	since, ok := d.clock.since(d.now)
	if !ok {
		t.Fatal("got nothing known, want to know when OBS draws")
	}
	late := (d.now.Sub(d.since)%d.each - since + d.each) % d.each
	return min(late, d.each-late)
}

func TestFrameClock(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name   string
		format media.VideoFormat
		late   time.Duration // at most
		want   time.Duration // most that it may be wrong by
	}{
		{"30 a second, answers at once", media.VideoFormat{FPSNum: 30, FPSDen: 1}, 0, 3 * ms},
		{"30 a second, answers take time", media.VideoFormat{FPSNum: 30, FPSDen: 1}, 20 * ms, 10 * ms},
		{"60000/1001 a second", media.VideoFormat{FPSNum: 60000, FPSDen: 1001}, ms, 3 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			var clock frameClock
			clock.reset(tt.format)
			now := time.Now()
			d := &drawing{
				clock: &clock, now: now, since: now.Add(-71 * time.Hour), each: time.Second * time.Duration(tt.format.FPSDen) / time.Duration(tt.format.FPSNum),
				late: func() time.Duration { return time.Duration(random.Int64N(int64(tt.late) + 1)) },
			}
			if _, ok := clock.since(now); ok {
				t.Error("got a time before anything is known")
			}
			d.after(time.Second)
			if wrong := d.wrong(t); wrong > tt.want {
				t.Errorf("soon: got it wrong by %v, want at most %v", wrong, tt.want)
			}
			for range 60 {
				d.after(time.Minute)
				if wrong := d.wrong(t); wrong > tt.want {
					t.Fatalf("later: got it wrong by %v, want at most %v", wrong, tt.want)
				}
			}
			// OBS counts anew, at other times.
			d.since = d.now.Add(-11 * ms)
			d.after(time.Minute)
			if wrong := d.wrong(t); wrong > tt.want {
				t.Errorf("anew: got it wrong by %v, want at most %v", wrong, tt.want)
			}
		})
	}
}
