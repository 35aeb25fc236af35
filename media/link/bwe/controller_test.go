// SPDX-License-Identifier: Apache-2.0

package bwe

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

// simPath is a path in a time of its own: a queue in front of a rate, then a delay.
type simPath struct {
	rate   func(at time.Duration) float64 // bit/s
	queue  time.Duration                  // longest
	delay  time.Duration                  // one way
	jitter time.Duration
	loss   float64
	detour func(at time.Duration) float64 // more delay, in ms; may be nil
	stall  time.Duration                  // at the receiver, four times a second
	late   func(at time.Duration) float64 // the receiver reads packets, in ms after they came; may be nil
	stamps bool                           // the receiver knows when packets came that it reads late
}

// simPacket is a packet of a picture, or of sound when picture is 0.
type simPacket struct {
	picture, part int
	size          int
	again         bool
}

// sim sends pictures and sound over a path, as a Secure link does.
type sim struct {
	path       simPath
	busy       func(at time.Duration) float64 // share of the encoder's rate that the pictures take
	controller *Controller
	bucket     bucket
	rng        *rand.Rand

	queue  []simPacket // waits for the bucket
	free   time.Duration
	last   time.Duration
	events []simEvent
	record *twcc.Recorder

	pictures []*simPicture
	sound    []time.Duration // delays of sound
	rates    []int           // of the encoder, at each picture
}

type simPicture struct {
	made, done time.Duration
	missing    map[int]bool
}

type simEvent struct {
	at time.Duration
	do func(at time.Duration)
}

var simStart = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (s *sim) at(at time.Duration, do func(time.Duration)) {
	i, _ := slices.BinarySearchFunc(s.events, at, func(e simEvent, at time.Duration) int {
		if e.at <= at {
			return -1
		}
		return 1
	})
	s.events = slices.Insert(s.events, i, simEvent{at, do})
}

func (s *sim) run(until time.Duration) {
	s.controller = NewController(DefaultMinBitrate, DefaultMaxBitrate)
	s.rng = rand.New(rand.NewPCG(1, 2))
	s.record = twcc.NewRecorder(1)
	s.pictures = []*simPicture{{}}
	s.bucket.setRate(simStart, int(s.controller.estimator.rate))
	s.every(0, time.Second/30, s.picture)
	s.every(3*time.Millisecond, 10*time.Millisecond, func(at time.Duration) { s.ship(at, simPacket{size: 60}) })
	s.every(0, FeedbackInterval, s.feedback)
	s.every(0, time.Millisecond, s.pace)
	for len(s.events) > 0 && s.events[0].at < until {
		e := s.events[0]
		s.events = s.events[1:]
		e.do(e.at)
	}
}

func (s *sim) every(first, interval time.Duration, do func(time.Duration)) {
	s.at(first, func(at time.Duration) {
		do(at)
		s.every(at+interval, interval, do)
	})
}

func (s *sim) picture(at time.Duration) {
	rate := s.controller.Rate()
	s.rates = append(s.rates, rate)
	size := int(float64(rate) / 8 / 30 * s.busy(at) * (0.7 + 0.6*s.rng.Float64()))
	p := &simPicture{made: at, missing: map[int]bool{}}
	s.pictures = append(s.pictures, p)
	for part := 0; size > 0; part++ {
		p.missing[part] = true
		s.queue = append(s.queue, simPacket{picture: len(s.pictures) - 1, part: part, size: min(size, 1200)})
		size -= 1200
	}
	s.pace(at)
}

func (s *sim) pace(at time.Duration) {
	for len(s.queue) > 0 && s.bucket.take(simStart.Add(at), s.queue[0].size) == 0 {
		p := s.queue[0]
		s.queue = s.queue[1:]
		s.ship(at, p)
	}
}

