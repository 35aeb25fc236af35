// SPDX-License-Identifier: Apache-2.0

package leftovers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/scenes"
)

const (
	// listed is where a collection keeps its scenes and inputs, and grouped where it keeps its groups.
	listed  = "sources"
	grouped = "groups"

	sceneKind = "scene"
)

// docOBS is a closed scene collection as package scenes sees OBS.
type docOBS struct {
	doc    *collection.Doc
	name   string
	entry  Entry
	memory scenes.Memory
	parsed map[string][]source // by listed and grouped; nil after a change
}

var _ scenes.OBS = &docOBS{}

// source is a scene, an input or a group as it is in a file.
type source struct {
	ID, Name string
	items    []item // of a scene or group
	device   string // of an input
}

// item is a scene item as it is in a file.
type item struct {
	ID              int
	Name            string
	Visible, Locked bool
	// Backup: it is a copy of an item of the group before it, for an OBS that knows no groups.
	Backup      bool `json:"group_item_backup"`
	Pos, Scale  struct{ X, Y float64 }
	Rot         float64
	Align       int
	BoundsType  int  `json:"bounds_type"`
	BoundsAlign int  `json:"bounds_align"`
	BoundsCrop  bool `json:"bounds_crop"`
	Bounds      struct{ X, Y float64 }
	CropLeft    int `json:"crop_left"`
	CropTop     int `json:"crop_top"`
	CropRight   int `json:"crop_right"`
	CropBottom  int `json:"crop_bottom"`
}

// boundsTypes are OBS's names for the numbers in files (obs.h, enum obs_bounds_type).
var boundsTypes = [...]string{"OBS_BOUNDS_NONE", "OBS_BOUNDS_STRETCH", "OBS_BOUNDS_SCALE_INNER", "OBS_BOUNDS_SCALE_OUTER",
	"OBS_BOUNDS_SCALE_TO_WIDTH", "OBS_BOUNDS_SCALE_TO_HEIGHT", "OBS_BOUNDS_MAX_ONLY"}

func (it item) transform() scenes.Transform {
	t := scenes.Transform{X: it.Pos.X, Y: it.Pos.Y, Rotation: it.Rot, ScaleX: it.Scale.X, ScaleY: it.Scale.Y, Alignment: it.Align,
		BoundsAlignment: it.BoundsAlign, BoundsW: it.Bounds.X, BoundsH: it.Bounds.Y, CropToBounds: it.BoundsCrop,
		CropLeft: it.CropLeft, CropTop: it.CropTop, CropRight: it.CropRight, CropBottom: it.CropBottom}
	if it.BoundsType >= 0 && it.BoundsType < len(boundsTypes) {
		t.BoundsType = boundsTypes[it.BoundsType]
	}
	return t
}

// check returns an error unless the collection can be read whole.
func (o *docOBS) check() error {
	for _, where := range []string{listed, grouped} {
		if _, err := o.read(where); err != nil {
			return fmt.Errorf("%w: %s: %w", collection.ErrInvalid, where, err)
		}
	}
	return nil
}

