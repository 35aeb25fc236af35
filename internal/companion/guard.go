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
	// guardTick is how often the streams are looked at, since events of the sound server can be lost, and
	// guardSoon while the voice is not there yet.
	guardTick = 2 * time.Second
	guardSoon = 100 * time.Millisecond
	// fights is how often a stream is put back within fightTime before that is left for peaceTime: another
	// program moves it.
	fights    = 3
	fightTime = 10 * time.Second
	peaceTime = 30 * time.Second
)

// guard watches over the streams at the sound server for one time on air: nothing but what the user
// chose reaches the peer because somebody moved a stream. While one is elsewhere the voice is silent.
type guard struct {
	pulse   pulse.Client
	changes <-chan pulse.Change
	want    func() placement.Want
	// placed is told whether all is in its place, as soon as it is known.
	placed func(bool)
	// note is told what is wrong, nil once it is not.
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
		select {
		case <-ctx.Done():
			return nil
		case c := <-g.changes:
			g.suspect(c)
		case <-time.After(next):
		}
	}
}

// suspect takes in changes that come together. Where one is of our recording stream, the voice is silent
// until it is known where that is now.
func (g *guard) suspect(c pulse.Change) {
	for {
		if c.Object == "source-output" && c.Index == g.voice {
			g.placed(false)
		}
		select {
		case c = <-g.changes:
		default:
			return
		}
	}
}

// look puts streams back until all are in their places, and tells what stays wrong. there says whether
// our voice is recorded.
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
		g.placed(false) // at once, and not after what follows
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

// truce bounds a fight over streams with another program. The zero value is ready.
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
		"end what moves streams (EasyEffects, pavucontrol), or have it leave costream-obs alone", s.Name, s.At)
}

// viewSound asks the sound server.
func viewSound(ctx context.Context, pulse pulse.Client) (v placement.View, err error) {
	// Streams first: where one is moved after that, an event tells.
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
