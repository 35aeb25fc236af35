// SPDX-License-Identifier: Apache-2.0

package call

import (
	"time"

	"github.com/costream-obs/costream-obs/media"
)

const (
	// fullShare of the time between two pictures is the most that the encoder may take for one: beyond it, it works all the
	// time, and takes from OBS what OBS needs.
	fullShare = 0.9
	// fullWeight is how many late pictures such a second counts as.
	fullWeight = 2
	// keepUpSettle is for how long after a change nothing counts: dropped pictures are known late.
	keepUpSettle = 4 * time.Second
)

// keepUp lowers the rate of our pictures while this machine is too slow for all, and raises it again. It is used by one
// goroutine.
type keepUp struct {
	yield   media.Yield
	every   int // one picture in so many is encoded; 0 before the first look
	changed time.Time

	sender         *media.VideoSender
	load           media.EncoderLoad
	dropped, drawn counter
	late           uint64 // pictures, as far as they count
}

// machineLoad is what one look sees.
type machineLoad struct {
	sender  *media.VideoSender
	encoder media.EncoderLoad
	dropped uint64        // pictures that the sender was too slow for
	drawn   uint64        // pictures that the programme drew late
	frame   time.Duration // between two pictures
}

// look takes in one second, and returns whether the rate changes.
func (k *keepUp) look(l machineLoad, now time.Time) (changed bool) {
	k.every = max(k.every, 1)
	before := k.dropped.sum + k.drawn.sum
	k.dropped.note(l.sender, l.dropped)
	k.drawn.note(nil, l.drawn)
	took, known := k.perFrame(l)
	if now.Sub(k.changed) < keepUpSettle {
		return false
	}
	k.late += k.dropped.sum + k.drawn.sum - before
	if known && l.frame > 0 {
		each := l.frame * time.Duration(k.every)
		if took > time.Duration(fullShare*float64(each)) {
			k.late += fullWeight
		}
		if k.every > 1 && took > time.Duration(fullShare*float64(each/2)) {
			k.yield.Hold(now)
		}
	}
	if k.every, changed = k.yield.Look(int(k.late), now); changed {
		k.changed = now
	}
	return changed
}

// perFrame is how long the encoder took for a picture since the last look.
func (k *keepUp) perFrame(l machineLoad) (took time.Duration, known bool) {
	if l.sender != k.sender {
		k.sender, k.load = l.sender, media.EncoderLoad{}
	}
	frames := l.encoder.Frames - min(k.load.Frames, l.encoder.Frames)
	busy := l.encoder.Busy - k.load.Busy
	k.load = l.encoder
	if frames == 0 {
		return 0, false
	}
	return busy / time.Duration(frames), true
}

// keepUp looks once, and has the sender leave pictures out.
func (c *Call) keepUp(k *keepUp, s *media.VideoSender, load media.EncoderLoad, now time.Time) {
	l := machineLoad{sender: s, encoder: load, frame: c.o.FrameTime}
	l.dropped, _ = s.Dropped()
	if c.o.DrawnLate != nil && c.o.Feed == nil { // A feed gives way itself.
		n, _ := c.o.DrawnLate()
		l.drawn = uint64(max(n, 0))
	}
	fresh := s != k.sender
	changed := k.look(l, now)
	if changed {
		c.o.Log.Info("this machine is too slow for all pictures of ours, or no longer", "one sent in", k.every)
	}
	if changed || fresh {
		s.Thin(k.every)
	}
}
