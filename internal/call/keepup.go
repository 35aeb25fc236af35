// SPDX-License-Identifier: Apache-2.0

package call

import (
	"time"

	"github.com/costream-obs/costream-obs/media"
)

const (
	// fullShare of the time is the most that a software encoder may work: beyond it, it takes from OBS what OBS needs.
	fullShare = 0.9
	// fullWeight is how many late pictures a look with more counts as.
	fullWeight = 2
	// drawnShare of the programme's pictures must be drawn late for a look to be late. A game that takes all of the graphics
	// card, or a change of scene, makes OBS miss some, which fewer pictures of ours do not help.
	drawnShare = 0.05
	// lateLooks in a row are needed: one is late when another program starts.
	lateLooks = 2
	// keepUpSettle is for how long after a change, and after an encoder has started, nothing counts: dropped pictures are
	// known late.
	keepUpSettle = 4 * time.Second
)

// keepUp lowers the rate of our pictures, and then their size, while this machine is too slow, and raises them again. It is used by
// one goroutine.
type keepUp struct {
	encoding, drawing strain
	sizeStays         bool // the peer, or the encoder, knows only one size
	step              int  // of what is saved, see media.SavingOf
	changed           time.Time

	looked         time.Time
	sender         *media.VideoSender
	busy           time.Duration
	dropped, drawn counter
}

// strain is one sign that the machine is too slow.
type strain struct {
	yield media.Yield
	step  int    // what it asks for
	late  uint64 // pictures, as far as they count
	row   int    // late looks in a row
}

// look takes in one look.
func (s *strain) look(late bool, pictures uint64, now time.Time) {
	if !late {
		s.row = 0
	} else if s.row++; s.row >= lateLooks {
		s.late += pictures
	} else if s.step > 0 {
		s.yield.Hold(now)
	}
	s.step, _ = s.yield.Look(int(s.late), now)
}

// machineLoad is what one look sees.
type machineLoad struct {
	sender  *media.VideoSender
	encoder media.EncoderLoad
	dropped uint64        // pictures that the sender was too slow for
	drawn   uint64        // pictures that the programme drew late
	frame   time.Duration // between two pictures of the programme
}

// look takes in one second, and returns whether what is saved changes.
func (k *keepUp) look(l machineLoad, now time.Time) (changed bool) {
	// At one picture in 4 it is hardly our encoder for which OBS draws late, so that shrinks none.
	k.encoding.yield.RateOnly, k.drawing.yield.RateOnly = k.sizeStays, true
	dropped, drawn := k.dropped.sum, k.drawn.sum
	k.dropped.note(l.sender, l.dropped)
	k.drawn.note(nil, l.drawn)
	dropped, drawn = k.dropped.sum-dropped, k.drawn.sum-drawn
	since, busy := now.Sub(k.looked), l.encoder.Busy-k.busy
	fresh := l.sender != k.sender
	k.looked, k.sender, k.busy = now, l.sender, l.encoder.Busy
	if fresh {
		k.changed = now
	}
	if now.Sub(k.changed) < keepUpSettle {
		k.encoding.row, k.drawing.row = 0, 0
		return false
	}
	// A graphics card may work on several pictures at once, and takes nothing from the processor.
	software := !media.HardwareEncoder(l.encoder.Name)
	if share := busy.Seconds() / since.Seconds(); software {
		if share > fullShare {
			dropped += fullWeight
		}
		if k.step > 0 && media.StepBack(k.step)*share > fullShare {
			k.encoding.yield.Hold(now)
			k.drawing.yield.Hold(now)
		}
	}
	k.encoding.look(dropped > 1, dropped, now)
	k.drawing.look(software && l.frame > 0 && float64(drawn) >= drawnShare*float64(since)/float64(l.frame), drawn, now)
	if step := max(k.encoding.step, k.drawing.step); step != k.step {
		k.step, k.changed, changed = step, now, true
	}
	return changed
}

// keepUp looks once, and has the sender leave pictures out, or shrink them.
func (c *Call) keepUp(k *keepUp, s *media.VideoSender, load media.EncoderLoad, now time.Time) {
	l := machineLoad{sender: s, encoder: load, frame: c.o.FrameTime}
	l.dropped, _ = s.Dropped()
	if c.o.DrawnLate != nil && c.o.Feed == nil { // A feed gives way itself.
		n, _ := c.o.DrawnLate()
		l.drawn = uint64(max(n, 0))
	}
	// Those of 2020 know one size. A hardware encoder may have to open its device anew for another one.
	k.sizeStays = !c.o.PeerAsks || media.HardwareEncoder(load.Name)
	fresh := s != k.sender
	changed := k.look(l, now)
	saving := media.SavingOf(k.step)
	if changed {
		c.o.Log.Info("this machine is too slow for all pictures of ours, or no longer",
			"one sent in", saving.Every, "size", saving.Size)
	}
	if changed || fresh {
		s.Thin(saving.Every)
		s.Shrink(saving.Size)
	}
}
