// SPDX-License-Identifier: Apache-2.0

package call

import (
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

// slowMachine encodes pictures, each of which takes a time, and drops those for which there is none. 30 a second are drawn.
type slowMachine struct {
	sender  *media.VideoSender
	encoder string
	rate    int // of the pictures that come, of 30
	took    time.Duration
	ahead   int    // pictures that the encoder works on at once; 0 is one
	drawn   uint64 // late each second

	sum machineLoad
}

// second is one second at the rate of one picture in so many.
func (m *slowMachine) second(every int) machineLoad {
	in := m.rate / every
	out := min(in, int(time.Second/m.took)*max(m.ahead, 1))
	m.sum.sender, m.sum.frame, m.sum.encoder.Name = m.sender, time.Second/30, m.encoder
	m.sum.encoder.Frames += uint64(out)
	m.sum.encoder.Busy += time.Duration(out) * m.took
	m.sum.dropped += uint64(in - out)
	m.sum.drawn += m.drawn
	return m.sum
}

func TestKeepUp(t *testing.T) {
	const ms = time.Millisecond
	steady := func(took time.Duration, drawn uint64) func(int, *slowMachine) {
		return func(_ int, m *slowMachine) { m.took, m.drawn = took, drawn }
	}
	for _, test := range []struct {
		name    string
		machine slowMachine
		at      func(second int, m *slowMachine)
		// every is what is expected at some seconds, and changes how often the rate may change in all.
		every   map[int]int
		changes int
	}{
		{"fast enough", slowMachine{}, steady(10*ms, 0), map[int]int{60: 1}, 0},
		{"too slow for all", slowMachine{}, steady(45*ms, 0), map[int]int{4: 1, 5: 2, 60: 2}, 1},
		{"works all the time", slowMachine{}, steady(32*ms, 0), map[int]int{5: 2, 60: 2}, 1},
		{"too slow for half", slowMachine{}, steady(90*ms, 0), map[int]int{15: 4, 60: 4}, 2},
		{"slow for a while", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s < 20 {
				m.took = 45 * ms
			}
		}, map[int]int{5: 2, 19: 2, 40: 1}, 2},
		{"starts slowly", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s < 4 {
				m.took = 90 * ms
			}
		}, map[int]int{60: 1}, 0},
		{"a program starts now and then", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s%10 == 0 {
				m.took = 90 * ms
			}
		}, map[int]int{60: 1}, 0},
		{"slow, but so are the pictures", slowMachine{rate: 15}, steady(45*ms, 0), map[int]int{60: 1}, 0},
		{"a graphics card that works on several", slowMachine{encoder: "vah264enc", ahead: 4}, steady(90*ms, 0), map[int]int{60: 1}, 0},
		{"a graphics card that is too slow", slowMachine{encoder: "vah264enc"}, steady(45*ms, 0), map[int]int{5: 2, 60: 2}, 5},
		{"OBS draws late because of us", slowMachine{}, func(s int, m *slowMachine) {
			m.took, m.drawn = 10*ms, 0
			if s < 12 {
				m.drawn = 5
			}
		}, map[int]int{4: 1, 5: 2, 11: 4, 60: 1}, 4},
		{"OBS draws a few late", slowMachine{}, steady(10*ms, 1), map[int]int{60: 1}, 0},
		{"OBS draws late, not because of us", slowMachine{encoder: "vah264enc"}, steady(10*ms, 5), map[int]int{60: 1}, 0},
		{"both too slow and drawn late", slowMachine{}, func(s int, m *slowMachine) {
			m.took, m.drawn = 45*ms, 0
			if s < 12 {
				m.drawn = 5
			}
		}, map[int]int{5: 2, 11: 4, 60: 2}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, k := &test.machine, &keepUp{}
			m.sender = new(media.VideoSender)
			if m.rate == 0 {
				m.rate = 30
			}
			now, changes := time.Now(), 0
			for s := range 61 {
				test.at(s, m)
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
	m := &slowMachine{sender: new(media.VideoSender), rate: 30, took: 10 * time.Millisecond}
	for range 10 {
		k.look(m.second(1), now)
		now = now.Add(time.Second)
	}
	m = &slowMachine{sender: new(media.VideoSender), rate: 30, took: 10 * time.Millisecond}
	for i := range 10 {
		if m.took = 90 * time.Millisecond; i >= 4 { // It starts slowly.
			m.took = 10 * time.Millisecond
		}
		if k.look(m.second(1), now) {
			t.Errorf("a new sender: got one in %d", k.every)
		}
		now = now.Add(time.Second)
	}
}