func (o *docOBS) read(where string) ([]source, error) {
	var raw []struct {
		source
		Settings json.RawMessage
	}
	text := o.doc.Get(where)
	if text == nil {
		return nil, nil
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	list := make([]source, len(raw))
	for i := range raw {
		list[i] = raw[i].source
		var settings struct {
			Items  []item
			Device string `json:"device_id"`
		}
		if raw[i].Settings == nil {
			continue
		}
		holds := where == grouped || list[i].ID == sceneKind
		// Inputs may have anything in their settings.
		if err := json.Unmarshal(raw[i].Settings, &settings); err != nil && holds {
			return nil, err
		}
		if holds {
			list[i].items = settings.Items
		} else {
			list[i].device = settings.Device
		}
	}
	return list, nil
}

// list are the sources of one of the two lists.
func (o *docOBS) list(where string) []source {
	if o.parsed == nil {
		o.parsed = map[string][]source{}
	}
	if _, known := o.parsed[where]; !known {
		o.parsed[where], _ = o.read(where) // as it could be when it was checked
	}
	return o.parsed[where]
}

func (o *docOBS) sources() []source { return o.list(listed) }

func (o *docOBS) set(value any, path ...any) error {
	o.parsed = nil
	return o.doc.Set(value, path...)
}

func (o *docOBS) remove(path ...any) {
	o.parsed = nil
	o.doc.Delete(path...)
}

// index is the place of a scene or input, -1 if there is none.
func (o *docOBS) index(name string) int {
	return slices.IndexFunc(o.sources(), func(s source) bool { return s.Name == name })
}

// audioDevices are where a collection keeps OBS's own audio inputs.
var audioDevices = [...]string{"DesktopAudioDevice1", "DesktopAudioDevice2", "AuxAudioDevice1", "AuxAudioDevice2", "AuxAudioDevice3", "AuxAudioDevice4"}

// input is the path of an input, OBS's own audio inputs included, nil if there is none.
func (o *docOBS) input(name string) []any {
	if i := o.index(name); i >= 0 {
		return []any{listed, i}
	}
	for _, key := range audioDevices {
		var s source
		if raw := o.doc.Get(key); raw != nil && json.Unmarshal(raw, &s) == nil && s.Name == name {
			return []any{key}
		}
	}
	return nil
}

// holder is where a scene or group is.
func (o *docOBS) holder(name string) (where string, i int, found bool) {
	for _, where := range []string{listed, grouped} {
		i := slices.IndexFunc(o.list(where), func(s source) bool { return s.Name == name && (where == grouped || s.ID == sceneKind) })
		if i >= 0 {
			return where, i, true
		}
	}
	return "", 0, false
}

// removeSource takes an input or scene out, and its items out of all scenes and groups.
func (o *docOBS) removeSource(name string) {
	for _, where := range []string{listed, grouped} {
		for i := range o.list(where) {
			// From the last one, since the others keep their places then.
			for j := len(o.list(where)[i].items) - 1; j >= 0; j-- {
				if o.list(where)[i].items[j].Name == name {
					o.removeItem(where, i, j)
				}
			}
		}
	}
	if i := o.index(name); i >= 0 {
		o.remove(listed, i)
	}
}

// removeItem takes an item out of a scene or group, and the hotkeys that show and hide it. Those are called by its source
// up to OBS 29, and by its id since.
func (o *docOBS) removeItem(where string, i, j int) {
	gone := o.list(where)[i].items[j]
	o.remove(where, i, "settings", "items", j)
	ends := []string{strconv.Itoa(gone.ID)}
	if !slices.ContainsFunc(o.list(where)[i].items, func(it item) bool { return it.Name == gone.Name }) {
		ends = append(ends, gone.Name)
	}
	for _, end := range ends {
		for _, action := range []string{"show", "hide"} {
			o.remove(where, i, "hotkeys", "libobs."+action+"_scene_item."+end)
		}
	}
}

// removeScene takes a scene out, also of OBS's list of scenes. Where it is the current one, another takes its place.
func (o *docOBS) removeScene(name string) error {
	o.removeSource(name)
	var order []struct{ Name string }
	if raw := o.doc.Get("scene_order"); raw != nil {
		if err := json.Unmarshal(raw, &order); err != nil {
			return fmt.Errorf("%w: scene_order: %w", collection.ErrInvalid, err)
		}
	}
	for i := len(order) - 1; i >= 0; i-- {
		if order[i].Name == name {
			o.remove("scene_order", i)
		}
	}
	for _, key := range []string{"current_scene", "current_program_scene"} {
		var current string
		_ = json.Unmarshal(o.doc.Get(key), &current)
		if current != name {
			continue
		}
		instead := o.entry.Feed[name]
		_, _, there := o.holder(instead)
		for i := 0; i < len(order) && !there; i++ {
			if _, ours := o.entry.Feed[order[i].Name]; !ours {
				instead, there = order[i].Name, true
			}
		}
		if there {
			if err := o.set(instead, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// errClosed is the answer to what nobody asks for off air.
var errClosed = errors.New("this cannot be done in a closed scene collection")

// standing is which scenes there are. Which of them is the programme does not matter off air.
func (o *docOBS) standing() (scenes.Standing, error) {
	st := scenes.Standing{Collection: o.name}
	for _, s := range o.sources() {
		if _, ours := o.entry.Feed[s.Name]; s.ID == sceneKind && !ours {
			st.Scenes = append(st.Scenes, s.Name)
		}
	}
	if len(st.Scenes) == 0 {
		return st, fmt.Errorf("%w: no scenes", collection.ErrInvalid)
	}
	st.Program = st.Scenes[0]
	return st, nil
}

// Collection implements scenes.OBS.
func (o *docOBS) Collection(context.Context) (string, error) { return o.name, nil }

// Overview implements scenes.OBS.
func (o *docOBS) Overview(context.Context) (out scenes.Overview, err error) {
	out = scenes.Overview{Canvas: o.entry.Canvas, Memory: o.memory}
	if out.Standing, err = o.standing(); err != nil {
		return out, err
	}
	for _, s := range o.sources() {
		if s.Name != "" && s.ID != sceneKind {
			out.Inputs = append(out.Inputs, scenes.Input{Name: s.Name, Kind: s.ID})
		}
	}
	for _, g := range o.list(grouped) {
		out.Groups = append(out.Groups, g.Name)
	}
	return out, nil
}

// Look implements scenes.OBS.
func (o *docOBS) Look(_ context.Context, q scenes.Questions) (out scenes.Answers, err error) {
	for _, input := range q.Settings {
		i := o.index(input)
		if i < 0 {
			return out, scenes.ErrNotFound
		}
		var settings map[string]any
		if raw := o.doc.Get(listed, i, "settings"); raw != nil {
			if err := json.Unmarshal(raw, &settings); err != nil {
				return out, err
			}
		}
		out.Settings = append(out.Settings, settings)
	}
	for _, h := range q.Holding {
		out.Holding = append(out.Holding, slices.ContainsFunc(o.items(h.Scene), func(it item) bool { return it.Name == h.Input }))
	}
	for _, of := range q.Eyes {
		var eye scenes.EyeState
		for _, it := range o.items(of.Scene) {
			if it.Name == of.Input {
				eye = scenes.EyeState{Only: !eye.Only && it.ID == of.Item, Enabled: it.Visible}
			}
		}
		out.Eyes = append(out.Eyes, eye)
	}
	if out.Items, err = o.listItems(q.Items); err != nil {
		return out, err
	}
	out.Standing, err = o.standing()
	return out, err
}

// SetInputSettings implements scenes.OBS. Off air settings are only given back, all of them.
func (o *docOBS) SetInputSettings(_ context.Context, input string, settings map[string]any, replace bool) error {
	i := o.index(input)
	switch {
	case i < 0:
		return scenes.ErrNotFound
	case !replace:
		return errClosed
	case settings == nil:
		settings = map[string]any{}
	}
	return o.set(settings, listed, i, "settings")
}

// items are those of a scene or group; there are none where it is not there.
func (o *docOBS) items(scene string) []item {
	where, i, found := o.holder(scene)
	if !found {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.list(where)[i].items), func(it item) bool { return it.Backup })
}

// listItems lists the items of scenes and groups.
func (o *docOBS) listItems(of []scenes.Place) ([][]scenes.Item, error) {
	groups := map[string]bool{}
	for _, g := range o.list(grouped) {
		groups[g.Name] = true
	}
	lists := make([][]scenes.Item, len(of))
	for i, p := range of {
		if _, _, found := o.holder(p.Name); !found {
			return nil, scenes.ErrNotFound
		}
		for _, it := range o.items(p.Name) {
			lists[i] = append(lists[i], scenes.Item{ID: it.ID, Source: it.Name, Enabled: it.Visible, Locked: it.Locked, Group: groups[it.Name], Transform: it.transform()})
		}
	}
	return lists, nil
}

// place is where an item is.
func (o *docOBS) place(scene string, id int) (where string, i, j int, found bool) {
	if where, i, found = o.holder(scene); !found {
		return "", 0, 0, false
	}
	j = slices.IndexFunc(o.list(where)[i].items, func(it item) bool { return it.ID == id && !it.Backup })
	return where, i, j, j >= 0
}

// Do implements scenes.OBS. Off air items are only removed, hidden and shown.
func (o *docOBS) Do(_ context.Context, tasks []scenes.Task) []scenes.Done {
	done := make([]scenes.Done, len(tasks))
	for i, t := range tasks {
		done[i] = scenes.Done{Item: t.Item, Err: errClosed}
		switch {
		case t.Save != nil:
			o.memory, done[i].Err = *t.Save, nil
		case t.Item == 0 || t.Place != nil:
		case t.Remove:
			done[i].Err = o.takeOut(t.Scene, t.Item)
		case t.Enable != nil:
			done[i].Err = o.enable(t.Scene, t.Item, *t.Enable)
		}
	}
	return done
}

// takeOut removes an item. As in OBS, an input goes with its last item.
func (o *docOBS) takeOut(scene string, id int) error {
	where, i, j, found := o.place(scene, id)
	if !found {
		return scenes.ErrNotFound
	}
	shows := o.list(where)[i].items[j].Name
	o.removeItem(where, i, j)
	for _, where := range []string{listed, grouped} {
		for _, s := range o.list(where) {
			if slices.ContainsFunc(s.items, func(it item) bool { return it.Name == shows }) {
				return nil
			}
		}
	}
	o.removeSource(shows)
	return nil
}

// enable shows or hides an item.
func (o *docOBS) enable(scene string, id int, enabled bool) error {
	where, i, j, found := o.place(scene, id)
	if !found {
		return scenes.ErrNotFound
	}
	return o.set(enabled, where, i, "settings", "items", j, "visible")
}

// CreateInput implements scenes.OBS.
func (o *docOBS) CreateInput(context.Context, string, string, string, map[string]any, bool) (int, error) {
	return 0, errClosed
}

// Lock implements scenes.OBS: whoever edits the file has it to themselves.
func (o *docOBS) Lock(context.Context) (func(), error) { return func() {}, nil }

// SaveMemory implements scenes.OBS.
func (o *docOBS) SaveMemory(_ context.Context, m scenes.Memory) error {
	o.memory = m
	return nil
}