func (s *sim) ship(at time.Duration, p simPacket) {
	const overhead = 40 // of RTP, encryption and the number
	of := Sound         // and what is sent again, which takes from the picture's rate as sound does
	if p.picture > 0 && !p.again {
		of = Picture
	}
	number := s.controller.Sent(simStart.Add(at), of, p.size+overhead)
	begin := max(s.free, at)
	if begin-at > s.path.queue || s.rng.Float64() < s.path.loss {
		if p.picture > 0 {
			p.again = true
			s.at(at+2*s.path.delay+10*time.Millisecond, func(at time.Duration) {
				s.queue = slices.Insert(s.queue, 0, p)
				s.pace(at)
			})
		}
		return
	}
	s.free = begin + time.Duration(float64(p.size+overhead+headers)*8/s.path.rate(at)*1e9)
	delay := s.path.delay
	if s.path.detour != nil {
		delay += time.Duration(s.path.detour(at)) * time.Millisecond
	}
	s.last = max(s.last, s.free+delay+time.Duration(s.rng.Float64()*float64(s.path.jitter)))
	seen := s.last
	if begin := seen.Truncate(time.Second / 4); seen < begin+s.path.stall {
		seen = begin + s.path.stall
	}
	if s.path.late != nil {
		seen += time.Duration(s.path.late(at)) * time.Millisecond
	}
	arrived := seen
	if s.path.stamps {
		arrived = s.last
	}
	s.at(seen, func(now time.Duration) {
		s.record.Record(2, number, int64(arrived/time.Microsecond))
		if p.picture == 0 {
			s.sound = append(s.sound, now-at)
			return
		}
		picture := s.pictures[p.picture]
		delete(picture.missing, p.part)
		if len(picture.missing) == 0 {
			picture.done = now
		}
	})
}

func (s *sim) feedback(at time.Duration) {
	for _, p := range s.record.BuildFeedbackPacket() {
		b, err := p.Marshal()
		if err != nil {
			panic(err)
		}
		s.at(at+s.path.delay, func(at time.Duration) {
			report := &rtcp.TransportLayerCC{}
			if err := report.Unmarshal(b); err != nil {
				panic(err)
			}
			_, all, _ := s.controller.Report(simStart.Add(at), report)
			s.bucket.setRate(simStart.Add(at), all)
		})
	}
}

// frozen is the sum of what the pauses between two pictures on show are longer than one picture, where they are longer
// than 2.5 pictures; and the longest delay of a picture.
func (s *sim) frozen(from, to time.Duration) (frozen, longest time.Duration) {
	shown := time.Duration(0)
	for _, p := range s.pictures[1:] {
		if len(p.missing) > 0 {
			break
		}
		at := max(shown, p.done)
		if p.made >= from && p.made < to {
			longest = max(longest, at-p.made)
			if gap := at - shown; shown > 0 && gap > time.Second/12 {
				frozen += gap - time.Second/30
			}
		}
		shown = at
	}
	return frozen, longest
}

// mean is that of the encoder's rate.
func (s *sim) mean(from, to time.Duration) (sum int) {
	rates := s.rates[from*30/time.Second : to*30/time.Second]
	for _, r := range rates {
		sum += r
	}
	return sum / len(rates)
}

func always(x float64) func(time.Duration) float64 { return func(time.Duration) float64 { return x } }

// between is one value within a time and another one outside.
func between(from, to time.Duration, inside, outside float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		if at >= from && at < to {
			return inside
		}
		return outside
	}
}

