// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"fmt"

	"github.com/costream-obs/costream-obs/obsctl"
)

// edit is one change in OBS. Items of mirrors are named by the items that they copy.
type edit interface {
	ask(w *writer)
	fmt.Stringer
}

// writer collects what edits ask of OBS.
type writer struct {
	*obsctl.Batch
	f     *Feed
	edit  edit
	added map[place]*obsctl.NewItem // by the mirror and the item that they copy
	reads []func() error            // what becomes of the edits, once OBS has answered
}

// carryOut makes edits. What is gone meanwhile needs none; an event tells of it.
func (f *Feed) carryOut(ctx context.Context, obs OBS, edits []edit) error {
	w := &writer{Batch: obs.Batch(), f: f, added: make(map[place]*obsctl.NewItem)}
	for _, e := range edits {
		w.edit = e
		e.ask(w)
	}
	if err := w.Do(ctx); err != nil {
		return err
	}
	var first error
	for _, read := range w.reads {
		if err := read(); first == nil {
			first = err
		}
	}
	return first
}

// told looks at an answer.
func (w *writer) told(answer *obsctl.Answer[obsctl.Nothing]) {
	e := w.edit
	w.reads = append(w.reads, func() error { return w.f.done(e, answer.Err) })
}

// done takes in what came of an edit.
func (f *Feed) done(e edit, err error) error {
	if err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
		return fmt.Errorf("%v: %w", e, err)
	}
	f.log.Debug("clean feed", "edit", e.String())
	return nil
}

type (
	// makeScene makes the mirror of Origin, or with none the scene for the peer.
	makeScene struct{ Scene, Origin string }
	// addItem puts a source on top of a mirror, hidden.
	addItem struct {
		Mirror    string
		Origin    int
		Source    string
		Transform obsctl.Transform
	}
	// removeItem removes an item of a scene of ours.
	removeItem struct {
		Scene  string
		Item   int
		Source string
	}
	// moveItem gives an item its place in the order.
	moveItem struct {
		Mirror string
		Origin int
		Index  int
	}
	// placeItem gives an item its transform.
	placeItem struct {
		Mirror    string
		Origin    int
		Transform obsctl.Transform
	}
	// blendItem gives an item its blend mode.
	blendItem struct {
		Mirror string
		Origin int
		Mode   string
	}
	// enableItem shows or hides an item.
	enableItem struct {
		Mirror  string
		Origin  int
		Enabled bool
	}
	// removeFilter removes a filter of a mirror.
	removeFilter struct{ Mirror, Filter string }
	// addFilter gives a mirror a filter.
	addFilter struct {
		Mirror string
		Filter obsctl.Filter
	}
	// setFilter gives a filter its settings.
	setFilter struct {
		Mirror, Filter string
		Settings       map[string]any
	}
	// enableFilter switches a filter on or off.
	enableFilter struct {
		Mirror, Filter string
		Enabled        bool
	}
	// showScene puts a scene on top of what the peer sees.
	showScene struct{ Scene string }
)

// ask does nothing: scenes are made before anything else.
func (e makeScene) ask(*writer) {}

// ask does not use DuplicateSceneItem, which OBS refuses for the items of groups (code 602, measured on 29.0.2).
func (e addItem) ask(w *writer) {
	made := w.CreateSceneItem(e.Mirror, e.Source, false)
	w.added[place{e.Mirror, e.Origin, ""}] = made
	w.reads = append(w.reads, func() error {
		if made.Err == nil {
			w.f.twins.set(e.Mirror, made.Value, e.Origin)
		}
		return w.f.done(e, made.Err)
	})
	w.onTwin(e.Mirror, e.Origin, func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing] {
		return w.SetItemTransform(e.Mirror, twin, e.Transform)
	})
}

func (e removeItem) ask(w *writer) {
	answer := w.RemoveSceneItem(e.Scene, e.Item)
	w.reads = append(w.reads, func() error {
		err := w.f.done(e, answer.Err)
		if err == nil {
			delete(w.f.twins[e.Scene], e.Item)
		}
		return err
	})
}

