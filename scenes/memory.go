// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"maps"
	"slices"
)

// Memory is what must be known from one round and one run to the next: what we added and hid, and how the user wants the
// peer to look. It is plain JSON. The zero value is an empty memory. Its fields are for this package only.
type Memory struct {
	Collections map[string]*CollectionMemory `json:"collections,omitempty"`
}

// CollectionMemory is the memory of one scene collection.
type CollectionMemory struct {
	// Session is that of the last Snapshot.
	Session string `json:"session,omitempty"`
	// Input is the peer source's name here, and Asked the name that was configured at that time. They differ if the user
	// renamed it.
	Input string `json:"input,omitempty"`
	Asked string `json:"asked,omitempty"`
	// Present and Visible are what was last desired.
	Present bool `json:"present,omitempty"`
	Visible bool `json:"visible,omitempty"`
	// Chosen are the scenes of the current or the last time on air.
	Chosen []string                `json:"chosen,omitempty"`
	Scenes map[string]*SceneMemory `json:"scenes,omitempty"` // groups too
	// Picture is what the peer source last showed.
	Picture Picture `json:"picture,omitzero"`
	// Was holds the settings of inputs that the user made and we changed, by name.
	Was map[string]map[string]any `json:"was,omitempty"`
}

// SceneMemory is the memory of one scene or group.
type SceneMemory struct {
	Items map[int]*ItemMemory `json:"items,omitempty"` // by item id
	// Last is how the peer looked here when it was last removed.
	Last *Look `json:"last,omitempty"`
	// Adding is set before an item is added, until its id is known.
	Adding bool `json:"adding,omitempty"`
	// Deleted says that the user deleted our item during this time on air.
	Deleted bool `json:"deleted,omitempty"`
	// Again says that we removed our item, and that it comes back although the user has copies of it.
	Again bool `json:"again,omitempty"`
}

// ItemMemory is the memory of one item of the peer source.
type ItemMemory struct {
	// Ours: we added it. Else the user did.
	Ours bool `json:"ours,omitempty"`
	// Copy: the user added it while an item of ours was there.
	Copy bool `json:"copy,omitempty"`
	// Live: we show and hide it. When we hide it at the end, it becomes Parked.
	Live   bool `json:"live,omitempty"`
	Parked bool `json:"parked,omitempty"`
	// Enabled is whether it was visible when we last set or saw it.
	Enabled bool `json:"enabled,omitempty"`
	// Kept: the user showed it while we hid it, so we leave it until the peer comes or goes.
	Kept bool `json:"kept,omitempty"`
	// Pending: an edit of it is under way, so its current look is not the user's choice.
	Pending bool `json:"pending,omitempty"`
	// Placed is its transform when we last set or saw it, or nil.
	Placed *Transform `json:"placed,omitempty"`
	Look
}

// placeable reports whether we keep the item's place: we added it, or the user asked us to lay it out.
func (im *ItemMemory) placeable() bool { return im.Ours || im.Layout != "" }

// hiddenByUs reports whether we hid the item and the user did not.
func (im *ItemMemory) hiddenByUs() bool {
	return (im.Live || im.Parked) && (!im.Enabled || im.Pending) && !im.Hidden
}

// Look is how the user left an item.
type Look struct {
	// Hidden: the user hid it. HiddenOnAir: it was visible when that time on air began, and will be at the next.
	Hidden      bool `json:"hidden,omitempty"`
	HiddenOnAir bool `json:"hiddenOnAir,omitempty"`
	// Moved: the user gave it another transform than we did.
	Moved bool `json:"moved,omitempty"`
	// Layout is what the user asked Arrange for, in words. Without it the configured layout applies.
	Layout    string    `json:"layout,omitempty"`
	Transform Transform `json:"transform"`
	Canvas    Size      `json:"canvas"`          // that Transform was made for
	Border    Border    `json:"border,omitzero"` // that Transform crops in addition to the picture
	Locked    bool      `json:"locked,omitempty"`
	// Under is the id of the item directly above, 0 at the top; Above is the number of items above.
	Under int `json:"under,omitempty"`
	Above int `json:"above,omitempty"`
	// Before is the look before the first of the user's commands; Restore needs it.
	Before *Look `json:"before,omitempty"`
}

