// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// gate decides whether the peer hears us: no more than the viewers do. A microphone is closed to them
// while it is muted, and while its push-to-talk key is up, which no request and no event tells, but
// OBS's meters do: it captures sound, of which nothing is left behind. Monitoring takes no notice of
// push-to-talk in any version of OBS (measured, 32.2.2), nor of mute from 32.2.0 on.
//
// Its methods may be called from any goroutine.
type gate struct {
	mu sync.Mutex
	// always says that a microphone without an input in OBS is heard.
	always bool
	// hazard says that OBS monitors a muted microphone.
	hazard bool

	mics      []string
	muted     map[string]bool
	monitored map[string]bool
	closed    map[string]bool // by OBS's meters
	metered   bool            // meters have come
	placed    bool            // the streams at the sound server are where they belong
	ended     bool
	leaked    time.Time // when a closed microphone was seen to be monitored last
	recheck   *time.Timer
	silence   func(silent bool)
}

// leakTail is how long the sound of a microphone is on its way after OBS has ended its monitoring: 25 to
// 60 ms, more on a busy machine (measured, 29.0.2).
const leakTail = 150 * time.Millisecond

// reset begins a time on air. It is silent until OBS's meters have come and all streams are known to be
// where they belong.
func (g *gate) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.metered, g.placed, g.ended, g.leaked = nil, false, false, false, time.Time{}
}

// attach lets the gate silence the time on air.
func (g *gate) attach(silence func(bool)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence = silence
	g.apply()
}

// detach ends that.
func (g *gate) detach() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence = nil
	if g.recheck != nil {
		g.recheck.Stop()
	}
}

// set tells the microphones that go to the peer, and which of OBS's inputs are muted and monitored.
func (g *gate) set(mics []string, muted map[string]bool, monitored map[string]obsctl.MonitorType) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mics, g.muted = slices.Clone(mics), maps.Clone(muted)
	g.monitored = make(map[string]bool)
	for input, t := range monitored {
		g.monitored[input] = t != obsctl.MonitorOff
	}
	g.apply()
}

// mute takes in at once that an input is muted, or not any more.
func (g *gate) mute(input string, muted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.muted[input]; known {
		g.muted[input] = muted
		g.apply()
	}
}

// place tells whether the streams at the sound server are where they belong.
func (g *gate) place(placed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if placed != g.placed {
		g.placed = placed
		g.apply()
	}
}

// end closes the gate for the rest of the time on air.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	g.apply()
}

// microphones are those that go to the peer.
func (g *gate) microphones() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.mics)
}

// awaited are the microphones whose sound should reach us: those that OBS monitors, while all streams are where they
// belong.
func (g *gate) awaited() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.placed {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.mics), func(mic string) bool { return !g.monitored[mic] })
}

// meter takes in OBS's meters and reports whether a microphone was opened or closed. One that captures
// nothing, or is muted, stays as it was.
func (g *gate) meter(levels obsctl.Levels) (changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, level := range levels {
		if level.Captured == 0 || g.muted[level.Input] || !slices.Contains(g.mics, level.Input) {
			continue
		}
		if closed := level.Heard == 0; closed != g.closed[level.Input] {
			if g.closed == nil {
				g.closed = make(map[string]bool)
			}
			g.closed[level.Input], changed = closed, true
		}
	}
	if changed || !g.metered {
		g.metered = true
		g.apply()
	}
	return changed
}

// isClosed reports whether viewers do not hear a microphone although it captures sound.
func (g *gate) isClosed(mic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed[mic]
}

func (g *gate) apply() {
	if g.silence != nil {
		g.silence(g.ended || !g.metered || !g.placed || g.allClosed() || g.leaks())
	}
}

// leaks reports whether a closed microphone is still heard beside open ones: all of them reach us as one
// sound, so that all are silent until OBS does not monitor that one any more.
func (g *gate) leaks() bool {
	if len(g.mics) < 2 {
		return false
	}
	anyShut := false
	for _, mic := range g.mics {
		shut := g.hazard && g.muted[mic] || g.closed[mic]
		if shut && g.monitored[mic] {
			g.leaked = time.Now()
			return true
		}
		anyShut = anyShut || shut
	}
	wait := leakTail - time.Since(g.leaked)
	if !anyShut || wait <= 0 {
		return false
	}
	if g.recheck != nil {
		g.recheck.Stop()
	}
	g.recheck = time.AfterFunc(wait, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.apply()
	})
	return true
}

// allClosed reports whether the viewers hear none of the microphones, or OBS has none.
func (g *gate) allClosed() bool {
	known := 0
	for _, mic := range g.mics {
		if muted, ok := g.muted[mic]; ok {
			known++
			if !muted && !g.closed[mic] {
				return false
			}
		}
	}
	return known > 0 || !g.always
}
