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
	shared    []string // inputs that go to the peer besides them
	left      []string // inputs that were shared, or muted by OBS's button, and may still be on their way
	active    []string // the shared inputs that are in the programme, by OBS's meters
	muted     map[string]bool
	monitored map[string]bool
	onlyHeard map[string]bool // are monitored for the user alone
	closed    map[string]bool // by OBS's meters
	pending   map[string]int  // mutes and unmutes that the session has not noted yet, by input
	told      map[string]bool // what the last of them said
	pressed   map[string]bool // at "monitor only" by the mute button of OBS 32.1, which monitors them like any other
	metered   bool            // meters have come
	placed    bool            // the streams at the sound server are where they belong
	paused    bool            // the user is on a break
	ordered   bool            // the user ordered silence
	ended     bool
	leaked    time.Time // when a closed microphone was last found to be monitored

	tune  func(music bool) // nil where nothing can be shared
	music bool             // what tune was told last
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
	g.left, g.active = nil, nil
}

// follow makes the gate tell a call whether it sends music or a voice alone, from the next attach until detach.
func (g *gate) follow(tune func(music bool)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tune, g.music = tune, false
}

// share takes the inputs that go to the peer besides the microphones. It takes effect with the next set.
func (g *gate) share(inputs []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, input := range g.shared {
		if !slices.Contains(inputs, input) {
			g.left, g.leaked = append(g.left, input), time.Now()
		}
	}
	g.shared = slices.Clone(inputs)
	g.left = slices.DeleteFunc(g.left, func(input string) bool { return slices.Contains(inputs, input) })
}

// attach makes the gate mute a call.
func (g *gate) attach(silence func(bool)) { g.silencer.attach(silence, g.apply) }

// set takes the microphones that go to the peer, and which of OBS's inputs are muted and monitored.
func (g *gate) set(mics []string, muted map[string]bool, monitored map[string]obsctl.MonitorType) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mics, g.muted = slices.Clone(mics), maps.Clone(muted)
	for input, muted := range g.told {
		if _, known := g.muted[input]; known {
			g.muted[input] = muted
		}
	}
	g.monitored, g.onlyHeard = make(map[string]bool), make(map[string]bool)
	for input, t := range monitored {
		g.monitored[input], g.onlyHeard[input] = t != obsctl.MonitorOff, t == obsctl.MonitorOnly
	}
	for input := range g.pressed {
		if g.pending[input] == 0 && !g.onlyHeard[input] {
			delete(g.pressed, input)
			if g.muted[input] && slices.Contains(g.toPeer(), input) {
				g.left, g.leaked = append(g.left, input), time.Now()
			}
		}
	}
	g.left = slices.DeleteFunc(g.left, func(input string) bool { return !g.stillLeaves(input) && g.drained() })
	g.apply()
}

// mute takes in at once that an input was muted or unmuted. What set says of the input does not count until noted was called:
// the session may be in the middle of a round, and not know of it.
func (g *gate) mute(input string, muted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.takeMute(input, muted)
}

// button is mute for the mute button of OBS 32.1.
func (g *gate) button(input string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pressed == nil {
		g.pressed = make(map[string]bool)
	}
	g.pressed[input] = true
	g.takeMute(input, true)
}

func (g *gate) takeMute(input string, muted bool) {
	if g.pending == nil {
		g.pending, g.told = make(map[string]int), make(map[string]bool)
	}
	g.pending[input]++
	g.told[input] = muted
	if _, known := g.muted[input]; known {
		g.muted[input] = muted
		g.apply()
	}
}

// noted says that the session has noted an event of which mute was told.
func (g *gate) noted(input string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.pending[input]; n > 1 {
		g.pending[input] = n - 1
		return
	}
	delete(g.pending, input)
	delete(g.told, input)
}

