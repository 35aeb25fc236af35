// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

// twins tells for each mirror which of its items is a copy of which item of the scene that it mirrors.
type twins map[string]map[int]int

// of returns the copy of an item.
func (t twins) of(mirror string, origin int) (twin int, known bool) {
	for twin, o := range t[mirror] {
		if o == origin {
			return twin, true
		}
	}
	return 0, false
}

func (t twins) set(mirror string, twin, origin int) {
	if t[mirror] == nil {
		t[mirror] = make(map[int]int)
	}
	t[mirror][twin] = origin
}

// wanted is an item that a mirror should have.
type wanted struct {
	origin    int // id of the item that it copies
	source    string
	transform obsctl.Transform
	enabled   bool
	blend     string
}

const (
	noBlend  = "OBS_BLEND_NORMAL"
	noBounds = "OBS_BOUNDS_NONE"
)

// planner collects edits.
type planner struct {
	snapshot
	twins twins
	names map[string]string // of mirrors, by what they mirror
	edits []edit
	seen  map[string]bool
}

// plan returns the edits that bring our scenes in step: those of mirrors, and then those of what the peer sees. names are
// those of the mirrors that were made before, by the scene or group that they mirror.
func plan(s snapshot, t twins, names map[string]string) (mirrors, shown []edit) {
	s.taken = maps.Clone(s.taken)
	s.taken[s.scene] = true
	p := &planner{snapshot: s, twins: t, names: make(map[string]string), seen: make(map[string]bool)}
	maps.Copy(p.names, names)
	show := s.program
	switch {
	case s.hidden != "":
		show = ""
	case s.mirrored(show):
		p.mirror(show)
		show = p.names[show]
	}
	mirrors, p.edits = p.edits, nil
	p.show(show)
	return mirrors, p.edits
}

func (p *planner) add(e edit) { p.edits = append(p.edits, e) }

// mirror plans a scene like the named one but without the peer, after those that stand in it.
func (p *planner) mirror(origin string) {
	if p.seen[origin] {
		return
	}
	p.seen[origin] = true
	from := p.scenes[origin]
	for _, it := range from.items {
		if _, inner := p.scenes[it.Source]; inner && p.mirrored(it.Source) && !p.barred[it.Source] {
			p.mirror(it.Source)
		}
	}
	name, known := p.names[origin]
	has, exists := p.ours[name]
	switch {
	case !known && len(p.spares) > 0:
		name, p.spares = p.spares[0], p.spares[1:]
		p.names[origin] = name
		p.add(takeSpare{Scene: name, Origin: origin})
		exists = true
	case !known:
		name = freeName(mirrorPrefix+origin, p.taken)
		p.taken[name] = true
		p.names[origin] = name
	}
	if !exists {
		p.add(makeScene{Scene: name, Origin: origin})
	}
	p.items(origin, name, has.items)
	p.filters(name, from.filters, has.filters)
}

// freeName is the name, or the name with the first number that is free.
func freeName(name string, taken map[string]bool) string {
	free := name
	for n := 2; taken[free]; n++ {
		free = numbered(name, n)
	}
	return free
}

func numbered(name string, n int) string { return fmt.Sprintf("%s %d", name, n) }

// wants lists the items that the mirror of a scene or group should have, lowest first.
func (p *planner) wants(origin string) []wanted {
	var out []wanted
	for _, it := range p.scenes[origin].items {
		if p.barred[it.Source] {
			continue
		}
		w := wanted{origin: it.ID, source: it.Source, transform: it.Transform, enabled: it.Enabled, blend: it.BlendMode}
		if w.blend == "" {
			w.blend = noBlend
		}
		if _, inner := p.scenes[it.Source]; inner && p.mirrored(it.Source) {
			w.source = p.names[it.Source]
			if it.IsGroup {
				w.transform = p.likeGroup(it.Transform)
			}
		}
		out = append(out, w)
	}
	return out
}

// likeGroup is the transform by which a mirror, which has the size of the canvas, stands where a group stands, which has
// the size of what is in it, in whole pixels. The difference is cropped off, but only where the size counts: the rest of
// the last pixel would be missing. What of a group is beyond the size of the canvas is not seen.
func (s *snapshot) likeGroup(t obsctl.Transform) obsctl.Transform {
	if t.Alignment == whole.Alignment && t.BoundsType == noBounds && t.CropLeft|t.CropTop|t.CropRight|t.CropBottom == 0 {
		return t
	}
	t.CropRight += max(0, s.width-int(t.SourceW))
	t.CropBottom += max(0, s.height-int(t.SourceH))
	return t
}

