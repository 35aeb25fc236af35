// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// gate decides whether the peer hears us: never more than the viewers do. The viewers do not hear a microphone while it is
// muted, or while its push-to-talk key is up. No request and no event reports push-to-talk, but OBS's meters do: the
// microphone captures sound, and none of it is heard. OBS monitors a microphone regardless of push-to-talk in every version
// (measured, 32.2.2), and regardless of mute from 32.2.0 on.
//
// Its methods may be called from any goroutine.
type gate struct {
	silencer[bool]
	// always: the peer gets a microphone that is no input of OBS.
	always bool
	// hazard: OBS monitors a muted microphone.
	hazard bool

	mics      []string
	muted     map[string]bool
	monitored map[string]bool
	closed    map[string]bool // by OBS's meters
	metered   bool            // meters have come
	placed    bool            // the streams at the sound server are where they belong
	paused    bool            // the user is on a break
	ordered   bool            // the user ordered silence
	ended     bool
	leaked    time.Time // when a closed microphone was last found to be monitored
}

// leakTail is how long sound of a microphone still arrives after OBS has ended its monitoring: 25 to 60 ms, more on a busy
// machine (measured, 29.0.2).
const leakTail = 150 * time.Millisecond

// reset begins a time on air. The peer hears nothing until OBS's meters have come and all streams are known to be where
// they belong.
func (g *gate) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.metered, g.placed, g.ended, g.leaked = nil, false, false, false, time.Time{}
}

// attach makes the gate mute a call.
func (g *gate) attach(silence func(bool)) { g.silencer.attach(silence, g.apply) }

// set takes the microphones that go to the peer, and which of OBS's inputs are muted and monitored.
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

// mute takes in at once that an input was muted or unmuted.
func (g *gate) mute(input string, muted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, known := g.muted[input]; known {
		g.muted[input] = muted
		g.apply()
	}
}

// place takes whether the streams at the sound server are where they belong.
func (g *gate) place(placed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if placed != g.placed {
		g.placed = placed
		g.apply()
	}
}

// pause closes the gate for a break.
func (g *gate) pause(paused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = paused
	g.apply()
}

// order closes the gate by the user's order.
func (g *gate) order(silence bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ordered = silence
	g.apply()
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

// awaited are the microphones whose sound should reach us now: those that OBS monitors, if all streams are where they
// belong.
func (g *gate) awaited() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.placed {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.mics), func(mic string) bool { return !g.monitored[mic] })
}

// meter takes OBS's meters, and reports whether a microphone was opened or closed. They say nothing about one that captures
// no sound or is muted.
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

// isClosed reports whether the viewers do not hear a microphone although it captures sound.
func (g *gate) isClosed(mic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed[mic]
}

func (g *gate) apply() {
	if g.silence != nil {
		g.silence(g.paused || g.ordered || g.ended || !g.metered || !g.placed || g.allClosed() || g.leaks())
	}
}

// leaks reports whether a closed microphone still reaches us while others are open. All microphones arrive as one sound, so
// all must be silent until OBS has stopped monitoring the closed one.
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
	g.later(wait, g.apply)
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
