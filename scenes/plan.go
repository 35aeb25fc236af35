// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"maps"
	"slices"
)

// Source is the input that shows the peer.
type Source struct {
	// Name is its name if we must make it and the user has not renamed it.
	Name string
	// Kind is OBS's input kind, such as v4l2_input or ffmpeg_source. Empty means any kind of
	// existing input, and that none can be made.
	Kind string
	// Settings are the settings that it must have; others are not changed. An input of the same kind with the same
	// "device_id" or "input" is the peer source, whatever its name.
	Settings map[string]any
}

// Desired is what should be.
type Desired struct {
	Source Source
	// Scenes are the patterns of the scenes that must have it. Without any, these are the scenes that have it already, or
	// else the programme scene at the time when Present begins.
	Scenes  []string
	Layouts Layouts
	// Picture is what the source shows, if known.
	Picture Picture
	// Present: the peer source is in its scenes (we are on air).
	Present bool
	// Visible: it is shown there (the peer's picture arrives).
	Visible bool
	// Held, if not nil, reports whether it must stay hidden in a scene for now.
	Held func(scene string) bool
	// Over: not Present because the time on air has ended, rather than because we leave it early. Then what the user hid
	// during it is visible at the next.
	Over bool
}

// Outcome is what Plan worked out.
type Outcome struct {
	// Input is the name of the peer source, even if it does not exist yet.
	Input string
	Edits []Edit
	// Memory must be stored before the edits are applied.
	Memory Memory
	// Unknown are patterns in Desired.Scenes that match no scene. The other patterns are used.
	Unknown []*UnknownSceneError
	// Held says that it stays hidden somewhere only because of Desired.Held.
	Held bool
	// NeedsTransition is the programme scene if it changes in studio mode, or empty. The programme shows the change only
	// after the next transition to it, unless OBS's "Duplicate scene" is off, which cannot be read.
	NeedsTransition string
}

// Plan compares, and returns the missing edits: none if everything is as desired. It is a pure function.
func Plan(s Snapshot, d Desired, m Memory) Outcome {
	m = m.clone()
	c := m.collection(s.Collection)
	p := &planner{view: newView(s, d.Source, c), d: d, out: Outcome{Memory: m}}
	p.observe()
	if d.Visible != c.Visible || d.Present != c.Present {
		c.all(func(im *ItemMemory) { im.Kept = false })
	}
	begins := d.Present && !c.Present
	c.Present, c.Visible, c.Picture = d.Present, d.Visible, d.Picture
	p.nameInput()
	if d.Present {
		p.goOn(begins)
	} else {
		p.stop()
	}
	p.giveBack()
	p.out.Edits = slices.Concat(p.settings, p.removals, p.additions, p.placings, p.eyes)
	p.out.NeedsTransition = p.needsTransition(p.out.Edits)
	if c.empty() {
		delete(m.Collections, s.Collection)
	}
	return p.out
}

// planner collects edits by kind, because they are applied in the order of kinds.
type planner struct {
	*view
	d   Desired
	out Outcome

	settings, removals, additions, placings, eyes []Edit
}

// nameInput decides the peer source's name.
func (p *planner) nameInput() {
	switch {
	case len(p.peers) > 0:
		p.out.Input = p.peers[0].Name
		if p.c.Asked == "" {
			p.c.Asked = p.d.Source.Name
		}
	case p.d.Present:
		name := p.d.Source.Name
		if p.c.Asked == name && p.c.Input != "" {
			name = p.c.Input
		}
		p.out.Input = freeName(name, p.s, p.dying())
		p.c.Asked, p.c.Input = p.d.Source.Name, p.out.Input
	}
}

// dying returns the stale inputs that disappear when our items of them are removed.
func (p *planner) dying() map[string]bool {
	out := maps.Clone(p.stale)
	for _, sc := range p.s.Scenes {
		for _, it := range sc.Items {
			if im := p.c.item(sc.Name, it.ID); out[it.Source] && (im == nil || !im.Ours) {
				delete(out, it.Source)
			}
		}
	}
	return out
}

// goOn plans for being on air.
func (p *planner) goOn(begins bool) {
	if begins {
		p.choose()
	}
	targets := p.c.Chosen
	if len(p.d.Scenes) > 0 {
		names := p.sceneNames()
		targets = Matching(p.d.Scenes, names)
		for _, pattern := range p.d.Scenes {
			if len(Matching([]string{pattern}, names)) == 0 {
				p.out.Unknown = append(p.out.Unknown, &UnknownSceneError{Pattern: pattern, Collection: p.s.Collection, Existing: names})
			}
		}
	}
	for _, in := range p.peers {
		p.configure(in)
	}
	p.removeOurs(func(sc *Scene, it Item) bool {
		return p.stale[it.Source] || !slices.Contains(targets, sc.Name)
	})
	for i := range p.s.Scenes {
		sc := &p.s.Scenes[i]
		if sm := p.c.Scenes[sc.Name]; !sc.Group && slices.Contains(targets, sc.Name) && (sm == nil || !sm.Deleted) && !p.occupied(sc, targets) {
			p.add(sc)
		}
	}
	for _, f := range p.allItems() {
		im := p.c.item(f.scene.Name, f.item.ID)
		if im.Ours && im.Pending {
			continue // it is to be removed
		}
		im.Live, im.Parked = true, false
		if im.placeable() {
			p.place(f, im)
		}
		if want := p.d.Visible && !im.Hidden; f.item.Enabled != want && !im.Kept && !(want && p.held(f.scene)) {
			im.Pending = true
			p.eyes = append(p.eyes, EnableItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, Enable: want})
		}
	}
}

