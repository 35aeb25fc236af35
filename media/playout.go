// SPDX-License-Identifier: Apache-2.0

package media

import (
	"math"
	"sync"
	"time"
)

const (
	soundRate     = 48000 // frames a second
	soundChannels = 2

	// leastSpare is the reserve of a playout if nothing ever comes late: more than a sound card takes at once. mostSpare is
	// the largest reserve.
	leastSpare = 8 * time.Millisecond
	mostSpare  = 120 * time.Millisecond
	// spareGrowth is how much the reserve grows after each gap, and spareDecay how much it shrinks after each window without
	// one.
	spareGrowth = 5 * time.Millisecond
	spareDecay  = 250 * time.Microsecond
	// spareWindow is half the time over which the worst moment counts.
	spareWindow = time.Second
	// wayTooMuch: if there is that much more sound than wanted, some is skipped instead of played faster.
	wayTooMuch = 100 * time.Millisecond
	// firstSpare is the reserve, in addition to what is wanted, at which playing begins: the length of a packet.
	firstSpare = 10 * time.Millisecond
	// maxStretch is the largest change of speed. 2.5 % is less than half a semitone, and is only reached if the delay is
	// wrong by more than 25 ms.
	maxStretch = 0.025
	// speedUp and slowDown are the changes of speed for each second of sound too much or too little. Too little is close to
	// a gap.
	speedUp, slowDown = 0.5, 1.0
	// learn is how fast drift is learnt, per second of sound too much or too little and second of time.
	learn = 0.03
	// speedSettle is the time constant of a change of speed.
	speedSettle = 250 * time.Millisecond
	// fade is the length of the fade-in that prevents a click after a gap.
	fade = 5 * time.Millisecond
)

// playout holds decoded sound from its arrival, at the pace of the peer's clock and of the network, until it is played, at
// the pace of a sound card. It keeps the smallest reserve that does not run dry, and a delay on top if one is set, by
// playing slightly faster or slower, which nobody hears. So two clocks that drift apart cause neither gaps nor delay.
type playout struct {
	mu    sync.Mutex
	held  []int16 // interleaved frames; the first one is the last that was passed
	at    float64 // where the next output frame lies, in frames from held's second, below 1
	delay int     // asked for, in frames
	spare int     // to keep in hand, in frames

	playing bool
	risen   int     // output frames since playing began, up to the length of the fade
	speed   float64 // input frames for each output frame
	drift   float64 // of the peer's clock against ours, as learnt: what speed is above 1 in the long run
	gaps    int

	now, before window
	left        int // output frames until the next window
	natural     int // frames that are there on average when something comes and delay is 0
}

// window is what was in reserve during a time: the least when something was played, and the mean when something came.
type window struct {
	least, sum, looks int
}

// newPlayout makes a playout with the reserve that an earlier one learnt, if any.
func newPlayout(spare time.Duration) *playout {
	n := frames(min(max(spare, leastSpare), mostSpare))
	return &playout{held: make([]int16, soundChannels), spare: n, natural: n}
}

func frames(d time.Duration) int { return int(d * soundRate / time.Second) }

func soundTime(frames int) time.Duration { return time.Duration(frames) * time.Second / soundRate }

// setDelay delays sound in addition to the reserve. Sound that plays gets there gradually.
func (p *playout) setDelay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = frames(max(d, 0))
}

// wait is how long sound waits here on average, without the delay that was set.
func (p *playout) wait() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return soundTime(p.natural)
}

// learnt is the reserve, for the next playout of the same voice.
func (p *playout) learnt() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return soundTime(p.spare)
}

// breaks is how often there was nothing to play, or too much.
func (p *playout) breaks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gaps
}

// inHand is the number of frames that are left to play.
func (p *playout) inHand() int { return len(p.held)/soundChannels - 1 }

