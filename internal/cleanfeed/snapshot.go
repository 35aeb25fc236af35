// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

// scene is a scene or group of OBS.
type scene struct {
	group   bool
	items   []obsctl.SceneItem // lowest first
	filters []obsctl.Filter
}

// snapshot is everything that plan looks at.
type snapshot struct {
	scene   string           // what the scene for the peer is called
	program string           // the user's scene that is the programme
	frozen  bool             // the programme shows a copy of it, which OBS made at the last transition
	scenes  map[string]scene // the programme scene and all scenes and groups in it
	barred  map[string]bool  // sources that the peer must not see: the peer, private scenes, and scenes of ours
	private map[string]bool  // the user's scenes that are kept from the peer
	hidden  string           // the private scene that the programme shows, "" if none
	ours    map[string]scene // our scenes
	taken   map[string]bool  // names of scenes
	spares  []string         // those of ours that are empty mirrors
	unseen  bool             // a transition runs during which OBS may not draw the programme yet
	width   int              // of the canvas
	height  int
}

// read looks at OBS, for news. Where a transition began the programme is taken to show the scene as it is now.
func (f *Feed) read(ctx context.Context, obs OBS, n news) (s snapshot, err error) {
	s = snapshot{scenes: make(map[string]scene), ours: make(map[string]scene), taken: make(map[string]bool)}
	defer func() {
		if err != nil {
			f.foresee("") // nothing: it may have been wrong
		}
	}()
	if err := f.readOnce(ctx, obs); err != nil {
		return s, err
	}
	s.width, s.height = f.canvas.CanvasW, f.canvas.CanvasH
	// What will be needed, as far as it can be foreseen, is asked in one go.
	a := f.newAsking(obs)
	a.withInner(f.expected, false)
	studio := a.batch.StudioMode()
	kinds := new(obsctl.Answer[map[string]string])
	if n.transition != "" {
		kinds = a.batch.TransitionKinds()
	}
	current := &obsctl.Answer[string]{Value: f.collection}
	if !n.urgent {
		current = a.batch.Collection(collectionKnown)
	}
	list, err := obs.SceneList(ctx, a.batch)
	if err != nil {
		return s, err
	}
	switch {
	case studio.Err != nil:
		return s, studio.Err
	case current.Err != nil:
		return s, current.Err
	case current.Value != f.collection:
		f.reload()
		return s, errCollection
	}
	s.unseen = n.transition != "" && !drawsBoth[kinds.Value[n.transition]]
	s.barred = maps.Clone(f.peers)
	s.private = f.privateAmong(list.Names)
	for _, name := range list.Names {
		s.taken[name] = true
		s.barred[name] = f.made.Has(f.collection, name) || s.private[name]
	}
	maps.Copy(s.taken, f.taken)
	s.spares = f.listedSpares(list)
	if s.scene = f.made.Scene(f.collection); s.scene == "" {
		s.scene = freeName(f.wanted, s.taken)
	}
	f.name(s.scene)
	if s.program, err = f.readProgram(list); err != nil {
		return s, err
	}
	f.expected = s.program
	if err := s.add(ctx, a, s.program, false); err != nil {
		return s, err
	}
	if err := f.freeze(ctx, obs, &s, studio.Value, n.thaw); err != nil {
		return s, err
	}
	s.hidden = s.shownPrivate(s.program)
	if err := f.readMirrors(ctx, a, &s); err != nil {
		return s, err
	}
	f.last = s
	return s, nil
}

// privateAmong picks the private scenes from all.
func (f *Feed) privateAmong(names []string) map[string]bool {
	private := make(map[string]bool)
	if f.privateOf != nil {
		users := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return f.made.Has(f.collection, name) })
		for _, name := range f.privateOf(users) {
			private[name] = true
		}
	}
	f.private.Store(&private)
	return private
}

// shownPrivate is a private scene that a scene or group is or shows, "" if there is none.
func (s *snapshot) shownPrivate(name string) string {
	if s.private[name] {
		return name
	}
	for _, it := range s.scenes[name].items {
		if it.Enabled {
			if shown := s.shownPrivate(it.Source); shown != "" {
				return shown
			}
		}
	}
	return ""
}

// inner is a scene or group in another one.
type inner struct {
	name  string
	group bool
}

// foresee notes what is likely to be the programme at the next look, of which nothing is known yet.
func (f *Feed) foresee(program string) { f.expected, f.inner = program, make(map[string][]inner) }

// asking asks OBS for scenes and groups, many at once.
type asking struct {
	f       *Feed
	obs     OBS
	batch   *obsctl.Batch
	mirrors map[string]string
	items   map[string]*obsctl.Answer[[]obsctl.SceneItem]
	filters map[string]*obsctl.Answer[[]obsctl.Filter]
}

func (f *Feed) newAsking(obs OBS) *asking {
	return &asking{f: f, obs: obs, batch: obs.Batch(), mirrors: f.made.mirrors(f.collection),
		items: make(map[string]*obsctl.Answer[[]obsctl.SceneItem]), filters: make(map[string]*obsctl.Answer[[]obsctl.Filter])}
}

