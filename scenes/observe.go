// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"maps"
	"slices"
)

// view is one snapshot together with the memory.
type view struct {
	s      Snapshot
	c      *CollectionMemory
	peers  []Input
	names  map[string]bool // of peers
	stale  map[string]bool // inputs of ours from another route
	scenes map[string]*Scene
	// orphan: the memory knows nothing of the only item of an input that we made, for example because OBS was killed while
	// it wrote the memory. Nobody knows who hid it, and it is worse to hide the peer from the stream than to show them once
	// more.
	orphan bool
	kind   string  // of the peer source, "" for any
	owed   []found // items that we hid, of inputs that are not the peer's any more
}

func newView(s Snapshot, src Source, c *CollectionMemory) *view {
	v := &view{s: s, c: c, peers: findPeers(s, src, c), stale: findStale(s, src), kind: src.Kind,
		names: map[string]bool{}, scenes: map[string]*Scene{}}
	for _, in := range v.peers {
		v.names[in.Name] = true
	}
	for i := range s.Scenes {
		v.scenes[s.Scenes[i].Name] = &s.Scenes[i]
	}
	return v
}

// found is one item of the peer source.
type found struct {
	scene *Scene // or group
	item  Item
}

// others returns the other items of the scene.
func (f found) others() []Item {
	return slices.DeleteFunc(slices.Clone(f.scene.Items), func(it Item) bool { return it.ID == f.item.ID })
}

// items returns the items of the peer source in a scene or group itself.
func (v *view) items(sc *Scene) []found {
	var out []found
	for _, it := range sc.Items {
		if v.names[it.Source] {
			out = append(out, found{sc, it})
		}
	}
	return out
}

// allItems returns all items of the peer source, in groups too.
func (v *view) allItems() []found {
	var out []found
	for i := range v.s.Scenes {
		out = append(out, v.items(&v.s.Scenes[i])...)
	}
	return out
}

// itemsOf returns the items of the peer source in a scene and in its groups.
func (v *view) itemsOf(sc *Scene) []found {
	out := v.items(sc)
	for _, it := range sc.Items {
		if g := v.scenes[it.Source]; it.Group && g != nil {
			out = append(out, v.items(g)...)
		}
	}
	return out
}

// sceneNames returns the names of all scenes, without groups.
func (v *view) sceneNames() []string {
	var out []string
	for _, sc := range v.s.Scenes {
		if !sc.Group {
			out = append(out, sc.Name)
		}
	}
	return out
}

// observe updates the memory with the snapshot: what is new, what is gone, and what the user changed.
func (v *view) observe() {
	// Changes in another OBS process are OBS's loss, not the user's choice.
	lost := v.c.Session != v.s.Session
	v.c.Session = v.s.Session
	if len(v.peers) > 0 {
		v.c.Input = v.peers[0].Name
	}
	v.orphan = v.hasOrphan()
	v.followSettings()
	v.followSceneNames()
	v.forgetGone(lost)
	for i := range v.s.Scenes {
		sc := &v.s.Scenes[i]
		items := v.items(sc)
		for _, f := range items {
			if im := v.c.item(sc.Name, f.item.ID); im != nil {
				v.follow(f, im, lost)
			}
		}
		// The newest unknown item comes first, because it is the one that we were adding, if any.
		for _, f := range slices.Backward(items) {
			if v.c.item(sc.Name, f.item.ID) == nil {
				v.meet(f)
			}
		}
		if sm := v.c.Scenes[sc.Name]; sm != nil {
			sm.Adding = false
		}
	}
}

// followSettings moves remembered settings of an input to its current name.
func (v *view) followSettings() {
	var orphans, heirs []string
	inputs := map[string]bool{}
	for _, in := range v.s.Inputs {
		inputs[in.Name] = true
		if _, known := v.c.Was[in.Name]; !known && in.Settings[MarkKey] == markAdopted {
			heirs = append(heirs, in.Name)
		}
	}
	for name := range v.c.Was {
		if !inputs[name] {
			orphans = append(orphans, name)
		}
	}
	if len(orphans) == 1 && len(heirs) == 1 {
		v.c.Was[heirs[0]] = v.c.Was[orphans[0]]
		delete(v.c.Was, orphans[0])
	}
}

// followSceneNames finds scenes that the user renamed, by the ids of the peer's items in them: before obs-websocket 5.4
// scenes have nothing else that stays.
func (v *view) followSceneNames() {
	for _, old := range slices.Sorted(maps.Keys(v.c.Scenes)) {
		sm := v.c.Scenes[old]
		if v.scenes[old] != nil || len(sm.Items) == 0 {
			continue
		}
		var heirs []string
		for _, sc := range v.s.Scenes {
			if v.c.Scenes[sc.Name] != nil {
				continue
			}
			for _, it := range sc.Items {
				if sm.Items[it.ID] != nil && (v.names[it.Source] || v.stale[it.Source]) {
					heirs = append(heirs, sc.Name)
					break
				}
			}
		}
		if len(heirs) != 1 {
			continue
		}
		v.c.Scenes[heirs[0]] = sm
		delete(v.c.Scenes, old)
		for i, name := range v.c.Chosen {
			if name == old {
				v.c.Chosen[i] = heirs[0]
			}
		}
	}
}

