// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/media"
)

// What OBS itself adds to the way of picture and voice. These are measured with 29.0.2 where no
// other source stands; OBS tells none of them.
const (
	// cameraLeg is by how much more than a picture the virtual camera is later than the programme:
	// OBS reads a picture back from the graphics card while it draws the next (TestGuestLegs, the
	// same at other rates).
	cameraLeg = 5 * time.Millisecond
	// recordPiece is how long the pieces are that OBS asks the sound server to record in (pulse-input.c), and mixPiece how
	// long those are that it mixes, in which it keeps one in hand. What has not come when it is to be mixed is put
	// into the next, and all that comes after it stays so much later in the programme (libobs, discard_audio).
	recordPiece = 25 * time.Millisecond
	mixPiece    = 1024 * time.Second / 48000
	// captureLeg is by how much later than the programme has it OBS plays what it monitors, beside what waits in its stream
	// on average. That is half a recorded piece where OBS mixes those in time (it has then two ticks in hand, as its log
	// says), and half a piece less a mixed one where it does not. Nothing tells which, so it is the mean.
	captureLeg = recordPiece/2 - mixPiece/2
	// SpeakerLeg is by how much sooner than it is heard OBS's programme has what we play: by the piece that the sink took
	// ahead when OBS began to record, less a mixed one where OBS does not mix that in time. It is the mean as well, so that
	// both are wrong by the same, and cancel between two OBS of which both do or both do not.
	SpeakerLeg = recordPiece - mixPiece/2
	// readLeg is what OBS takes to read a picture of readPixels from the socket of a Media Source
	// (BenchmarkRealMediaSource).
	readLeg    = 3 * time.Millisecond
	readPixels = 1280 * 720

	// legLooks is how many looks at a leg count.
	legLooks = 8
)

// legs are the parts of the way of picture and voice that no pipeline of ours sees: how much later
// than OBS has them in its programme we get them, and how much later than we show a picture OBS has
// it in its programme. They change while we are on air.
type legs struct {
	picture, voice mean.Mean
	screen         atomic.Int64 // nanoseconds
	beat           beat
}

// begin is for a time on air of an OBS that draws pictures of f, which has ours later by screen.
func (l *legs) begin(screen time.Duration, f media.VideoFormat) {
	l.beat.reset(f)
	l.picture.Reset()
	l.screen.Store(int64(screen))
}

// forCall are the legs as a call asks for them.
func (l *legs) forCall() call.Legs {
	return call.Legs{
		Picture: l.picture.Value, Voice: l.voice.Value,
		Screen:  func() time.Duration { return time.Duration(l.screen.Load()) },
		Speaker: SpeakerLeg,
	}
}

// shotPace follows how old screenshots are: what they show when they are asked for, how long they take, and how far apart
// they are.
type shotPace struct {
	beat             *beat
	frame            time.Duration // between two pictures of OBS
	last             time.Time
	old, takes, each mean.Mean
}

// asked notes that a screenshot is asked for. It shows what OBS's programme showed last.
func (p *shotPace) asked(now time.Time) {
	if !p.last.IsZero() {
		p.each.Add(now.Sub(p.last), legLooks)
	}
	p.last = now
	old, ok := p.beat.since(now)
	if !ok {
		old = p.frame / 2
	}
	p.old.Add(old, legLooks)
}

// came notes that it is here, and returns by how much the picture is later than OBS's programme.
// Each of our pictures stands for as many of OBS's as there are between it and the next, and so is
// late by half of that time on average.
func (p *shotPace) came(now time.Time) time.Duration {
	p.takes.Add(now.Sub(p.last), legLooks)
	return p.old.Value() + p.takes.Value() + max(p.each.Value()-p.frame, 0)/2
}