// TestController lets the rate find its way on paths that change. Delays are one way.
func TestController(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	steady := func(rate float64) func(time.Duration) float64 { return always(rate) }
	all := always(1)
	for _, test := range []struct {
		name     string
		path     simPath
		busy     func(time.Duration) float64
		from, to time.Duration
		least    int // of the mean rate
		most     int
		frozen   time.Duration
		longest  time.Duration // delay of a picture
	}{
		{"nothing in the way", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms}, all, 4 * s, 20 * s, 5_900_000, 6_000_000, 0, 60 * ms},
		{"4 Mbit/s", simPath{rate: steady(4e6), queue: 300 * ms, delay: 10 * ms}, all, 3 * s, 20 * s, 3_200_000, 3_800_000, 0, 130 * ms},
		{"1.5 Mbit/s at once", simPath{rate: steady(1.5e6), queue: 300 * ms, delay: 10 * ms}, all, 0, 3 * s, 800_000, 1_500_000, 500 * ms, 500 * ms},
		{"drops from 4 to 1.5", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 300 * ms, delay: 10 * ms}, all, 9 * s, 20 * s, 1_100_000, 1_600_000, 400 * ms, 400 * ms},
		{"and back", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 300 * ms, delay: 10 * ms}, all, 24 * s, 30 * s, 3_200_000, 3_800_000, 0, 130 * ms},
		{"drops with a short queue", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 100 * ms, delay: 10 * ms}, all, 9 * s, 20 * s, 1_000_000, 1_600_000, 500 * ms, 500 * ms},
		{"drops with a long queue", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 3 * s, delay: 10 * ms}, all, 9 * s, 20 * s, 1_000_000, 1_600_000, 400 * ms, 400 * ms},
		{"drops on a long path", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 500 * ms, delay: 60 * ms}, all, 9 * s, 20 * s, 1_000_000, 1_600_000, 700 * ms, 800 * ms},
		{"back on a long path", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 500 * ms, delay: 60 * ms}, all, 25 * s, 30 * s, 3_000_000, 3_800_000, 0, 300 * ms},
		{"drops on a path that jitters", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 300 * ms, delay: 10 * ms, jitter: 15 * ms}, all, 9 * s, 20 * s, 1_000_000, 1_600_000, 500 * ms, 500 * ms},
		{"back on a path that jitters", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 300 * ms, delay: 10 * ms, jitter: 15 * ms}, all, 25 * s, 30 * s, 3_000_000, 3_800_000, 0, 150 * ms},
		{"loses 3 %", simPath{rate: steady(50e6), queue: 300 * ms, delay: 25 * ms, loss: 0.03}, all, 6 * s, 20 * s, 5_500_000, 6_000_000, 5 * s, 300 * ms},
		{"loses 20 %", simPath{rate: steady(50e6), queue: 300 * ms, delay: 25 * ms, loss: 0.2}, all, 15 * s, 20 * s, 300_000, 1_000_000, 5 * s, 500 * ms},
		{"still picture tells nothing", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms}, always(0.2), 10 * s, 20 * s, 3_000_000, 3_300_000, 0, 60 * ms},
		{"begins to move on a narrow path", simPath{rate: steady(1.5e6), queue: 300 * ms, delay: 10 * ms}, between(10*s, 20*s, 1, 0.2), 9 * s, 20 * s, 1_000_000, 1_600_000, 500 * ms, 500 * ms},
		{"becomes longer", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, detour: between(10*s, 30*s, 80, 0)}, all, 17 * s, 30 * s, 5_500_000, 6_000_000, 0, 150 * ms},
		{"becomes shorter", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, detour: between(0, 10*s, 80, 0)}, all, 5 * s, 30 * s, 5_900_000, 6_000_000, 0, 150 * ms},
		{"a busy receiver", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, stall: 70 * ms}, all, 5 * s, 30 * s, 5_000_000, 6_000_000, 15 * s, 150 * ms},
		{"a very busy receiver", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, stall: 150 * ms}, all, 5 * s, 30 * s, 3_000_000, 6_000_000, 25 * s, 250 * ms},
		{"reads late", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, late: between(10*s, 13*s, 80, 0)}, all, 10 * s, 13 * s, 0, 5_000_000, s, 200 * ms},
		{"reads late, with timestamps", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, late: between(10*s, 13*s, 80, 0), stamps: true}, all, 10 * s, 13 * s, 6_000_000, 6_000_000, s, 200 * ms},
		{"a very busy receiver with timestamps", simPath{rate: steady(50e6), queue: 300 * ms, delay: 10 * ms, stall: 200 * ms, stamps: true}, all, 5 * s, 30 * s, 5_990_000, 6_000_000, 25 * s, 300 * ms},
		{"a very busy receiver drops from 4 to 1.5", simPath{rate: between(10*s, 20*s, 1.5e6, 4e6), queue: 300 * ms, delay: 10 * ms, stall: 80 * ms, stamps: true}, all, 9 * s, 20 * s, 1_000_000, 1_600_000, 5 * s, 500 * ms},
		{"less than the least", simPath{rate: between(10*s, 20*s, 0.25e6, 4e6), queue: 300 * ms, delay: 10 * ms}, all, 26 * s, 30 * s, 2_500_000, 3_800_000, 0, 200 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &sim{path: test.path, busy: test.busy}
			s.run(30 * time.Second)
			frozen, longest := s.frozen(test.from, test.to)
			mean := s.mean(test.from, test.to)
			t.Logf("mean rate %d kbit/s, frozen for %v, longest delay of a picture %v", mean/1000, frozen.Round(ms), longest.Round(ms))
			if mean < test.least || mean > test.most {
				t.Errorf("mean rate %d, want %d to %d", mean, test.least, test.most)
			}
			if frozen > test.frozen || longest > test.longest {
				t.Errorf("frozen for %v, longest delay of a picture %v, want at most %v and %v", frozen, longest, test.frozen, test.longest)
			}
		})
	}
}
