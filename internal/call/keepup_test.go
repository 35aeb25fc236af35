// SPDX-License-Identifier: Apache-2.0

package call

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

// slowMachine encodes pictures of 30 a second, each of which takes a time, and drops those for which there is none.
type slowMachine struct {
	sender *media.VideoSender
	took   time.Duration
	drawn  uint64 // late each second

	sum machineLoad
}

// second is one second at the rate of one picture in so many.
func (m *slowMachine) second(every int) machineLoad {
	const rate = 30
	in := rate / every
	out := min(in, int(time.Second/m.took))
	m.sum.sender, m.sum.frame = m.sender, time.Second/rate
	m.sum.encoder.Frames += uint64(out)
	m.sum.encoder.Busy += time.Duration(out) * m.took
	m.sum.dropped += uint64(in - out)
	m.sum.drawn += m.drawn
	return m.sum
}

func TestKeepUp(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name string
		took func(second int) time.Duration
		late func(second int) uint64
		// every is what is expected at some seconds, and changes how often the rate may change in all.
		every   map[int]int
		changes int
	}{
		{"fast enough", func(int) time.Duration { return 10 * ms }, nil, map[int]int{60: 1}, 0},
		{"too slow for all", func(int) time.Duration { return 45 * ms }, nil, map[int]int{5: 2, 60: 2}, 1},
		{"works all the time", func(int) time.Duration { return 32 * ms }, nil, map[int]int{5: 2, 60: 2}, 1},
		{"too slow for half", func(int) time.Duration { return 90 * ms }, nil, map[int]int{15: 4, 60: 4}, 2},
		{"slow for a while", func(s int) time.Duration {
			if s < 20 {
				return 45 * ms
			}
			return 10 * ms
		}, nil, map[int]int{5: 2, 19: 2, 40: 1}, 2},
		{"OBS draws late because of us", func(int) time.Duration { return 10 * ms }, func(s int) uint64 {
			if s < 8 {
				return 5
			}
			return 0
		}, map[int]int{3: 2, 7: 4, 60: 1}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, k := &slowMachine{sender: new(media.VideoSender)}, &keepUp{}
			now, changes := time.Now(), 0
			for s := range 61 {
				m.took = test.took(s)
				if test.late != nil {
					m.drawn = test.late(s)
				}
				if k.look(m.second(max(k.every, 1)), now) {
					changes++
				}
				now = now.Add(time.Second)
				if want, asked := test.every[s]; asked && k.every != want {
					t.Errorf("after %d s: got one in %d, want %d", s, k.every, want)
				}
			}
			if changes > test.changes {
				t.Errorf("got %d changes, want %d at most", changes, test.changes)
			}
		})
	}
}

// TestKeepUpNewSender has a sender replaced, which counts from 0.
func TestKeepUpNewSender(t *testing.T) {
	k := &keepUp{}
	now := time.Now()
	m := &slowMachine{sender: new(media.VideoSender), took: 10 * time.Millisecond}
	for range 10 {
		k.look(m.second(1), now)
		now = now.Add(time.Second)
	}
	m = &slowMachine{sender: new(media.VideoSender), took: 10 * time.Millisecond}
	for range 10 {
		if k.look(m.second(1), now) {
			t.Errorf("a new sender: got one in %d", k.every)
		}
		now = now.Add(time.Second)
	}
}