// held reports whether what is hidden in a scene must stay so, and notes it.
func (p *planner) held(sc *Scene) bool {
	held := p.d.Held != nil && p.d.Held(sc.Name)
	p.out.Held = p.out.Held || held
	return held
}

// choose decides at the beginning of a time on air which scenes get the peer if the user named none.
func (p *planner) choose() {
	var have []string
	copies := true
	for i := range p.s.Scenes {
		sc := &p.s.Scenes[i]
		items := p.itemsOf(sc)
		users := slices.DeleteFunc(items, func(f found) bool { return p.c.item(f.scene.Name, f.item.ID).Ours })
		if sc.Group || len(users) == 0 {
			continue
		}
		have = append(have, sc.Name)
		for _, f := range users {
			copies = copies && p.c.item(f.scene.Name, f.item.ID).Copy
		}
	}
	before := p.c.Chosen
	switch {
	case len(have) == 0:
		p.c.Chosen = []string{p.s.Program}
	case copies:
		// The user added copies to what we had added, so ours comes back, too.
		p.c.Chosen = have
		for _, name := range before {
			if sm := p.c.Scenes[name]; sm != nil && sm.Again && !slices.Contains(have, name) {
				p.c.Chosen = append(p.c.Chosen, name)
			}
		}
	default:
		p.c.Chosen = have
	}
	for name, sm := range p.c.Scenes {
		sm.Deleted = false
		sm.Again = sm.Again && (len(p.d.Scenes) > 0 || copies && slices.Contains(p.c.Chosen, name))
	}
}

// occupied reports whether a scene needs no item of ours: it has one, or one of the user's that is more than a copy of ours,
// or it shows a scene that has or gets one.
func (p *planner) occupied(sc *Scene, targets []string) bool {
	items := p.itemsOf(sc)
	sm := p.c.Scenes[sc.Name]
	again := sm != nil && sm.Again
	for _, f := range items {
		im := p.c.item(f.scene.Name, f.item.ID)
		if im.Ours && !im.Pending || !im.Ours && !(im.Copy && again) {
			return true
		}
	}
	return p.nested(sc, func(inner *Scene) bool {
		return slices.Contains(targets, inner.Name) || len(p.itemsOf(inner)) > 0
	})
}

// nested reports whether a scene shows, through scenes and groups, one for which f is true.
func (v *view) nested(sc *Scene, f func(*Scene) bool) bool {
	for _, it := range sc.Items {
		inner := v.scenes[it.Source]
		if inner == nil || !it.Enabled {
			continue
		}
		if !inner.Group && f(inner) || v.nested(inner, f) {
			return true
		}
	}
	return false
}

// add plans an item of ours in a scene.
func (p *planner) add(sc *Scene) {
	if len(p.peers) == 0 && p.d.Source.Kind == "" {
		return
	}
	sm := p.c.scene(sc.Name)
	sm.Adding = true
	look := p.lookIn(sc, true, p.d.Layouts, p.d.Picture)
	p.additions = append(p.additions, AddItem{
		Scene: sc.Name, Input: p.out.Input, Exists: len(p.peers) > 0, Create: p.d.Source.creation(),
		Look: look, Index: indexFor(look, sc.Items), Enable: p.d.Visible && !look.Hidden && !p.held(sc),
	})
}

// creation is how to make the source, or nil if it cannot be made.
func (src Source) creation() *Source {
	if src.Kind == "" {
		return nil
	}
	src.Settings = marked(src.Settings, markMade)
	return &src
}

// lookIn is the look for a new item in a scene.
func (v *view) lookIn(sc *Scene, ours bool, layouts Layouts, picture Picture) Look {
	var look Look
	if sm := v.c.Scenes[sc.Name]; sm != nil && sm.Last != nil {
		look = *sm.Last
	}
	return v.fitted(look, ours, layouts.For(sc.Name), picture)
}

