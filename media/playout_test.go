// SPDX-License-Identifier: Apache-2.0

package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// speech is a peer's voice in virtual time: a tone whose packets come by the
// peer's own clock, late by what the network adds.
type speech struct {
	playout *playout
	fast    float64 // by how much the peer's clock is faster than ours
	late    func(packet int) time.Duration

	come   int // packets that came
	played int // frames
	out    []int16
}

const (
	packetFrames = soundRate / 100
	chunkFrames  = soundRate / 200
	toneHz       = 500
)

// hear plays for so long and returns the smallest and the largest time that was
// in hand after a chunk.
func (s *speech) hear(d time.Duration) (least, most time.Duration) {
	least = time.Hour
	packet := tonePacket()
	for end := s.played + frames(d); s.played < end; s.played += chunkFrames {
		now := soundTime(s.played)
		for {
			said := time.Duration(float64(soundTime((s.come+1)*packetFrames)) / (1 + s.fast))
			if s.late != nil {
				said += s.late(s.come)
			}
			if said > now {
				break
			}
			s.playout.write(packet)
			s.come++
		}
		out := make([]int16, chunkFrames*soundChannels)
		s.playout.read(out)
		s.out = append(s.out, out...)
		held := soundTime(s.playout.inHand())
		least, most = min(least, held), max(most, held)
	}
	return least, most
}

// tonePacket is a part of an endless sine wave, of which it holds whole periods.
func tonePacket() []int16 {
	out := make([]int16, 0, packetFrames*soundChannels)
	for i := range packetFrames {
		v := int16(10000 * math.Sin(2*math.Pi*toneHz*float64(i)/soundRate))
		out = append(out, v, v)
	}
	return out
}

// clicks counts steps between neighbouring samples that the tone does not have.
func clicks(out []int16) int {
	// The steepest step of the tone, a little faster and louder.
	const steepest = 10000 * 2 * math.Pi * toneHz / soundRate * 1.1
	n := 0
	for i := soundChannels; i < len(out); i += soundChannels {
		if math.Abs(float64(out[i])-float64(out[i-soundChannels])) > steepest {
			n++
		}
	}
	return n
}

// Two clocks drift apart: 2 % in 2 min are as much as 200 ppm in 3 h.
func TestPlayoutFollowsDrift(t *testing.T) {
	tests := []struct {
		name string
		fast float64
		d    time.Duration
		most time.Duration
		gaps int // while it finds out
	}{
		{"equal", 0, time.Minute, 25 * time.Millisecond, 0},
		{"200 ppm", 200e-6, 10 * time.Minute, 25 * time.Millisecond, 0},
		{"-200 ppm", -200e-6, 10 * time.Minute, 25 * time.Millisecond, 0},
		{"2 %", 0.02, 2 * time.Minute, 40 * time.Millisecond, 0},
		{"-2 %", -0.02, 2 * time.Minute, 40 * time.Millisecond, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &speech{playout: newPlayout(0), fast: tt.fast}
			s.hear(20 * time.Second)
			settled := s.playout.breaks()
			var most time.Duration
			for d := 20 * time.Second; d < tt.d; d += 10 * time.Second {
				s.out = s.out[:0]
				least, m := s.hear(10 * time.Second)
				most = max(most, m)
				if n := clicks(s.out); n > 0 || least < 0 {
					t.Fatalf("after %v: got %d clicks, want 0", d, n)
				}
			}
			if settled > tt.gaps || s.playout.breaks() > settled || most > tt.most {
				t.Errorf("got %d gaps at first and %d later, at most %v in hand; want %d, 0 and %v",
					settled, s.playout.breaks()-settled, most, tt.gaps, tt.most)
			}
			t.Logf("%d gaps at first, at most %v in hand", settled, most)
		})
	}
}

