// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// focus says what must be known of OBS's scenes.
type focus struct {
	// whole are the scenes of which everything must be known, with or without the peer.
	whole func(o Overview, c *CollectionMemory) []string
	// eyes: it is enough to know whether items are visible, if the memory knows them.
	eyes bool
}

// everyScene is for commands that look for the peer in nested scenes.
func everyScene() focus {
	return focus{whole: func(o Overview, _ *CollectionMemory) []string { return o.Scenes }}
}

// scenesOf is for commands that add the peer to scenes.
func scenesOf(patterns []string) focus {
	return focus{whole: func(o Overview, c *CollectionMemory) []string {
		if len(patterns) > 0 {
			return append(Matching(patterns, o.Scenes), o.Program)
		}
		return append(slices.Clone(c.Chosen), o.Program)
	}}
}

// eyesOf is for commands that show and hide the peer. Of the programme scene it must also be known what studio mode keeps
// from the programme.
func eyesOf(patterns []string) focus {
	return focus{eyes: true, whole: func(o Overview, _ *CollectionMemory) []string {
		return append(Matching(patterns, o.Scenes), o.Program)
	}}
}

// look reads the memory and a Snapshot. The error is ErrChanging if OBS changed its scenes meanwhile. Snapshot explains
// session.
func look(ctx context.Context, obs OBS, session string, src Source, f focus) (Memory, Snapshot, error) {
	r := reader{src: src, focus: f, holds: map[Holding]bool{}, eyes: map[ItemOf]EyeState{}, items: map[string][]Item{}}
	s, err := r.read(ctx, obs, session)
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrChanging, err)
	}
	if err != nil {
		err = fmt.Errorf("read the scenes: %w", err)
	}
	return r.Memory, s, err
}

// reader reads one Snapshot. It needs few round trips, so it asks for what it probably needs.
type reader struct {
	Overview
	src   Source
	focus focus
	c     *CollectionMemory

	places []Place         // the scenes and the groups
	known  map[string]bool // their names
	// sources are the inputs that are or were the peer's. Until their settings are known, it is the probable one.
	sources []string
	// What OBS has answered so far.
	settings map[string]map[string]any // of the inputs that may be the peer source, nil before
	holds    map[Holding]bool
	eyes     map[ItemOf]EyeState
	items    map[string][]Item
	after    Standing
}

func (r *reader) read(ctx context.Context, obs OBS, session string) (s Snapshot, err error) {
	if r.Overview, err = obs.Overview(ctx); err != nil {
		return s, err
	}
	memory := r.Memory.clone()
	r.c = memory.collection(r.Collection)
	r.known = map[string]bool{}
	for _, name := range r.Scenes {
		r.places = append(r.places, Place{Name: name})
		r.known[name] = true
	}
	for _, name := range r.Groups {
		r.places = append(r.places, Place{Name: name, Group: true})
		r.known[name] = true
	}
	r.sources = r.likely()
	for {
		q := r.next()
		if q.none() {
			break
		}
		if err := r.ask(ctx, obs, q); err != nil {
			return s, err
		}
	}
	// While OBS loads a collection it still reports the old name, so the scenes are compared, too.
	if r.after.Collection != r.Collection || !slices.Equal(r.after.Scenes, r.Scenes) || !slices.Contains(r.Scenes, r.after.Program) {
		return s, ErrChanging
	}
	s = Snapshot{Session: session, Collection: r.Collection, Assumed: r.after.Assumed, Canvas: r.Canvas, Program: r.after.Program, Studio: r.Studio, Inputs: r.inputs()}
	for _, p := range r.places {
		items, listed := r.items[p.Name]
		if of, one := r.oneItem(p.Name); !listed && one {
			items = []Item{{ID: of.Item, Source: of.Input, Enabled: r.eyes[of].Enabled, EyeOnly: true}}
		}
		s.Scenes = append(s.Scenes, Scene{Name: p.Name, Group: p.Group, Items: items})
	}
	return s, nil
}

// inputs are the inputs, with the settings of those that may be the peer source.
func (r *reader) inputs() []Input {
	inputs := slices.Clone(r.Inputs)
	for i, in := range inputs {
		inputs[i].Settings = r.settings[in.Name]
	}
	return inputs
}

