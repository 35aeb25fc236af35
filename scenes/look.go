// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// matters tells which scenes have to be known with all that they show, whether the peer is there or not.
type matters func(o Overview, c *CollectionMemory) []string

// everyScene matters to those who look for the peer in nested scenes.
func everyScene(o Overview, _ *CollectionMemory) []string { return o.Scenes }

// scenesOf matter to who puts the peer there.
func scenesOf(patterns []string) matters {
	return func(o Overview, c *CollectionMemory) []string {
		if len(patterns) > 0 {
			return append(matching(patterns, o.Scenes), o.Program)
		}
		return append(slices.Clone(c.Chosen), o.Program)
	}
}

// look reads the memory and a Snapshot. The error is ErrChanging when OBS changed its scenes meanwhile. For session see
// Snapshot.
func look(ctx context.Context, obs OBS, session string, src Source, m matters) (Memory, Snapshot, error) {
	r := reader{obs: obs, items: map[string][]Item{}}
	s, err := r.read(ctx, session, src, m)
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrChanging, err)
	}
	if err != nil {
		err = fmt.Errorf("read the scenes: %w", err)
	}
	return r.Memory, s, err
}

// reader reads one Snapshot.
type reader struct {
	Overview
	obs   OBS
	items map[string][]Item // of the scenes and groups that were read
	after Standing
}

func (r *reader) read(ctx context.Context, session string, src Source, m matters) (Snapshot, error) {
	var err error
	if r.Overview, err = r.obs.Overview(ctx); err != nil {
		return Snapshot{}, err
	}
	s := Snapshot{Session: session, Collection: r.Collection, Canvas: r.Canvas, Program: r.Program, Studio: r.Studio}
	if s.Inputs, err = withSettings(ctx, r.obs, r.Inputs, src.Kind); err != nil {
		return s, err
	}
	memory := r.Memory.clone()
	c := memory.collection(r.Collection)
	// A scene may have got another name since it was chosen.
	deep := slices.DeleteFunc(slices.Clone(m(r.Overview, c)), func(name string) bool { return !slices.Contains(r.Scenes, name) })
	known, err := r.withPeer(ctx, s, src, c)
	if err != nil {
		return s, err
	}
	if slices.ContainsFunc(known, func(name string) bool { return slices.Contains(r.Groups, name) }) {
		// Only its scenes tell where a group is.
		deep = r.Scenes
	}
	if err := r.readAll(ctx, known, deep); err != nil {
		return s, err
	}
	// While OBS loads a collection it still gives the old one's name, so the scenes are compared too.
	if r.after.Collection != r.Collection || !slices.Equal(r.after.Scenes, r.Scenes) || !slices.Contains(r.Scenes, r.after.Program) {
		return s, ErrChanging
	}
	s.Program = r.after.Program
	for _, name := range r.Scenes {
		s.Scenes = append(s.Scenes, Scene{Name: name, Items: r.items[name]})
	}
	for _, name := range r.Groups {
		s.Scenes = append(s.Scenes, Scene{Name: name, Group: true, Items: r.items[name]})
	}
	return s, nil
}

// withSettings returns inputs with the settings of those that may be the peer source.
func withSettings(ctx context.Context, obs OBS, inputs []Input, kind string) ([]Input, error) {
	inputs = slices.Clone(inputs)
	var names []string
	for _, in := range inputs {
		if mayBePeer(in.Kind, kind) {
			names = append(names, in.Name)
		}
	}
	if len(names) == 0 {
		return inputs, nil
	}
	settings, err := obs.InputSettings(ctx, names)
	if err != nil {
		return nil, err
	}
	for i := range inputs {
		if at := slices.Index(names, inputs[i].Name); at >= 0 {
			inputs[i].Settings = settings[at]
		}
	}
	return inputs, nil
}

// withPeer returns the scenes and groups that have the peer source, or something of another route, or in which something
// is remembered.
func (r *reader) withPeer(ctx context.Context, s Snapshot, src Source, c *CollectionMemory) ([]string, error) {
	sources := findStale(s, src)
	for _, in := range findPeers(s, src, c) {
		sources[in.Name] = true
	}
	var found, unsure []string
	for _, name := range slices.Concat(r.Scenes, r.Groups) {
		if sm := c.Scenes[name]; sm != nil && len(sm.Items) > 0 {
			found = append(found, name)
		} else {
			unsure = append(unsure, name)
		}
	}
	if len(sources) == 0 || len(unsure) == 0 {
		return found, nil
	}
	holding, err := r.obs.Holding(ctx, unsure, slices.Sorted(maps.Keys(sources)))
	if err != nil {
		return nil, err
	}
	for i, holds := range holding {
		if holds {
			found = append(found, unsure[i])
		}
	}
	return found, nil
}

// readAll reads the items of scenes and groups. Of those in deep it reads what they show as well.
func (r *reader) readAll(ctx context.Context, names, deep []string) error {
	follow := map[string]bool{}
	for _, name := range deep {
		follow[name] = true
	}
	for next := slices.Concat(names, deep); len(next) > 0; {
		var places []Place
		for _, name := range next {
			if _, known := r.items[name]; !known && !slices.ContainsFunc(places, func(p Place) bool { return p.Name == name }) {
				places = append(places, Place{Name: name, Group: slices.Contains(r.Groups, name)})
			}
		}
		next = nil
		if len(places) == 0 {
			break
		}
		lists, after, err := r.obs.Items(ctx, places)
		if err != nil {
			return err
		}
		r.after = after
		for i, p := range places {
			r.items[p.Name] = lists[i]
			for _, it := range lists[i] {
				if _, known := r.items[it.Source]; follow[p.Name] && !known && (it.Group || slices.Contains(r.Scenes, it.Source)) {
					follow[it.Source] = true
					next = append(next, it.Source)
				}
			}
		}
	}
	return nil
}