// rename takes in at once that an input got another name. What OBS plays of it goes on, so under its old name it would seem
// to have ended.
func (g *gate) rename(from, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, names := range [][]string{g.mics, g.shared, g.left} {
		for i := range names {
			if names[i] == from {
				names[i] = to
			}
		}
	}
	for _, known := range []map[string]bool{g.muted, g.monitored, g.onlyHeard, g.closed, g.pressed} {
		if is, found := known[from]; found {
			delete(known, from)
			known[to] = is
		}
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

// all are the microphones and the other inputs that go to the peer.
func (g *gate) all() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.toPeer()
}

func (g *gate) toPeer() []string { return slices.Concat(g.mics, g.shared) }

// awaited are the inputs whose sound should reach us now: those that OBS monitors, if all streams are where they
// belong.
func (g *gate) awaited() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.placed {
		return nil
	}
	return slices.DeleteFunc(g.toPeer(), func(input string) bool { return !g.monitored[input] })
}

// meter takes OBS's meters, and reports whether a microphone was opened or closed. They say nothing about one that captures
// no sound or is muted, and contain only what is in the programme.
func (g *gate) meter(levels obsctl.Levels) (changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.toPeer()
	g.active = g.active[:0]
	for _, level := range levels {
		if slices.Contains(g.shared, level.Input) {
			g.active = append(g.active, level.Input)
		}
		if level.Captured == 0 || g.muted[level.Input] || !slices.Contains(all, level.Input) {
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
	g.applyTune()
	return changed
}

// isClosed reports whether the viewers do not hear a microphone although it captures sound.
func (g *gate) isClosed(mic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed[mic]
}

// keptShut are the inputs that OBS is kept from monitoring because the viewers do not hear them although they have sound.
func (g *gate) keptShut() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.toPeer()
	if len(all) == 1 {
		return nil // The gate closes for it.
	}
	return slices.DeleteFunc(all, func(input string) bool { return !g.closed[input] })
}

func (g *gate) apply() {
	if g.silence != nil {
		g.silence(g.paused || g.ordered || g.ended || !g.metered || !g.placed || g.allClosed() || g.leaks())
	}
	g.applyTune()
}

// applyTune tells the call whether something that is shared can be heard.
func (g *gate) applyTune() {
	music := slices.ContainsFunc(g.active, func(input string) bool { return !g.muted[input] && !g.closed[input] && g.monitored[input] })
	if g.silence != nil && g.tune != nil && music != g.music {
		g.music = music
		g.tune(music)
	}
}

// leaks reports whether a closed microphone still reaches us while others are open, or something that is not shared any more.
// All arrive as one sound, so all must be silent until OBS has stopped monitoring the closed one.
func (g *gate) leaks() bool {
	all := g.toPeer()
	anyShut := len(g.left) > 0
	for _, input := range g.left {
		if g.stillLeaves(input) {
			g.leaked = time.Now()
			return true
		}
	}
	for _, mic := range all {
		shut := len(all) > 1 && (g.muted[mic] && (g.hazard || g.pressed[mic]) || g.closed[mic])
		if shut && g.monitored[mic] {
			g.leaked = time.Now()
			return true
		}
		anyShut = anyShut || shut
	}
	if !anyShut || g.drained() {
		return false
	}
	g.later(leakTail-time.Since(g.leaked), g.apply)
	return true
}

// stillLeaves reports whether OBS still plays an input to us that is not shared any more.
func (g *gate) stillLeaves(input string) bool {
	return g.monitored[input] && !g.onlyHeard[input] && !slices.Contains(g.toPeer(), input)
}

// drained reports whether nothing of what leaked last can still arrive.
func (g *gate) drained() bool { return time.Since(g.leaked) >= leakTail }

// allClosed reports whether the viewers hear none of the microphones and of what is shared, or OBS has none.
func (g *gate) allClosed() bool {
	known := 0
	for _, mic := range g.toPeer() {
		if muted, ok := g.muted[mic]; ok {
			known++
			if !muted && !g.closed[mic] {
				return false
			}
		}
	}
	return known > 0 || !g.always
}
