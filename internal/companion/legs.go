// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media"
)

// What OBS itself adds to the way of picture and voice. These are measured with 29.0.2 where no
// other source stands; OBS tells none of them.
const (
	// cameraLeg is by how much more than a picture the virtual camera is later than the programme:
	// OBS reads a picture back from the graphics card while it draws the next. It was 202 ms at 5 a
	// second, 105 at 10 and 57 at 20 (TestGuestLegs).
	cameraLeg = 5 * time.Millisecond
	// captureLeg is by how much later than the programme says it was OBS plays what it monitors: it
	// records in pieces of so long (pulse-input.c), and begins to play each when it has it. What
	// waits in its stream then comes on top; on average half a piece more waits there.
	captureLeg = 25*time.Millisecond - 25*time.Millisecond/2
	// recordLeg is by how much sooner than it is heard OBS's programme has what we play: OBS records
	// what the sink takes, which is this much ahead for the buffer that we ask for.
	recordLeg = media.SinkLead
	// readLeg is what OBS takes to read a picture of 1280x720 from the socket of a Media Source
	// (BenchmarkRealMediaSource).
	readLeg = 3 * time.Millisecond
)

// legs are the parts of the way of picture and voice that no pipeline of ours sees: how much later
// than OBS has them in its programme we get them, and how much later than we show a picture OBS has
// it in its programme. They change while we are on air.
type legs struct {
	picture, voice smooth
	screen         atomic.Int64 // nanoseconds
	beat           beat
}

// begin is for a time on air of an OBS that draws at the rate of f.
func (l *legs) begin(route Route, f media.VideoFormat) {
	l.beat.reset(f)
	l.picture.reset()
	// OBS shows what was written with its next picture. How long it has to wait for that is known, but no more use
	// than the mean: where the picture is held back for the voice it is shown with the nearest one to the voice.
	screen := f.FrameTime() / 2
	if route == RoutePortable {
		screen += readLeg
	}
	l.screen.Store(int64(screen))
}

// smooth is the mean of about the last 8 durations. One goroutine may add while others read.
type smooth struct{ d atomic.Int64 }

func (s *smooth) reset() { s.d.Store(0) }

func (s *smooth) add(d time.Duration) {
	if was := s.value(); was != 0 {
		d = was + (d-was)/8
	}
	s.d.Store(int64(d))
}

func (s *smooth) value() time.Duration { return time.Duration(s.d.Load()) }

// shotPace follows how old screenshots are: what they show when they are asked for, how long they take, and how far apart
// they are.
type shotPace struct {
	beat             *beat
	frame            time.Duration // between two pictures of OBS
	last             time.Time
	old, takes, each smooth
}

// asked notes that a screenshot is asked for. It shows what OBS's programme showed last.
func (p *shotPace) asked(now time.Time) {
	if !p.last.IsZero() {
		p.each.add(now.Sub(p.last))
	}
	p.last = now
	old, ok := p.beat.since(now)
	if !ok {
		old = p.frame / 2
	}
	p.old.add(old)
}

// came notes that it is here, and returns by how much the picture is later than OBS's programme.
// Each of our pictures stands for as many of OBS's as there are between it and the next, and so is
// late by half of that time on average.
func (p *shotPace) came(now time.Time) time.Duration {
	p.takes.add(now.Sub(p.last))
	return p.old.value() + p.takes.value() + max(p.each.value()-p.frame, 0)/2
}