// forgetGone drops items from the memory that are gone or are not the peer's any more.
func (v *view) forgetGone(lost bool) {
	for _, name := range slices.Sorted(maps.Keys(v.c.Scenes)) {
		there := map[int]Item{}
		sm, sc := v.c.Scenes[name], v.scenes[name]
		if sc != nil {
			for _, it := range sc.Items {
				there[it.ID] = it
			}
		}
		for _, id := range slices.Sorted(maps.Keys(sm.Items)) {
			im := sm.Items[id]
			it, exists := there[id]
			switch {
			case v.names[it.Source] || v.stale[it.Source]:
				continue
			case exists && !im.Ours:
				if !im.hiddenByUs() || it.Enabled {
					delete(sm.Items, id)
				} else if v.stranger(it.Source) {
					v.owed = append(v.owed, found{sc, it})
				}
				continue
			case !im.Ours && sm.Last != nil:
				delete(sm.Items, id) // the look of our own item is kept instead
				continue
			case im.Ours && im.Pending:
				sm.Again = true
			case im.Ours && !lost && sc != nil:
				sm.Deleted = true
			}
			sm.forget(id)
		}
	}
}

// stranger reports whether an input is certainly not the peer source. One of another kind may be the peer source again on
// another route.
func (v *view) stranger(input string) bool {
	return v.kind != "" && slices.ContainsFunc(v.s.Inputs, func(in Input) bool { return in.Name == input && in.Kind == v.kind })
}

// hasOrphan reports whether there is only one item, of an input that we made, and none in the memory.
func (v *view) hasOrphan() bool {
	known := false
	v.c.all(func(*ItemMemory) { known = true })
	items := v.allItems()
	if known || len(items) != 1 {
		return false
	}
	return slices.ContainsFunc(v.peers, func(in Input) bool {
		return in.Name == items[0].item.Source && in.Settings[MarkKey] == markMade
	})
}

// meet adds an unknown item to the memory.
func (v *view) meet(f found) {
	sm := v.c.scene(f.scene.Name)
	im := &ItemMemory{Enabled: f.item.Enabled}
	// An orphan in OBS's default place for new items was never placed.
	if sm.Adding || v.orphan && f.item.Transform.untouched() {
		sm.Adding = false
		im.Ours, im.Live = true, true
		if sm.Last != nil {
			im.Look = *sm.Last
		}
		sm.set(f.item.ID, im)
		return
	}
	// While we hide the peer, a new hidden item was not hidden by the user: it is a copy of what we hid, an item whose
	// deletion was undone, or one that a command is just adding.
	ours, hiddenByUs := false, v.c.Present && !v.c.Visible
	v.c.all(func(other *ItemMemory) {
		ours = ours || other.Ours
		hiddenByUs = hiddenByUs || (other.Live || other.Parked) && !other.Enabled && !other.Hidden
	})
	im.Copy = v.c.Present && ours
	im.Hidden = !f.item.Enabled && !hiddenByUs && !v.orphan
	sm.set(f.item.ID, im)
	v.remember(f, im)
}

// follow notes what the user did to an item.
func (v *view) follow(f found, im *ItemMemory, lost bool) {
	if f.item.Enabled != im.Enabled && !im.Pending && !lost {
		// If the user hides again what they showed while we hid it, the state before returns.
		hiddenByUs := im.Parked || im.Live && !v.c.Visible
		im.Kept = f.item.Enabled && im.Live && hiddenByUs
		im.hide(!f.item.Enabled && (im.Hidden || !hiddenByUs), v.c.Present)
	}
	im.Enabled = f.item.Enabled
	pending := im.Pending
	im.Pending = false
	if f.item.EyeOnly || pending || im.placeable() && im.Placed == nil {
		return
	}
	if lost && im.placeable() && f.item.Transform.untouched() && !im.Placed.untouched() {
		im.Placed = nil // OBS was killed; it saves a scene when an item is added, not when it is moved
		return
	}
	v.remember(f, im)
}

// remember notes where an item is.
func (v *view) remember(f found, im *ItemMemory) {
	t := f.item.Transform
	switch {
	case !im.placeable():
		im.Moved = true
	case im.Canvas != v.s.Canvas:
		// From 30.2 on OBS itself rescales items with the canvas. That is not the user's change.
	case !t.same(*im.Placed):
		im.Moved, im.Layout = true, ""
	}
	if im.Moved {
		im.Transform, im.Canvas, im.Placed = t, v.s.Canvas, &t
	}
	im.Locked = f.item.Locked
	im.Under, im.Above = 0, 0
	for i, it := range f.scene.Items {
		if it.ID == f.item.ID {
			im.Above = len(f.scene.Items) - 1 - i
			if im.Above > 0 {
				im.Under = f.scene.Items[i+1].ID
			}
		}
	}
}
