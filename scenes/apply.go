// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// EditError says which edit failed.
type EditError struct {
	Edit Edit
	Err  error
}

func (e *EditError) Error() string { return fmt.Sprintf("cannot %v: %v", e.Edit, e.Err) }

func (e *EditError) Unwrap() error { return e.Err }

// Apply carries out edits that were planned for a scene collection, in order. It returns what is
// to be remembered after them and for each edit nil or an *EditError. An edit that fails does not stop
// the others, unless ctx has ended. What is to be gone and is gone already is no failure.
func Apply(ctx context.Context, obs OBS, collection string, edits []Edit, m Memory) (Memory, []error) {
	m = m.clone()
	a := &applier{obs: obs, c: m.collection(collection), made: map[string]bool{}, freed: map[string]bool{}}
	errs := make([]error, len(edits))
	for i, e := range edits {
		err := ctx.Err()
		if err == nil {
			err = a.apply(ctx, e)
		}
		if err != nil {
			errs[i] = &EditError{Edit: e, Err: err}
		}
	}
	return m, errs
}

type applier struct {
	obs   OBS
	c     *CollectionMemory
	made  map[string]bool // inputs made by an earlier edit
	freed map[string]bool // inputs of items removed by an earlier edit
}

func (a *applier) apply(ctx context.Context, e Edit) error {
	switch e := e.(type) {
	case AddItem:
		return a.add(ctx, e)
	case RemoveItem:
		return a.remove(ctx, e)
	case EnableItem:
		return a.enable(ctx, e)
	case PlaceItem:
		return a.place(ctx, e)
	case KeepLook:
		a.c.scene(e.Scene).Last = &e.Look
		return nil
	case SetSettings:
		if err := a.obs.SetInputSettings(ctx, e.Input, e.Settings, e.Replace); err != nil {
			return err
		}
		if e.Replace {
			delete(a.c.Was, e.Input)
		}
		return nil
	}
	return fmt.Errorf("unknown edit %T", e)
}

// add makes the item unseen, so that it never flashes up at a wrong place on the stream.
// Once it is made, the memory has it, and what fails after that is for the next Plan.
func (a *applier) add(ctx context.Context, e AddItem) error {
	var id int
	err := ErrNotFound
	if e.Exists || a.made[e.Input] {
		id, err = a.obs.CreateItem(ctx, e.Scene, e.Input, false)
	}
	// An input whose last item was removed just before the plan may be gone by now.
	if errors.Is(err, ErrNotFound) && e.Create != nil {
		id, err = a.create(ctx, e)
	}
	if err != nil {
		return err
	}
	a.made[e.Input] = true
	sm := a.c.scene(e.Scene)
	sm.Adding = false
	im := &ItemMemory{Ours: !e.User, Live: a.c.Present, Look: e.Look}
	sm.set(id, im)
	if err := a.settle(ctx, e.Scene, id, e.Look, e.Index); err != nil {
		return err
	}
	im.Placed = &e.Look.Transform
	if e.Enable {
		if err := a.obs.SetItemEnabled(ctx, e.Scene, id, true); err != nil {
			im.Pending = true
			return err
		}
		im.Enabled = true
	}
	return nil
}

// nameLimit is how long OBS may keep the name of an input that was removed: 0.5 s on an idle machine,
// over 1 s on a busy one (measured, 29.0.2).
const nameLimit = 3 * time.Second

// create makes the input. One whose last item has just been removed keeps its name for as long as
// OBS's window refers to it, so a taken name is tried again for a moment.
func (a *applier) create(ctx context.Context, e AddItem) (int, error) {
	var id int
	taken := func(err error) bool { return errors.Is(err, ErrExists) && a.freed[e.Input] }
	err := retry(ctx, nameLimit, 20*time.Millisecond, taken, func() (err error) {
		id, err = a.obs.CreateInput(ctx, e.Scene, e.Input, e.Create.Kind, e.Create.Settings, false)
		return err
	})
	return id, err
}

func (a *applier) remove(ctx context.Context, e RemoveItem) error {
	err := a.obs.RemoveItem(ctx, e.Scene, e.Item)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	a.freed[e.Input] = true
	sm := a.c.scene(e.Scene)
	if im := sm.Items[e.Item]; im != nil && im.Ours && !e.User {
		sm.Again = true
	}
	sm.forget(e.Item)
	return nil
}

func (a *applier) enable(ctx context.Context, e EnableItem) error {
	if err := a.obs.SetItemEnabled(ctx, e.Scene, e.Item, e.Enable); err != nil {
		return err
	}
	if im := a.c.item(e.Scene, e.Item); im != nil {
		im.Enabled, im.Pending = e.Enable, false
		if !e.Enable && !a.c.Present {
			im.Live, im.Parked = false, true
		}
	}
	return nil
}

func (a *applier) place(ctx context.Context, e PlaceItem) error {
	if err := a.settle(ctx, e.Scene, e.Item, e.Look, e.Index); err != nil {
		return err
	}
	if im := a.c.item(e.Scene, e.Item); im != nil {
		im.Look, im.Placed = e.Look, &e.Look.Transform
	}
	return nil
}

// settle makes an item look as it should, but for its eye.
func (a *applier) settle(ctx context.Context, scene string, id int, look Look, index int) error {
	if err := a.obs.SetItemTransform(ctx, scene, id, look.Transform); err != nil {
		return err
	}
	if index >= 0 {
		if err := a.obs.SetItemIndex(ctx, scene, id, index); err != nil {
			return err
		}
	}
	if look.Locked {
		return a.obs.SetItemLocked(ctx, scene, id, true)
	}
	return nil
}