// What jitter takes is learnt, and unlearnt when it is over.
func TestPlayoutFollowsJitter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rough := true
	s := &speech{playout: newPlayout(0), late: func(int) time.Duration {
		if rough {
			return time.Duration(random.Int64N(int64(30 * time.Millisecond)))
		}
		return 0
	}}
	s.hear(20 * time.Second)
	settled := s.playout.breaks()
	_, most := s.hear(time.Minute)
	if got := s.playout.breaks() - settled; got > 2 || most > 80*time.Millisecond {
		t.Errorf("30 ms of jitter: got %d gaps and at most %v in hand, want at most 2 and 80ms", got, most)
	}
	t.Logf("%d gaps at first, %d in the minute after, at most %v in hand", settled, s.playout.breaks()-settled, most)
	rough = false
	s.hear(2 * time.Minute)
	if _, most := s.hear(10 * time.Second); most > 25*time.Millisecond {
		t.Errorf("after the jitter: got %v in hand, want at most 25ms", most)
	}
}

// What was learnt of a voice need not be learnt again by the next playout.
func TestPlayoutKeepsWhatWasLearnt(t *testing.T) {
	late := func(packet int) time.Duration {
		// Nothing comes for 50 ms, twice in 3 s.
		if n := packet % 150; n < 4 {
			return time.Duration(4-n) * 10 * time.Millisecond
		}
		return 0
	}
	first := &speech{playout: newPlayout(0), late: late}
	first.hear(30 * time.Second)
	next := &speech{playout: newPlayout(first.playout.learnt()), late: late}
	next.hear(30 * time.Second)
	t.Logf("%d gaps, then %d; %v learnt", first.playout.breaks(), next.playout.breaks(), first.playout.learnt())
	if a, b := first.playout.breaks(), next.playout.breaks(); a < 5 || b > 1 {
		t.Errorf("got %d gaps, and then %d; want 5 or more, and then at most one", a, b)
	}
}

// A delay is taken on and given up without a gap or a click.
func TestPlayoutDelay(t *testing.T) {
	s := &speech{playout: newPlayout(0)}
	s.hear(20 * time.Second)
	_, without := s.hear(10 * time.Second)
	const delay = 80 * time.Millisecond
	for _, step := range []struct{ delay, want time.Duration }{{delay, without + delay}, {0, without}} {
		s.playout.setDelay(step.delay)
		s.hear(40 * time.Second)
		if _, most := s.hear(time.Second); (most - step.want).Abs() > 5*time.Millisecond {
			t.Errorf("delay %v: got %v in hand, want %v", step.delay, most, step.want)
		}
		if got := s.playout.wait(); (got - without).Abs() > 10*time.Millisecond {
			t.Errorf("delay %v: got a wait of %v without the delay, want %v", step.delay, got, without)
		}
	}
	if n := clicks(s.out); n > 0 || s.playout.breaks() > 0 {
		t.Errorf("got %d clicks and %d gaps, want none", n, s.playout.breaks())
	}
}

// A peer who is away for a while leaves neither a click nor a delay behind, also
// when all that was said meanwhile comes at once.
func TestPlayoutOutage(t *testing.T) {
	s := &speech{playout: newPlayout(0), late: func(packet int) time.Duration {
		// Said between 5 s and 6 s, come at 6 s.
		if packet >= 500 && packet < 600 {
			return 6*time.Second - soundTime((packet+1)*packetFrames)
		}
		return 0
	}}
	s.hear(8 * time.Second)
	if got := s.playout.breaks(); got < 2 || got > 10 {
		t.Errorf("got %d breaks, want one when nothing comes and some when all comes", got)
	}
	if n := clicks(s.out); n > 1 {
		t.Errorf("got %d clicks, want at most the one where old sound is left out", n)
	}
	s.hear(10 * time.Second)
	if _, most := s.hear(time.Second); most > 30*time.Millisecond {
		t.Errorf("got %v in hand afterwards, want at most 30ms", most)
	}
}