// items plans the items of a mirror.
func (p *planner) items(origin, mirror string, has []obsctl.SceneItem) {
	wants := p.wants(origin)
	var order []int // ids of origins as they stand in the mirror
	var last []edit
	for _, it := range has {
		of, known := p.twins[mirror][it.ID]
		i := slices.IndexFunc(wants, func(w wanted) bool { return w.origin == of })
		if !known || i < 0 || wants[i].source != it.Source || slices.Contains(order, of) {
			p.add(removeItem{Scene: mirror, Item: it.ID, Source: it.Source})
			continue
		}
		order = append(order, of)
		w := wants[i]
		if !samePlace(it.Transform, w.transform) {
			last = append(last, placeItem{Mirror: mirror, Origin: of, Transform: w.transform})
		}
		if has := it.BlendMode; has != w.blend && !(has == "" && w.blend == noBlend) {
			last = append(last, blendItem{Mirror: mirror, Origin: of, Mode: w.blend})
		}
		if it.Enabled != w.enabled {
			last = append(last, enableItem{Mirror: mirror, Origin: of, Enabled: w.enabled})
		}
	}
	for _, w := range wants {
		if slices.Contains(order, w.origin) {
			continue
		}
		order = append(order, w.origin)
		p.add(addItem{Mirror: mirror, Origin: w.origin, Source: w.source, Transform: w.transform})
		if w.blend != noBlend {
			p.add(blendItem{Mirror: mirror, Origin: w.origin, Mode: w.blend})
		}
		if w.enabled {
			last = append(last, enableItem{Mirror: mirror, Origin: w.origin, Enabled: true})
		}
	}
	for i, w := range wants {
		at := slices.Index(order, w.origin)
		if at != i {
			order = slices.Insert(slices.Delete(order, at, at+1), i, w.origin)
			p.add(moveItem{Mirror: mirror, Origin: w.origin, Index: i})
		}
	}
	p.edits = append(p.edits, last...)
}

// samePlace compares what can be set of transforms.
func samePlace(a, b obsctl.Transform) bool {
	for _, t := range []*obsctl.Transform{&a, &b} {
		t.W, t.H, t.SourceW, t.SourceH = 0, 0, 0, 0
		if t.BoundsType == "" || t.BoundsType == noBounds {
			t.BoundsType, t.BoundsW, t.BoundsH = noBounds, 0, 0
		}
	}
	return a == b
}

// pictureFilters are the kinds of filter that a mirror takes over: those of OBS itself that change the picture and do
// nothing else. Others may record or send what they get, and must not do so twice.
var pictureFilters = map[string]bool{
	"chroma_key_filter": true, "chroma_key_filter_v2": true, "clut_filter": true, "color_filter": true, "color_filter_v2": true,
	"color_key_filter": true, "color_key_filter_v2": true, "crop_filter": true, "gpu_delay": true, "hdr_tonemap_filter": true,
	"luma_key_filter": true, "luma_key_filter_v2": true, "mask_filter": true, "mask_filter_v2": true, "scale_filter": true,
	"scroll_filter": true, "sharpness_filter": true, "sharpness_filter_v2": true,
}

// filters plans the filters of a mirror.
func (p *planner) filters(mirror string, wants, has []obsctl.Filter) {
	wants = slices.DeleteFunc(slices.Clone(wants), func(f obsctl.Filter) bool { return !pictureFilters[f.Kind] })
	same := slices.EqualFunc(wants, has, func(a, b obsctl.Filter) bool { return a.Name == b.Name && a.Kind == b.Kind })
	if !same {
		for _, f := range has {
			p.add(removeFilter{Mirror: mirror, Filter: f.Name})
		}
		has = nil
	}
	for i, w := range wants {
		if !same {
			p.add(addFilter{Mirror: mirror, Filter: w})
			continue
		}
		if !sameSettings(w.Settings, has[i].Settings) {
			p.add(setFilter{Mirror: mirror, Filter: w.Name, Settings: w.Settings})
		}
		if w.Enabled != has[i].Enabled {
			p.add(enableFilter{Mirror: mirror, Filter: w.Name, Enabled: w.Enabled})
		}
	}
}

func sameSettings(a, b map[string]any) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// show plans that the scene for the peer shows one scene, or none, and nothing else.
func (p *planner) show(source string) {
	has, exists := p.ours[p.scene]
	if !exists {
		p.add(makeScene{Scene: p.scene})
	}
	at := slices.IndexFunc(has.items, func(it obsctl.SceneItem) bool {
		return it.Source == source && it.Enabled && samePlace(it.Transform, whole)
	})
	if at < 0 && source != "" {
		p.add(showScene{Scene: source})
	}
	for i, it := range has.items {
		if i != at {
			p.add(removeItem{Scene: p.scene, Item: it.ID, Source: it.Source})
		}
	}
}

// whole is the transform of a new item: as large as its source, from the upper left corner.
var whole = obsctl.Transform{ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: noBounds}