// Of is the memory of one collection alone.
func (m Memory) Of(collection string) Memory {
	c := m.Collections[collection]
	if c == nil {
		return Memory{}
	}
	return Memory{Collections: map[string]*CollectionMemory{collection: c}}
}

// With is the memory with one collection replaced by that of another memory.
func (m Memory) With(collection string, other Memory) Memory {
	m = m.clone()
	if c := other.Collections[collection]; c != nil {
		m.Collections[collection] = c
	} else {
		delete(m.Collections, collection)
	}
	return m
}

// Leaves reports whether Reconcile might have to remove or restore something in a collection off air.
func (m Memory) Leaves(collection string) bool {
	c := m.Collections[collection]
	if c == nil {
		return false
	}
	left := c.Present || len(c.Was) > 0
	for _, s := range c.Scenes {
		left = left || s != nil && s.Adding
		if s == nil {
			continue
		}
		for _, im := range s.Items {
			left = left || im != nil && (im.Ours || im.Live)
		}
	}
	return left
}

// Names lists the collections in the memory.
func (m Memory) Names() []string { return slices.Sorted(maps.Keys(m.Collections)) }

// collection returns the memory of a collection, made if absent.
func (m *Memory) collection(name string) *CollectionMemory {
	if m.Collections == nil {
		m.Collections = map[string]*CollectionMemory{}
	}
	c := m.Collections[name]
	if c == nil {
		c = &CollectionMemory{}
		m.Collections[name] = c
	}
	return c
}

// empty says that there is nothing to remember.
func (c *CollectionMemory) empty() bool {
	return !c.Present && c.Input == "" && len(c.Scenes) == 0 && len(c.Was) == 0
}

// scene returns the memory of a scene, made if absent.
func (c *CollectionMemory) scene(name string) *SceneMemory {
	if c.Scenes == nil {
		c.Scenes = map[string]*SceneMemory{}
	}
	s := c.Scenes[name]
	if s == nil {
		s = &SceneMemory{}
		c.Scenes[name] = s
	}
	return s
}

// item returns the memory of an item, or nil.
func (c *CollectionMemory) item(scene string, id int) *ItemMemory {
	if s := c.Scenes[scene]; s != nil {
		return s.Items[id]
	}
	return nil
}

// all calls f for the memory of each item.
func (c *CollectionMemory) all(f func(im *ItemMemory)) {
	for _, s := range c.Scenes {
		for _, im := range s.Items {
			f(im)
		}
	}
}

// hide notes that the user hid it or showed it.
func (l *Look) hide(hidden, onAir bool) {
	l.HiddenOnAir = hidden && (l.HiddenOnAir || onAir && !l.Hidden)
	l.Hidden = hidden
}

// showAgain forgets what was hidden during the time on air that has ended.
func (c *CollectionMemory) showAgain() {
	show := func(l *Look) {
		if l != nil && l.HiddenOnAir {
			l.hide(false, false)
		}
	}
	c.all(func(im *ItemMemory) { show(&im.Look) })
	for _, s := range c.Scenes {
		show(s.Last)
	}
}

func (s *SceneMemory) set(id int, im *ItemMemory) {
	if s.Items == nil {
		s.Items = map[int]*ItemMemory{}
	}
	s.Items[id] = im
}

// forget drops an item that is gone, and keeps its look for the next one.
func (s *SceneMemory) forget(id int) {
	if im := s.Items[id]; im != nil {
		look := im.Look
		s.Last = &look
		delete(s.Items, id)
	}
}

// clone copies everything that Plan and Apply may change. It drops nulls, because others can edit the stored file.
func (m Memory) clone() Memory {
	out := Memory{Collections: make(map[string]*CollectionMemory, len(m.Collections))}
	for name, c := range m.Collections {
		if c == nil {
			continue
		}
		cc := *c
		cc.Chosen = slices.Clone(c.Chosen)
		cc.Was = maps.Clone(c.Was)
		cc.Scenes = make(map[string]*SceneMemory, len(c.Scenes))
		for sname, s := range c.Scenes {
			if s == nil {
				continue
			}
			ss := *s
			if s.Last != nil {
				last := *s.Last
				ss.Last = &last
			}
			ss.Items = make(map[int]*ItemMemory, len(s.Items))
			for id, im := range s.Items {
				if im != nil {
					i := *im
					ss.Items[id] = &i
				}
			}
			cc.Scenes[sname] = &ss
		}
		out.Collections[name] = &cc
	}
	return out
}