// onTwin makes a request for the copy of an item. A copy that could not be made is not there.
func (w *writer) onTwin(mirror string, origin int, request func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing]) {
	if made, adding := w.added[place{mirror, origin, ""}]; adding {
		e, answer := w.edit, request(made.ItemRef)
		w.reads = append(w.reads, func() error {
			if made.Err != nil {
				return nil
			}
			return w.f.done(e, answer.Err)
		})
		return
	}
	if twin, known := w.f.twins.of(mirror, origin); known {
		w.told(request(obsctl.ItemID(twin)))
	}
}

func (e moveItem) ask(w *writer) {
	w.onTwin(e.Mirror, e.Origin, func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing] {
		return w.SetItemIndex(e.Mirror, twin, e.Index)
	})
}

func (e placeItem) ask(w *writer) {
	w.onTwin(e.Mirror, e.Origin, func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing] {
		return w.SetItemTransform(e.Mirror, twin, e.Transform)
	})
}

func (e blendItem) ask(w *writer) {
	w.onTwin(e.Mirror, e.Origin, func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing] {
		return w.SetItemBlendMode(e.Mirror, twin, e.Mode)
	})
}

func (e enableItem) ask(w *writer) {
	w.onTwin(e.Mirror, e.Origin, func(twin obsctl.ItemRef) *obsctl.Answer[obsctl.Nothing] {
		return w.SetItemEnabled(e.Mirror, twin, e.Enabled)
	})
}

func (e removeFilter) ask(w *writer) { w.told(w.RemoveFilter(e.Mirror, e.Filter)) }

func (e addFilter) ask(w *writer) {
	w.told(w.CreateFilter(e.Mirror, e.Filter))
	if !e.Filter.Enabled {
		w.told(w.SetFilterEnabled(e.Mirror, e.Filter.Name, false))
	}
}

func (e setFilter) ask(w *writer) { w.told(w.SetFilterSettings(e.Mirror, e.Filter, e.Settings)) }

func (e enableFilter) ask(w *writer) { w.told(w.SetFilterEnabled(e.Mirror, e.Filter, e.Enabled)) }

func (e showScene) ask(w *writer) {
	made := w.CreateSceneItem(w.f.Scene(), e.Scene, true)
	w.reads = append(w.reads, func() error { return w.f.done(e, made.Err) })
}

func (e makeScene) String() string  { return fmt.Sprintf("make scene %q", e.Scene) }
func (e addItem) String() string    { return fmt.Sprintf("put %q into %q", e.Source, e.Mirror) }
func (e removeItem) String() string { return fmt.Sprintf("remove %q from %q", e.Source, e.Scene) }
func (e moveItem) String() string {
	return fmt.Sprintf("move item %d in %q to place %d", e.Origin, e.Mirror, e.Index)
}
func (e placeItem) String() string { return fmt.Sprintf("place item %d in %q", e.Origin, e.Mirror) }
func (e blendItem) String() string {
	return fmt.Sprintf("blend item %d in %q by %s", e.Origin, e.Mirror, e.Mode)
}
func (e enableItem) String() string {
	return fmt.Sprintf("show item %d in %q: %t", e.Origin, e.Mirror, e.Enabled)
}
func (e removeFilter) String() string {
	return fmt.Sprintf("remove filter %q from %q", e.Filter, e.Mirror)
}
func (e addFilter) String() string {
	return fmt.Sprintf("give %q the filter %q", e.Mirror, e.Filter.Name)
}
func (e setFilter) String() string {
	return fmt.Sprintf("set filter %q of %q", e.Filter, e.Mirror)
}
func (e enableFilter) String() string {
	return fmt.Sprintf("switch filter %q of %q: %t", e.Filter, e.Mirror, e.Enabled)
}
func (e showScene) String() string { return fmt.Sprintf("show the peer %q", e.Scene) }
