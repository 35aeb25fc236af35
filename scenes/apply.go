// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// EditError says which edit failed.
type EditError struct {
	Edit Edit
	Err  error
}

func (e *EditError) Error() string { return fmt.Sprintf("cannot %v: %v", e.Edit, e.Err) }

func (e *EditError) Unwrap() error { return e.Err }

// Apply carries out edits that were planned for a scene collection, in order. It returns the memory after them, and for each
// edit nil or an *EditError. After a failed edit it continues with the others, unless ctx has ended. Removing what is gone
// already is not an error.
func Apply(ctx context.Context, obs OBS, collection string, edits []Edit, m Memory) (Memory, []error) {
	m = m.clone()
	a := &applier{obs: obs, c: m.collection(collection), made: map[string]bool{}, freed: map[string]bool{}}
	var errs []error
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && together(edits[0], edits[n]) {
			n++
		}
		now := a.apply(ctx, edits[:n])
		for i, err := range now {
			if err != nil {
				now[i] = &EditError{Edit: edits[i], Err: err}
			}
		}
		errs = append(errs, now...)
		edits = edits[n:]
	}
	return m, errs
}

// together reports whether two edits can be carried out at once: edits of one kind are about different items.
func together(e, other Edit) bool { return reflect.TypeOf(e) == reflect.TypeOf(other) }

type applier struct {
	obs   OBS
	c     *CollectionMemory
	made  map[string]bool // inputs made by an earlier edit
	freed map[string]bool // inputs of items removed by an earlier edit
}

// apply carries out edits of one kind.
func (a *applier) apply(ctx context.Context, edits []Edit) []error {
	if err := ctx.Err(); err != nil {
		return slices.Repeat([]error{err}, len(edits))
	}
	switch edits[0].(type) {
	case AddItem:
		return a.add(ctx, of[AddItem](edits))
	case RemoveItem:
		return a.remove(ctx, of[RemoveItem](edits))
	case EnableItem:
		return a.enable(ctx, of[EnableItem](edits))
	case PlaceItem:
		return a.place(ctx, of[PlaceItem](edits))
	}
	errs := make([]error, len(edits))
	for i, e := range edits {
		switch e := e.(type) {
		case KeepLook:
			a.c.scene(e.Scene).Last = &e.Look
		case SetSettings:
			if errs[i] = a.obs.SetInputSettings(ctx, e.Input, e.Settings, e.Replace); errs[i] == nil && e.Replace {
				delete(a.c.Was, e.Input)
			}
		default:
			errs[i] = fmt.Errorf("unknown edit %T", e)
		}
	}
	return errs
}

// of converts edits that are all of one kind.
func of[E Edit](edits []Edit) []E {
	out := make([]E, len(edits))
	for i, e := range edits {
		out[i] = e.(E)
	}
	return out
}

// add makes items hidden, so that they are never seen in a wrong place on the stream. The memory has an item as soon as it
// is made; what fails after that is left to the next Plan.
func (a *applier) add(ctx context.Context, edits []AddItem) []error {
	done := a.create(ctx, edits)
	errs := make([]error, len(edits))
	var shown []int // which edits make visible items
	var show []Task
	for i, e := range edits {
		if errs[i] = done[i].Err; done[i].Item == 0 {
			continue
		}
		sm := a.c.scene(e.Scene)
		sm.Adding = false
		im := &ItemMemory{Ours: !e.User, Live: a.c.Present, Look: e.Look}
		sm.set(done[i].Item, im)
		if errs[i] != nil {
			continue
		}
		im.Placed = &e.Look.Transform
		if e.Enable {
			shown = append(shown, i)
			show = append(show, Task{Scene: e.Scene, Item: done[i].Item, Enable: &e.Enable})
		}
	}
	for n, d := range a.do(ctx, show) {
		i := shown[n]
		im := a.c.item(edits[i].Scene, done[i].Item)
		im.Enabled, im.Pending, errs[i] = d.Err == nil, d.Err != nil, d.Err
	}
	return errs
}

// do makes OBS carry out tasks, if there are any.
func (a *applier) do(ctx context.Context, tasks []Task) []Done {
	if len(tasks) == 0 {
		return nil
	}
	return a.obs.Do(ctx, tasks)
}