// ask asks OBS, and keeps the answers.
func (r *reader) ask(ctx context.Context, obs OBS, q Questions) error {
	a, err := obs.Look(ctx, q)
	if err != nil {
		return err
	}
	if r.settings == nil {
		r.settings = map[string]map[string]any{}
		for i, name := range q.Settings {
			r.settings[name] = a.Settings[i]
		}
		r.sources = peerNames(Snapshot{Inputs: r.inputs()}, r.src, r.c)
	}
	for i, h := range q.Holding {
		r.holds[h] = a.Holding[i]
	}
	for i, of := range q.Eyes {
		r.eyes[of] = a.Eyes[i]
	}
	for i, p := range q.Items {
		r.items[p.Name] = a.Items[i]
	}
	r.after = a.Standing
	return nil
}

// next are the open questions.
func (r *reader) next() Questions {
	var q Questions
	if r.settings == nil {
		q.Settings = candidates(r.Inputs, r.src.Kind)
	}
	with, holding := r.withPeer()
	q.Holding = holding
	whole := r.whole(with)
	for _, p := range r.places {
		_, listed := r.items[p.Name]
		if listed || !whole[p.Name] && !with[p.Name] {
			continue
		}
		if of, one := r.oneItem(p.Name); one && !whole[p.Name] {
			eye, asked := r.eyes[of]
			if !asked {
				q.Eyes = append(q.Eyes, of)
			}
			if !asked || eye.Only {
				continue
			}
		}
		q.Items = append(q.Items, p)
	}
	return q
}

func (q Questions) none() bool {
	return len(q.Settings)+len(q.Holding)+len(q.Eyes)+len(q.Items) == 0
}

// candidates are the names of the inputs that may be the peer source, by their kind.
func candidates(inputs []Input, kind string) []string {
	var names []string
	for _, in := range inputs {
		if mayBePeer(in.Kind, kind) {
			names = append(names, in.Name)
		}
	}
	return names
}

// likely is the input that is probably the peer source, if there is one.
func (r *reader) likely() []string {
	names := candidates(r.Inputs, r.src.Kind)
	for _, name := range []string{r.c.Input, r.src.Name} {
		if slices.Contains(names, name) {
			return []string{name}
		}
	}
	if len(names) == 1 {
		return names
	}
	return nil
}

// withPeer are the scenes and groups that have the peer source, or something of another route, or something in the memory.
// open are questions that may add others.
func (r *reader) withPeer() (with map[string]bool, open []Holding) {
	with = map[string]bool{}
	for _, p := range r.places {
		if sm := r.c.Scenes[p.Name]; sm != nil && len(sm.Items) > 0 {
			with[p.Name] = true
			continue
		}
		for _, source := range r.sources {
			h := Holding{Scene: p.Name, Input: source}
			holds, asked := r.holds[h]
			if !asked {
				open = append(open, h)
			}
			if holds {
				with[p.Name] = true
			}
		}
	}
	return with, open
}

// whole are the scenes and groups of which everything must be known, as far as they are known.
func (r *reader) whole(with map[string]bool) map[string]bool {
	next := r.focus.whole(r.Overview, r.c)
	if slices.ContainsFunc(r.Groups, func(name string) bool { return with[name] }) {
		// Only its scenes tell where a group is.
		next = r.Scenes
	}
	whole := map[string]bool{}
	for len(next) > 0 {
		var inner []string
		for _, name := range next {
			// A scene may have been renamed since it was chosen.
			if whole[name] || !r.known[name] {
				continue
			}
			whole[name] = true
			for _, it := range r.items[name] {
				inner = append(inner, it.Source)
			}
		}
		next = inner
	}
	return whole
}

// oneItem is the item that the memory knows in a scene. one is true if it is enough to look at that: it is the only one, and
// no edit of it is under way.
func (r *reader) oneItem(scene string) (of ItemOf, one bool) {
	sm := r.c.Scenes[scene]
	if !r.focus.eyes || sm == nil || sm.Adding || len(sm.Items) != 1 || len(r.sources) != 1 {
		return of, false
	}
	for id, im := range sm.Items {
		of = ItemOf{Scene: scene, Input: r.sources[0], Item: id}
		one = !im.Pending
	}
	return of, one
}
