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

// second is one second with what is saved.
func (m *slowMachine) second(s media.Saving) machineLoad {
	in := m.rate / s.Every
	took := m.took * [...]time.Duration{36, 16, 9}[s.Size] / 36 // as many pixels
	out := min(in, int(time.Second/took)*max(m.ahead, 1))
	m.sum.sender, m.sum.frame, m.sum.encoder.Name = m.sender, time.Second/30, m.encoder
	m.sum.encoder.Frames += uint64(out)
	m.sum.encoder.Busy += time.Duration(out) * took
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
		size    map[int]media.Size
	}{
		{"fast enough", slowMachine{}, steady(10*ms, 0), map[int]int{60: 1}, 0, nil},
		{"too slow for all", slowMachine{}, steady(45*ms, 0), map[int]int{4: 1, 5: 2, 60: 2}, 1, nil},
		{"works all the time", slowMachine{}, steady(32*ms, 0), map[int]int{5: 2, 60: 2}, 1, nil},
		{"too slow for half", slowMachine{}, steady(90*ms, 0), map[int]int{15: 4, 60: 4}, 2, nil},
		{"too slow for a quarter", slowMachine{}, steady(190*ms, 0), map[int]int{15: 4, 60: 4}, 3, map[int]media.Size{11: media.FullSize, 16: media.TwoThirds, 60: media.TwoThirds}},
		{"too slow for a quarter of two thirds", slowMachine{}, steady(400*ms, 0), map[int]int{15: 4, 60: 4}, 4, map[int]media.Size{11: media.FullSize, 17: media.TwoThirds, 30: media.HalfSize, 60: media.HalfSize}},
		{"so slow for a while", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s < 25 {
				m.took = 400 * ms
			}
		}, map[int]int{25: 4, 48: 4, 56: 2}, 8, map[int]media.Size{25: media.HalfSize, 37: media.TwoThirds, 46: media.FullSize, 60: media.FullSize}},
		{"slow for a while", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s < 20 {
				m.took = 45 * ms
			}
		}, map[int]int{5: 2, 19: 2, 40: 1}, 2, nil},
		{"slow for a while, and then just quick enough", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 28 * ms
			if s < 20 {
				m.took = 45 * ms
			}
		}, map[int]int{5: 2, 19: 2, 40: 1}, 2, nil},
		{"starts slowly", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s < 4 {
				m.took = 90 * ms
			}
		}, map[int]int{60: 1}, 0, nil},
		{"a program starts now and then", slowMachine{}, func(s int, m *slowMachine) {
			m.took = 10 * ms
			if s%10 == 0 {
				m.took = 90 * ms
			}
		}, map[int]int{60: 1}, 0, nil},
		{"slow, but so are the pictures", slowMachine{rate: 15}, steady(45*ms, 0), map[int]int{60: 1}, 0, nil},
		{"a graphics card that works on several", slowMachine{encoder: "vah264enc", ahead: 4}, steady(90*ms, 0), map[int]int{60: 1}, 0, nil},
		{"a graphics card that is too slow", slowMachine{encoder: "vah264enc"}, steady(45*ms, 0), map[int]int{5: 2, 60: 2}, 5, nil},
		{"OBS draws late because of us", slowMachine{}, func(s int, m *slowMachine) {
			m.took, m.drawn = 10*ms, 0
			if s < 12 {
				m.drawn = 5
			}
		}, map[int]int{4: 1, 5: 2, 11: 4, 60: 1}, 4, nil},
		{"OBS draws a few late", slowMachine{}, steady(10*ms, 1), map[int]int{60: 1}, 0, nil},
		{"OBS draws late, not because of us", slowMachine{encoder: "vah264enc"}, steady(10*ms, 5), map[int]int{60: 1}, 0, nil},
		{"both too slow and drawn late", slowMachine{}, func(s int, m *slowMachine) {
			m.took, m.drawn = 45*ms, 0
			if s < 12 {
				m.drawn = 5
			}
		}, map[int]int{5: 2, 11: 4, 60: 2}, 3, nil},
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
				if k.look(m.second(media.SavingOf(k.step)), now) {
					changes++
				}
				now = now.Add(time.Second)
				if want, asked := test.size[s]; asked && media.SavingOf(k.step).Size != want {
					t.Errorf("after %d s: got size %v, want %v", s, media.SavingOf(k.step).Size, want)
				}
				if want, asked := test.every[s]; asked && media.SavingOf(k.step).Every != want {
					t.Errorf("after %d s: got one in %d, want %d", s, media.SavingOf(k.step).Every, want)
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
		k.look(m.second(media.SavingOf(0)), now)
		now = now.Add(time.Second)
	}
	m = &slowMachine{sender: new(media.VideoSender), rate: 30, took: 10 * time.Millisecond}
	for i := range 10 {
		if m.took = 90 * time.Millisecond; i >= 4 { // It starts slowly.
			m.took = 10 * time.Millisecond
		}
		if k.look(m.second(media.SavingOf(0)), now) {
			t.Errorf("a new sender: got one in %d", media.SavingOf(k.step).Every)
		}
		now = now.Add(time.Second)
	}
}

// TestKeepUpSizeStays: a peer that knows one size only gets fewer pictures, and none of another size.
func TestKeepUpSizeStays(t *testing.T) {
	k := &keepUp{sizeStays: true}
	now := time.Now()
	m := &slowMachine{sender: new(media.VideoSender), rate: 30, took: 190 * time.Millisecond}
	fewest := 1
	for range 60 {
		k.look(m.second(media.SavingOf(k.step)), now)
		now = now.Add(time.Second)
		saving := media.SavingOf(k.step)
		fewest = max(fewest, saving.Every)
		if saving.Size != media.FullSize {
			t.Fatalf("got size %v", saving.Size)
		}
	}
	if fewest != 4 {
		t.Errorf("got one picture in %d, want 4", fewest)
	}
}