// fitted converts a look to the current canvas. It is in the place of its layout or else the given one, unless the user
// moved it. In a place that the user chose for their own item, the crop is the user's, too.
func (v *view) fitted(look Look, ours bool, layout Layout, picture Picture) Look {
	if asked, err := ParseLayout(look.Layout); err == nil && look.Layout != "" {
		layout = asked
	}
	border := picture.Border
	switch {
	case look.Moved && !ours:
		border = Border{}
		fallthrough
	case look.Moved:
		look.Transform = look.Transform.untrimmed(look.Border).rescaled(look.Canvas, v.s.Canvas).trimmed(border)
	default:
		look.Transform = layout.Place(v.s.Canvas, picture)
	}
	look.Canvas, look.Border = v.s.Canvas, border
	return look
}

// indexFor is the index for a new item with a look among the other items of its scene, -1 for the top.
func indexFor(look Look, others []Item) int {
	if look.Above == 0 {
		return -1
	}
	for i, it := range others {
		if it.ID == look.Under {
			return i
		}
	}
	return max(0, len(others)-look.Above)
}

// place plans what an item needs for its look: everything if it was never placed, else only a change of the layout, the
// canvas or the picture.
func (p *planner) place(f found, im *ItemMemory) {
	look, index := p.fitted(im.Look, im.Ours, p.d.Layouts.For(f.scene.Name), p.d.Picture), -1
	switch {
	case im.Placed == nil:
		index = indexFor(look, f.others())
	case im.Moved && im.Border == look.Border:
		return
	case im.Placed.same(look.Transform) && im.Canvas == p.s.Canvas:
		im.Border = look.Border
		return
	}
	im.Pending = true
	p.placings = append(p.placings, PlaceItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, Look: look, Index: index})
}

// configure plans the settings of an existing peer source.
func (p *planner) configure(in Input) {
	want := p.d.Source.Settings
	if in.Settings[MarkKey] == nil {
		if p.c.Was == nil {
			p.c.Was = map[string]map[string]any{}
		}
		if _, known := p.c.Was[in.Name]; !known {
			p.c.Was[in.Name] = in.Settings
		}
		want = marked(want, markAdopted)
	}
	if missing := missingSettings(in.Settings, want); len(missing) > 0 {
		p.settings = append(p.settings, SetSettings{Input: in.Name, Settings: missing})
	}
}

// stop plans for being off air: our items are removed, and the user's are hidden if we may have shown them.
func (p *planner) stop() {
	for _, in := range p.s.Inputs {
		if was, ok := p.c.Was[in.Name]; ok {
			p.settings = append(p.settings, SetSettings{Input: in.Name, Settings: was, Replace: true})
		}
	}
	p.removeOurs(func(*Scene, Item) bool { return true })
	for _, f := range p.allItems() {
		im := p.c.item(f.scene.Name, f.item.ID)
		if im.Ours || !im.Live {
			continue
		}
		if !f.item.Enabled {
			im.Live, im.Parked = false, true
			continue
		}
		im.Pending = true
		p.eyes = append(p.eyes, EnableItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source})
	}
	for _, sm := range p.c.Scenes {
		sm.Deleted = false
	}
	if p.d.Over {
		p.c.showAgain()
	}
}

// giveBack shows what we hid of inputs that are not the peer's any more, because the user made them read something else.
func (p *planner) giveBack() {
	for _, f := range p.owed {
		p.c.item(f.scene.Name, f.item.ID).Pending = true
		p.eyes = append(p.eyes, EnableItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, Enable: true})
	}
}

// removeOurs plans the removal of our items for which f is true.
func (p *planner) removeOurs(f func(*Scene, Item) bool) {
	for i := range p.s.Scenes {
		sc := &p.s.Scenes[i]
		for _, it := range sc.Items {
			im := p.c.item(sc.Name, it.ID)
			if im == nil || !im.Ours || !f(sc, it) {
				continue
			}
			im.Pending = true
			p.removals = append(p.removals, RemoveItem{Scene: sc.Name, Item: it.ID, Input: it.Source})
		}
	}
}

// needsTransition returns the programme scene if studio mode keeps one of the edits from it. The programme is then a copy of
// the scene and its groups, not of nested scenes.
func (v *view) needsTransition(edits []Edit) string {
	if !v.s.Studio {
		return ""
	}
	in := map[string]bool{v.s.Program: true}
	if sc := v.scenes[v.s.Program]; sc != nil {
		for _, it := range sc.Items {
			in[it.Source] = in[it.Source] || it.Group
		}
	}
	for _, e := range edits {
		if scene, seen := v.changes(e); seen && in[scene] {
			return v.s.Program
		}
	}
	return ""
}

// changes returns the scene whose picture an edit changes, or false if it changes none.
func (v *view) changes(e Edit) (string, bool) {
	enabled := func(scene string, id int) bool {
		im := v.c.item(scene, id)
		return im != nil && im.Enabled
	}
	switch e := e.(type) {
	case AddItem:
		return e.Scene, e.Enable
	case RemoveItem:
		return e.Scene, enabled(e.Scene, e.Item)
	case PlaceItem:
		return e.Scene, enabled(e.Scene, e.Item)
	case EnableItem:
		return e.Scene, true
	}
	return "", false
}