// write adds decoded sound.
func (p *playout) write(pcm []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.sum += p.inHand()
	p.now.looks++
	p.held = append(p.held, pcm[:len(pcm)/soundChannels*soundChannels]...)
	if over := p.inHand() - p.delay - p.spare; over > frames(wayTooMuch) {
		p.gaps++
		p.pass(over)
		p.begin()
	}
}

// pass advances by n frames.
func (p *playout) pass(n int) {
	p.held = append(p.held[:0], p.held[n*soundChannels:]...)
}

// begin starts to play after silence.
func (p *playout) begin() {
	p.playing, p.risen, p.speed = true, 0, 1+p.drift
	p.now, p.before = window{least: math.MaxInt}, window{least: math.MaxInt}
	p.left = frames(spareWindow)
}

// read fills out, with silence if there is nothing to play.
func (p *playout) read(out []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(out) / soundChannels
	if !p.playing && p.inHand() >= p.delay+p.spare+frames(firstSpare) {
		p.begin()
	}
	if !p.playing {
		p.silence(out)
		return
	}
	// The interpolation needs two more frames.
	if last := int(p.at + p.speed*float64(n-1)); p.inHand() < last+3 {
		p.runDry(out)
		return
	}
	p.watch(n)
	p.steer(n)
	p.stretch(out)
}

// runDry stops playing until there is enough again, and raises what is enough.
func (p *playout) runDry(out []int16) {
	p.gaps++
	p.playing = false
	p.spare = min(p.spare+frames(spareGrowth), frames(mostSpare))
	p.silence(out)
}

// silence fades the last sound out.
func (p *playout) silence(out []int16) {
	for i := range out {
		c := i % soundChannels
		p.held[c] = int16(int(p.held[c]) * 63 / 64)
		out[i] = p.held[c]
	}
}

// watch notes the reserve before n frames are played.
func (p *playout) watch(n int) {
	p.now.least = min(p.now.least, p.inHand()-n)
	if p.left -= n; p.left > 0 {
		return
	}
	if p.now.looks > 0 {
		p.natural = p.now.sum/p.now.looks - p.now.least + p.spare
	}
	p.spare = max(p.spare-frames(spareDecay), frames(leastSpare))
	p.before, p.now = p.now, window{least: math.MaxInt}
	p.left = frames(spareWindow)
}

// steer sets the speed for the next n frames by the reserve at the worst moment.
func (p *playout) steer(n int) {
	over := float64(min(p.now.least, p.before.least)-p.delay-p.spare) / soundRate
	want := over * speedUp
	if over < 0 {
		want = over * slowDown
	}
	seconds := soundTime(n).Seconds()
	p.drift = bounded(p.drift + over*learn*seconds)
	want = 1 + bounded(p.drift+want)
	p.speed += (want - p.speed) * seconds / speedSettle.Seconds()
}

func bounded(stretch float64) float64 { return min(max(stretch, -maxStretch), maxStretch) }

// stretch plays at the current speed, with cubic interpolation.
func (p *playout) stretch(out []int16) {
	rise := frames(fade)
	for i := 0; i < len(out); i += soundChannels {
		whole := int(p.at)
		near := p.held[whole*soundChannels : (whole+4)*soundChannels]
		weights := cubic(p.at - float64(whole))
		for c := range soundChannels {
			v := 0.0
			for k, w := range weights {
				v += w * float64(near[k*soundChannels+c])
			}
			out[i+c] = int16(min(max(v, math.MinInt16), math.MaxInt16))
		}
		if p.risen < rise {
			p.risen++
			for c := range soundChannels {
				out[i+c] = int16(int(out[i+c]) * p.risen / rise)
			}
		}
		p.at += p.speed
	}
	whole := int(p.at)
	p.pass(whole)
	p.at -= float64(whole)
}

// cubic is the weight of each of four neighbours at a position between the second and the third (Catmull and Rom).
func cubic(t float64) [4]float64 {
	return [4]float64{
		((-t+2)*t - 1) * t / 2,
		((3*t-5)*t*t + 2) / 2,
		((-3*t+4)*t + 1) * t / 2,
		(t - 1) * t * t / 2,
	}
}
