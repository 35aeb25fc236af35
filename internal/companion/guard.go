// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/placement"
	"github.com/costream-obs/costream-obs/internal/pulse"
)

const (
	// guardTick is how often we check the streams, because events of the sound server can be lost; guardSoon applies until
	// our voice is recorded.
	guardTick = 2 * time.Second
	guardSoon = 100 * time.Millisecond
	// After a stream was put back fights times within fightTime, another program must be moving it: we leave it alone for
	// peaceTime.
	fights    = 3
	fightTime = 10 * time.Second
	peaceTime = 30 * time.Second
)

// guard watches the streams at the sound server while on air, so that the peer hears only what the user chose although other
// programs can move streams. While a stream is in a wrong place, our voice is silent.
type guard struct {
	pulse   pulse.Client
	changes <-chan pulse.Change
	want    func() placement.Want
	// placed gets whether all streams are in their places, as soon as we know.
	placed func(bool)
	// note gets what is wrong, or nil.
	note func(error)
	log  *slog.Logger

	truce truce
	voice int // the number of our recording stream, as it was seen last
}

// run guards until ctx ends.
func (g *guard) run(ctx context.Context) error {
	for {
		next := guardTick
		there, err := g.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if !there && err == nil {
			next = guardSoon
		}
		g.placed(there && err == nil)
		g.note(err)
		g.await(ctx, next)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// await returns after a change that can have moved a stream, and at the latest after a while.
func (g *guard) await(ctx context.Context, atMost time.Duration) {
	late := time.After(atMost)
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-g.changes:
			if g.suspect(c) {
				return
			}
		case <-late:
			return
		}
	}
}

// suspect takes in a change and those that wait behind it, and reports whether one can have moved a stream. If it can have
// been our recording stream, the voice is silent until we know where that is.
func (g *guard) suspect(c pulse.Change) (moved bool) {
	for {
		if c.Event != "remove" {
			moved = true
			if c.Object == "source-output" && c.Index == g.voice {
				g.placed(false)
			}
		}
		select {
		case c = <-g.changes:
		default:
			return moved
		}
	}
}

// look puts streams back until all are in their places, and returns what stays wrong. there reports whether our voice is
// recorded.
func (g *guard) look(ctx context.Context) (there bool, err error) {
	for {
		view, err := viewSound(ctx, g.pulse)
		if err != nil {
			return false, err
		}
		want := g.want()
		strays, there := view.Strays(want)
		g.voice = view.VoiceStream(want)
		if len(strays) == 0 {
			return there, nil
		}
		g.placed(false) // before the slow part
		moved := false
		for _, s := range strays {
			if s.Home == "" || !g.truce.mayMove(s.Name, time.Now()) {
				continue
			}
			g.log.Warn("a sound stream was moved, putting it back", "stream", s.Name, "from", s.At, "to", s.Home)
			if err := g.putBack(ctx, s); err != nil {
				return there, fmt.Errorf("%v and cannot be put back: %w", s, err)
			}
			moved = true
		}
		if !moved {
			return there, strayError(strays)
		}
	}
}

// putBack moves a stream. One that has gone meanwhile is no error.
func (g *guard) putBack(ctx context.Context, s placement.Stray) error {
	move := g.pulse.MoveSinkInput
	if s.Recording {
		move = g.pulse.MoveSourceOutput
	}
	if err := move(ctx, s.Index, s.Home); err != nil && !errors.Is(err, pulse.ErrNotFound) {
		return err
	}
	return nil
}

// truce ends a fight over streams with another program. The zero value is ready.
type truce struct {
	moved map[string][]time.Time // when streams were put back, by their names
	until map[string]time.Time   // until when they are left alone
}

// mayMove reports whether a stream may be put back once more, and counts it.
func (t *truce) mayMove(name string, now time.Time) bool {
	if now.Before(t.until[name]) {
		return false
	}
	if t.moved == nil {
		t.moved, t.until = make(map[string][]time.Time), make(map[string]time.Time)
	}
	recent := slices.DeleteFunc(t.moved[name], func(at time.Time) bool { return now.Sub(at) > fightTime })
	if len(recent) >= fights {
		t.until[name] = now.Add(peaceTime)
		delete(t.moved, name)
		return false
	}
	t.moved[name] = append(recent, now)
	return true
}

// strayError tells of the first stream that is elsewhere.
func strayError(strays []placement.Stray) error {
	s := strays[0]
	if s.Home == "" && s.Recording {
		return fmt.Errorf("%s is on %s, which carries what goes between you and your friend, so your friend hears nothing: "+
			"choose your microphone again in your desktop's sound settings (pavucontrol, Recording) or in OBS", s.Name, s.At)
	}
	if s.Home == "" {
		return fmt.Errorf("%s plays into %s, which goes to your friend, so your friend hears nothing: "+
			"move it to another output in your desktop's sound settings (pavucontrol, Playback)", s.Name, s.At)
	}
	return fmt.Errorf("another program has moved %s to %s again and again, so your friend hears nothing: "+
		"stop the program that moves streams (EasyEffects, pavucontrol), or configure it not to move those of costream-obs", s.Name, s.At)
}

// viewSound asks the sound server.
func viewSound(ctx context.Context, pulse pulse.Client) (v placement.View, err error) {
	// Streams first: if one is moved after that, an event comes.
	if v.Recording, err = pulse.SourceOutputs(ctx); err != nil {
		return v, err
	}
	if v.Playing, err = pulse.SinkInputs(ctx); err != nil {
		return v, err
	}
	sinks, err := pulse.Sinks(ctx)
	if err != nil {
		return v, err
	}
	sources, err := pulse.Sources(ctx)
	if err != nil {
		return v, err
	}
	v.Sinks, v.Sources = make(map[int]string), make(map[int]string)
	for _, s := range sinks {
		v.Sinks[s.Index] = s.Name
	}
	for _, s := range sources {
		v.Sources[s.Index] = s.Name
	}
	return v, nil
}