// scene asks for a scene or group, unless it was asked for.
func (a *asking) scene(name string, group bool) {
	if a.items[name] != nil {
		return
	}
	list := a.batch.SceneItems
	if group {
		list = a.batch.GroupItems
	}
	a.items[name], a.filters[name] = list(name), a.batch.Filters(name)
}

// withInner asks for a scene or group with what was in it the last time, for their mirrors, and for what the peer sees.
func (a *asking) withInner(name string, group bool) {
	if name == "" || a.items[name] != nil {
		return
	}
	a.scene(name, group)
	for _, in := range append([]string{a.f.made.Scene(a.f.collection)}, a.mirrors[name]) {
		if in != "" {
			a.scene(in, false)
		}
	}
	for _, in := range a.f.inner[name] {
		a.withInner(in.name, in.group)
	}
}

// answered returns the items and filters of a scene or group, which it asks for if that was not done.
func (a *asking) answered(ctx context.Context, name string, group bool) (scene, error) {
	if a.items[name] == nil {
		a.batch = a.obs.Batch()
		a.withInner(name, group)
		if err := a.batch.Do(ctx); err != nil {
			return scene{}, err
		}
	}
	items, filters := a.items[name], a.filters[name]
	if items.Err != nil {
		return scene{}, items.Err
	}
	return scene{group: group, items: items.Value, filters: filters.Value}, filters.Err
}

// readOnce asks for what seldom changes.
func (f *Feed) readOnce(ctx context.Context, obs OBS) (err error) {
	if f.collection == "" {
		b := obs.Batch()
		collection, canvas := b.Collection(collectionKnown), b.VideoSettings()
		if err := b.Do(ctx); err != nil {
			return err
		}
		if err := errors.Join(collection.Err, canvas.Err); err != nil {
			return err
		}
		f.collection, f.canvas = collection.Value, canvas.Value
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
func (f *Feed) readProgram(list obsctl.SceneList) (string, error) {
	if !f.made.Has(f.collection, list.Program) && slices.Contains(list.Names, list.Program) {
		return list.Program, nil
	}
	if slices.Contains(list.Names, f.program) {
		return f.program, nil
	}
	for _, name := range list.Names {
		if !f.made.Has(f.collection, name) {
			return name, nil
		}
	}
	return "", obsctl.ErrNoProgram
}

// add reads a scene or group and what is in it.
func (s *snapshot) add(ctx context.Context, a *asking, name string, group bool) error {
	if _, known := s.scenes[name]; known {
		return nil
	}
	sc, err := a.answered(ctx, name, group)
	if err != nil {
		return err
	}
	s.scenes[name] = sc
	var in []inner
	for _, it := range sc.items {
		if it.IsGroup || s.taken[it.Source] && !s.barred[it.Source] {
			in = append(in, inner{it.Source, it.IsGroup})
		}
	}
	a.f.inner[name] = in
	for _, i := range in {
		if err := s.add(ctx, a, i.name, i.group); err != nil {
			return err
		}
	}
	return nil
}

// freeze sees to it that the snapshot holds what the programme shows. In studio mode OBS copies a scene, with its groups
// but not the scenes in it, when it becomes the programme, unless "Duplicate scene" is off; it can be told by the scene
// itself not being active (measured, 29.0.2).
func (f *Feed) freeze(ctx context.Context, obs OBS, s *snapshot, studio, thaw bool) error {
	if studio {
		active, err := obs.SourceActive(ctx, s.program)
		if err != nil {
			return err
		}
		s.frozen = !active
	}
	if _, shown := f.air[s.program]; s.frozen && shown && !thaw {
		for name, sc := range f.air {
			sc.filters = s.scenes[name].filters // of which those of now count
			s.scenes[name] = sc
		}
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

// readMirrors reads our scenes that are needed.
func (f *Feed) readMirrors(ctx context.Context, a *asking, s *snapshot) error {
	ours := []string{s.scene}
	for origin := range s.scenes {
		if s.mirrored(origin) {
			ours = append(ours, a.mirrors[origin])
		}
	}
	for _, name := range ours {
		if s.taken[name] && f.made.Has(f.collection, name) {
			sc, err := a.answered(ctx, name, false)
			if err != nil {
				return err
			}
			s.ours[name] = sc
			// A private scene is empty when our script was reloaded, and then counts its items from the beginning.
			maps.DeleteFunc(f.twins[name], func(twin, _ int) bool {
				return !slices.ContainsFunc(sc.items, func(it obsctl.SceneItem) bool { return it.ID == twin })
			})
		}
	}
	return nil
}

// mirrored says whether the peer is to see a mirror instead of a scene or group.
func (s *snapshot) mirrored(name string) bool {
	return s.scenes[name].group || s.frozen && name == s.program || s.shows(name)
}

// bare are the scenes that the peer is to see as they are.
func (s *snapshot) bare() map[string]bool {
	out := make(map[string]bool)
	if s.hidden != "" {
		return out
	}
	for name := range s.scenes {
		if !s.mirrored(name) {
			out[name] = true
		}
	}
	return out
}

// shows says whether a scene or group shows the peer or a private scene, be it hidden at the moment.
func (s *snapshot) shows(name string) bool {
	return slices.ContainsFunc(s.scenes[name].items, func(it obsctl.SceneItem) bool {
		_, inner := s.scenes[it.Source]
		return s.barred[it.Source] || inner && s.shows(it.Source)
	})
}