// create makes items, and the inputs that do not exist.
func (a *applier) create(ctx context.Context, edits []AddItem) []Done {
	done := make([]Done, len(edits))
	for begin := 0; begin < len(edits); {
		var tasks []Task
		for _, e := range edits[begin:] {
			if !e.Exists && !a.made[e.Input] {
				break
			}
			tasks = append(tasks, settled(e, 0))
		}
		for i, d := range a.do(ctx, tasks) {
			done[begin+i] = d
			// The input may have disappeared, if its last item was removed just before the plan.
			if e := edits[begin+i]; errors.Is(d.Err, ErrNotFound) && d.Item == 0 {
				done[begin+i] = a.createAnew(ctx, e)
			}
		}
		begin += len(tasks)
		if begin < len(edits) {
			done[begin] = a.createAnew(ctx, edits[begin])
			begin++
		}
	}
	return done
}

// createAnew makes an item of an input that does not exist, unless it was made meanwhile.
func (a *applier) createAnew(ctx context.Context, e AddItem) Done {
	switch {
	case a.made[e.Input]:
		return a.obs.Do(ctx, []Task{settled(e, 0)})[0]
	case e.Create == nil:
		return Done{Err: ErrNotFound}
	}
	return a.createInput(ctx, e)
}

// settled is the task that gives a new item its look, except that it stays hidden.
func settled(e AddItem, item int) Task {
	return Task{Scene: e.Scene, Item: item, Input: e.Input, Place: &e.Look.Transform, Index: e.Index, Lock: e.Look.Locked}
}

// nameLimit is how long OBS may keep the name of a removed input: 0.5 s on an idle machine, over 1 s on a busy one
// (measured, 29.0.2).
const nameLimit = 3 * time.Second

// createInput makes an input with its first item. The name of an input whose last item was just removed is free only when
// OBS's window has let go of it, so a taken name is tried again for a moment.
func (a *applier) createInput(ctx context.Context, e AddItem) Done {
	var id int
	taken := func(err error) bool { return errors.Is(err, ErrExists) && a.freed[e.Input] }
	err := retry(ctx, nameLimit, 20*time.Millisecond, taken, func() (err error) {
		id, err = a.obs.CreateInput(ctx, e.Scene, e.Input, e.Create.Kind, e.Create.Settings, false)
		return err
	})
	if err != nil {
		return Done{Err: err}
	}
	a.made[e.Input] = true
	return a.obs.Do(ctx, []Task{settled(e, id)})[0]
}

func (a *applier) remove(ctx context.Context, edits []RemoveItem) []error {
	tasks, errs := make([]Task, len(edits)), make([]error, len(edits))
	for i, e := range edits {
		tasks[i] = Task{Scene: e.Scene, Item: e.Item, Remove: true}
	}
	for i, d := range a.do(ctx, tasks) {
		e := edits[i]
		if d.Err != nil && !errors.Is(d.Err, ErrNotFound) {
			errs[i] = d.Err
			continue
		}
		a.freed[e.Input] = true
		sm := a.c.scene(e.Scene)
		if im := sm.Items[e.Item]; im != nil && im.Ours && !e.User {
			sm.Again = true
		}
		sm.forget(e.Item)
	}
	return errs
}

func (a *applier) enable(ctx context.Context, edits []EnableItem) []error {
	tasks, errs := make([]Task, len(edits)), make([]error, len(edits))
	for i, e := range edits {
		tasks[i] = Task{Scene: e.Scene, Item: e.Item, Enable: &e.Enable}
	}
	for i, d := range a.do(ctx, tasks) {
		e := edits[i]
		errs[i] = d.Err
		if im := a.c.item(e.Scene, e.Item); im != nil && d.Err == nil {
			im.Enabled, im.Pending = e.Enable, false
			if !e.Enable && !a.c.Present {
				im.Live, im.Parked = false, true
			}
		}
	}
	return errs
}

func (a *applier) place(ctx context.Context, edits []PlaceItem) []error {
	tasks, errs := make([]Task, len(edits)), make([]error, len(edits))
	for i, e := range edits {
		tasks[i] = Task{Scene: e.Scene, Item: e.Item, Place: &e.Look.Transform, Index: e.Index, Lock: e.Look.Locked}
	}
	for i, d := range a.do(ctx, tasks) {
		e := edits[i]
		errs[i] = d.Err
		if im := a.c.item(e.Scene, e.Item); im != nil && d.Err == nil {
			im.Look, im.Placed = e.Look, &e.Look.Transform
		}
	}
	return errs
}
