// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/mean"
	"github.com/costream-obs/costream-obs/media"
)

// Latency that OBS adds, measured with 29.0.2 unless another source is named. OBS reports none of it.
const (
	// cameraLatency is how much later than one frame after the programme the virtual camera has a picture: OBS reads it
	// back from the graphics card while it draws the next one (TestGuestLatency; the same at other frame rates).
	cameraLatency = 5 * time.Millisecond
	// recordPiece is the length of the pieces in which OBS asks the sound server to record (pulse-input.c). mixPiece is the
	// length of those that OBS mixes; it keeps one in reserve. Sound that comes too late for its piece goes into the next,
	// and everything after it stays that much later in the programme (libobs, discard_audio).
	recordPiece = 25 * time.Millisecond
	mixPiece    = 1024 * time.Second / 48000
	// captureLatency is how much later than the programme OBS plays what it monitors, without what waits in its stream. It is
	// half a recorded piece if OBS mixes the pieces in time (its log then reports two ticks of buffering), and half a piece
	// less a mixed one if not. We cannot find out which, so this is the mean.
	captureLatency = recordPiece/2 - mixPiece/2
	// SpeakerLatency is how much earlier than the user hears it OBS's programme has the peer's voice: the piece that the sink
	// had taken when OBS began to record, less a mixed one if OBS does not mix that in time. It is the mean, too: between two
	// OBS that behave alike both errors cancel.
	SpeakerLatency = recordPiece - mixPiece/2
	// readLatency is how long OBS takes to read a picture of readPixels from the socket of a Media Source
	// (BenchmarkRealMediaSource).
	readLatency = 3 * time.Millisecond
	readPixels  = 1280 * 720

	// latencySamples is over how many measurements a latency is averaged.
	latencySamples = 8
)

// externalLatency is the latency that OBS adds outside our pipelines. Picture and voice are how much later than the
// programme we get them; screen is how much later than we show it the programme has the peer's picture. They change while
// we are on air.
type externalLatency struct {
	picture, voice mean.Mean
	screen         atomic.Int64 // nanoseconds
	clock          frameClock
}

// begin begins a time on air with an OBS that draws frames of f.
func (l *externalLatency) begin(screen time.Duration, f media.VideoFormat) {
	l.clock.reset(f)
	l.picture.Reset()
	l.screen.Store(int64(screen))
}

// forCall is the latency in the form in which a call reads it.
func (l *externalLatency) forCall() call.ExternalLatency {
	return call.ExternalLatency{
		Picture: l.picture.Value, Voice: l.voice.Value,
		Screen:  func() time.Duration { return time.Duration(l.screen.Load()) },
		Speaker: SpeakerLatency,
	}
}

// shotPace measures the latency of screenshots: the age of what they show when we ask for them, how long they take, and the
// interval between two.
type shotPace struct {
	clock            *frameClock
	frame            time.Duration // between two frames of OBS
	last             time.Time
	old, takes, each mean.Mean
}

// asked notes that we ask for a screenshot. It will show the newest frame of the programme.
func (p *shotPace) asked(now time.Time) {
	if !p.last.IsZero() {
		p.each.Add(now.Sub(p.last), latencySamples)
	}
	p.last = now
	old, ok := p.clock.since(now)
	if !ok {
		old = p.frame / 2
	}
	p.old.Add(old, latencySamples)
}

// came notes that the screenshot has arrived, and returns how much later than the programme the picture is. Each screenshot
// stands for all frames until the next, so it is late by another half of that time on average.
func (p *shotPace) came(now time.Time) time.Duration {
	p.takes.Add(now.Sub(p.last), latencySamples)
	return p.old.Value() + p.takes.Value() + max(p.each.Value()-p.frame, 0)/2
}
