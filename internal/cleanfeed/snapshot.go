// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"maps"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

// scene is a scene or group of OBS.
type scene struct {
	group   bool
	items   []obsctl.SceneItem // lowest first
	filters []obsctl.Filter    // read for those that need a mirror, and for mirrors
}

// snapshot is everything that plan looks at.
type snapshot struct {
	scene   string           // what the scene for the peer is called
	program string           // the user's scene that is the programme
	frozen  bool             // the programme shows a copy of it, which OBS made at the last transition
	scenes  map[string]scene // the programme scene and all scenes and groups in it
	barred  map[string]bool  // sources that the peer must not see: the peer, and scenes of ours
	ours    map[string]scene // our scenes
	taken   map[string]bool  // names of scenes
	width   int              // of the canvas
	height  int
}

// read looks at OBS. With thaw the programme is taken to show the scene as it is now.
func (f *Feed) read(ctx context.Context, obs OBS, thaw bool) (snapshot, error) {
	s := snapshot{scenes: make(map[string]scene), ours: make(map[string]scene), taken: make(map[string]bool)}
	if err := f.readOnce(ctx, obs); err != nil {
		return s, err
	}
	s.width, s.height = f.canvas.CanvasW, f.canvas.CanvasH
	names, err := obs.Scenes(ctx)
	if err != nil {
		return s, err
	}
	s.barred = maps.Clone(f.peers)
	for _, name := range names {
		s.taken[name] = true
		s.barred[name] = f.made.Has(f.collection, name)
	}
	maps.Copy(s.taken, f.taken)
	if s.scene = f.made.Scene(f.collection); s.scene == "" {
		s.scene = freeName(f.wanted, s.taken)
	}
	f.name(s.scene)
	if s.program, err = f.readProgram(ctx, obs, names); err != nil {
		return s, err
	}
	if err := s.add(ctx, obs, s.program, false); err != nil {
		return s, err
	}
	if err := f.freeze(ctx, obs, &s, thaw); err != nil {
		return s, err
	}
	if err := f.readMirrors(ctx, obs, &s); err != nil {
		return s, err
	}
	f.last = s
	return s, nil
}

// readOnce asks for what seldom changes.
func (f *Feed) readOnce(ctx context.Context, obs OBS) (err error) {
	if f.collection == "" {
		if f.collection, _, err = obs.Collections(ctx); err != nil {
			return err
		}
		if f.canvas, err = obs.VideoSettings(ctx); err != nil {
			return err
		}
	}
	if f.peers == nil {
		peers, err := f.findPeers(ctx)
		if err != nil {
			return err
		}
		f.peers = make(map[string]bool)
		for _, name := range peers {
			f.peers[name] = true
		}
	}
	return nil
}

// readProgram tells the user's scene that is the programme: the last one while the programme is a scene of ours.
func (f *Feed) readProgram(ctx context.Context, obs OBS, names []string) (string, error) {
	program, err := obs.ProgramScene(ctx)
	if err != nil {
		return "", err
	}
	if !f.made.Has(f.collection, program) && slices.Contains(names, program) {
		return program, nil
	}
	if slices.Contains(names, f.program) {
		return f.program, nil
	}
	for _, name := range names {
		if !f.made.Has(f.collection, name) {
			return name, nil
		}
	}
	return "", obsctl.ErrNoProgram
}

// add reads a scene or group and what is in it.
func (s *snapshot) add(ctx context.Context, obs OBS, name string, group bool) error {
	if _, known := s.scenes[name]; known {
		return nil
	}
	list := obs.SceneItems
	if group {
		list = obs.GroupItems
	}
	items, err := list(ctx, name)
	if err != nil {
		return err
	}
	s.scenes[name] = scene{group: group, items: items}
	for _, it := range items {
		if it.IsGroup || s.taken[it.Source] && !s.barred[it.Source] {
			if err := s.add(ctx, obs, it.Source, it.IsGroup); err != nil {
				return err
			}
		}
	}
	return nil
}

// freeze sees to it that the snapshot holds what the programme shows. In studio mode OBS copies a scene, with its groups
// but not the scenes in it, when it becomes the programme, unless "Duplicate scene" is off; it can be told by the scene
// itself not being active (measured, 29.0.2).
func (f *Feed) freeze(ctx context.Context, obs OBS, s *snapshot, thaw bool) error {
	studio, err := obs.StudioMode(ctx)
	if err != nil {
		return err
	}
	if studio {
		active, err := obs.SourceActive(ctx, s.program)
		if err != nil {
			return err
		}
		s.frozen = !active
	}
	if _, shown := f.air[s.program]; s.frozen && shown && !thaw {
		maps.Copy(s.scenes, f.air)
	} else {
		f.air = make(map[string]scene)
		f.hold(*s, s.program)
	}
	f.program = s.program
	return nil
}

// hold keeps what a scene and its groups show now.
func (f *Feed) hold(s snapshot, name string) {
	f.air[name] = s.scenes[name]
	for _, it := range s.scenes[name].items {
		if it.IsGroup {
			f.hold(s, it.Source)
		}
	}
}

// readMirrors reads our scenes that are needed, and the filters that they should have.
func (f *Feed) readMirrors(ctx context.Context, obs OBS, s *snapshot) error {
	names := f.made.mirrors(f.collection)
	for origin, sc := range s.scenes {
		if !s.mirrored(origin) {
			continue
		}
		filters, err := obs.Filters(ctx, origin)
		if err != nil {
			return err
		}
		sc.filters = filters
		s.scenes[origin] = sc
		if name, known := names[origin]; known && s.taken[name] {
			if err := f.addOurs(ctx, obs, s, name, true); err != nil {
				return err
			}
		}
	}
	if s.taken[s.scene] && f.made.Has(f.collection, s.scene) {
		return f.addOurs(ctx, obs, s, s.scene, false)
	}
	return nil
}

func (f *Feed) addOurs(ctx context.Context, obs OBS, s *snapshot, name string, filters bool) error {
	items, err := obs.SceneItems(ctx, name)
	if err != nil {
		return err
	}
	// A private scene is empty when our script was reloaded, and then counts its items from the beginning.
	maps.DeleteFunc(f.twins[name], func(twin, _ int) bool {
		return !slices.ContainsFunc(items, func(it obsctl.SceneItem) bool { return it.ID == twin })
	})
	sc := scene{items: items}
	if filters {
		if sc.filters, err = obs.Filters(ctx, name); err != nil {
			return err
		}
	}
	s.ours[name] = sc
	return nil
}

// mirrored says whether the peer is to see a mirror instead of a scene or group.
func (s *snapshot) mirrored(name string) bool {
	return s.scenes[name].group || s.frozen && name == s.program || s.shows(name)
}

// bare are the scenes that the peer is to see as they are.
func (s *snapshot) bare() map[string]bool {
	out := make(map[string]bool)
	for name := range s.scenes {
		if !s.mirrored(name) {
			out[name] = true
		}
	}
	return out
}

// shows says whether a scene or group shows the peer, be it hidden at the moment.
func (s *snapshot) shows(name string) bool {
	return slices.ContainsFunc(s.scenes[name].items, func(it obsctl.SceneItem) bool {
		_, inner := s.scenes[it.Source]
		return s.barred[it.Source] || inner && s.shows(it.Source)
	})
}
