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
	// cameraFrames is how many frame times the virtual camera is later than the programme: 97 ms
	// at 30 a second.
	cameraFrames = 3
	// captureLeg is by how much later than the programme says it was OBS plays what it monitors: it
	// records in pieces of so long (pulse-input.c). What waits in its stream comes on top.
	captureLeg = 25 * time.Millisecond
	// readLeg is what OBS takes to read a picture of 1280x720 from the socket of a Media Source
	// (BenchmarkRealMediaSource).
	readLeg = 3 * time.Millisecond
)

// legs are the parts of the way of picture and voice that no pipeline of ours sees: how much later
// than OBS has them in its programme we get them, and how much later than we show a picture OBS has
// it in its programme. They change while we are on air.
type legs struct {
	picture, voice, screen atomic.Int64 // nanoseconds
}

// shotPace follows how long screenshots take and how far apart they are.
type shotPace struct {
	frame       time.Duration // between two pictures of OBS
	last        time.Time
	takes, each time.Duration // averages
}

// asked notes that a screenshot is asked for. OBS draws it at once; the rest is making the image and
// bringing it here.
func (p *shotPace) asked(now time.Time) {
	if !p.last.IsZero() {
		p.each += (now.Sub(p.last) - p.each) / 8
	}
	p.last = now
}

// came notes that it is here, and returns by how much the picture is later than OBS's programme.
// Each of our pictures stands for as many of OBS's as there are between it and the next, and so is
// late by half of that time on average.
func (p *shotPace) came(now time.Time) time.Duration {
	p.takes += (now.Sub(p.last) - p.takes) / 8
	return p.takes + max(p.each-p.frame, 0)/2
}

// screenLeg is the time from Show of a screen to OBS's programme, on average: OBS shows what was
// written with its next picture.
func screenLeg(route Route, format media.VideoFormat) time.Duration {
	leg := format.FrameTime() / 2
	if route == RoutePortable {
		leg += readLeg
	}
	return leg
}
