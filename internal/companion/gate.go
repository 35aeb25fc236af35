// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"maps"
	"slices"
	"sync"

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
	always  bool
	mics    []string
	muted   map[string]bool
	closed  map[string]bool // by OBS's meters
	metered bool            // meters have come
	silence func(silent bool)
}

// attach lets the gate silence a time on air. Until OBS's meters have come, it is silent.
func (g *gate) attach(silence func(bool)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence, g.closed, g.metered = silence, nil, false
	g.apply()
}

// detach ends that.
func (g *gate) detach() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence = nil
}

// set tells the microphones that go to the peer, and which of OBS's inputs are muted.
func (g *gate) set(mics []string, muted map[string]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mics, g.muted = slices.Clone(mics), maps.Clone(muted)
	g.apply()
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
		g.silence(!g.metered || g.allClosed())
	}
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

// followMeters keeps the gate, on a connection of its own: OBS's meters come twenty times a second.
func (s *session) followMeters(ctx context.Context, started func()) error {
	obs, err := obsctl.Dial(ctx, s.obs.Endpoint(), obsctl.Options{Levels: true, Log: s.log})
	if err != nil {
		return err
	}
	defer func() { _ = obs.Close() }()
	started()
	for {
		select {
		case <-ctx.Done():
			return nil
		case ev, open := <-obs.Events():
			if !open {
				return obs.Err()
			}
			if levels, ok := ev.(obsctl.Levels); ok && s.gate.meter(levels) {
				s.c.wakeUp()
			}
		}
	}
}
