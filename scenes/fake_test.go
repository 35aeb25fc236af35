// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

var errFault = errors.New("fault")

// fakeOBS is an OBS whose requests fail when told to, which the real one cannot be made to do.
// For all else there are the tests in internal/obsscenes with a real one.
type fakeOBS struct {
	scenes []Scene
	inputs map[string]*Input
	nextID map[string]int
	memory []byte

	writes  []bool // for each call, whether it changes something
	failAt  int    // number of the call that fails, 0 for none
	takes   bool   // it takes effect all the same, as when only its answer is lost
	dead    bool   // all calls after it fail too, as when we crash
	changes int    // calls that would have changed a scene or an input
	during  func() // called before each call
	lock    func(context.Context) (func(), error)
	loading int // looks from now on that find it loading a collection
}

// lane is one of several users of a fake OBS whose calls a test lets through one by one.
type lane struct {
	ask, next, end chan struct{}
	over           bool
}

type laneKey struct{}

// newLane starts do and stops it before its first call.
func newLane(ctx context.Context, do func(context.Context)) *lane {
	l := &lane{ask: make(chan struct{}), next: make(chan struct{}), end: make(chan struct{})}
	go func() {
		defer close(l.end)
		do(context.WithValue(ctx, laneKey{}, l))
	}()
	l.await()
	return l
}

func (l *lane) await() {
	select {
	case <-l.ask:
	case <-l.end:
		l.over = true
	}
}

// step lets n calls through, or all where n is negative.
func (l *lane) step(n int) {
	for ; n != 0 && !l.over; n-- {
		l.next <- struct{}{}
		l.await()
	}
}

func newFakeOBS(names ...string) *fakeOBS {
	f := &fakeOBS{inputs: map[string]*Input{}, nextID: map[string]int{}}
	for _, name := range names {
		f.scenes = append(f.scenes, Scene{Name: name})
	}
	return f
}

// call counts a call and does it, unless it is the one to fail.
func (f *fakeOBS) call(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l, ok := ctx.Value(laneKey{}).(*lane); ok {
		l.ask <- struct{}{}
		<-l.next
	}
	if f.during != nil {
		f.during()
	}
	f.writes = append(f.writes, false)
	n := len(f.writes)
	if f.failAt == 0 || n < f.failAt || n > f.failAt && !f.dead {
		return do()
	}
	if n == f.failAt && f.takes {
		_ = do()
	}
	return errFault
}

// write is a call that changes a scene or an input.
func (f *fakeOBS) write(ctx context.Context, do func() error) error {
	return f.call(ctx, func() error {
		f.writes[len(f.writes)-1] = true
		f.changes++
		return do()
	})
}

func (f *fakeOBS) scene(name string) *Scene {
	for i := range f.scenes {
		if f.scenes[i].Name == name {
			return &f.scenes[i]
		}
	}
	return nil
}

func (f *fakeOBS) item(scene string, id int) *Item {
	sc := f.scene(scene)
	if sc == nil {
		return nil
	}
	for i := range sc.Items {
		if sc.Items[i].ID == id {
			return &sc.Items[i]
		}
	}
	return nil
}

// change does something to an item.
func (f *fakeOBS) change(ctx context.Context, scene string, id int, do func(*Item)) error {
	return f.write(ctx, func() error {
		it := f.item(scene, id)
		if it == nil {
			return ErrNotFound
		}
		do(it)
		return nil
	})
}

func (f *fakeOBS) put(scene, source string, enabled bool) int {
	f.nextID[scene]++
	sc := f.scene(scene)
	sc.Items = append(sc.Items, Item{ID: f.nextID[scene], Source: source, Enabled: enabled, Transform: Transform{ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsNone}})
	return f.nextID[scene]
}

func (f *fakeOBS) remove(scene string, id int) {
	sc := f.scene(scene)
	source := f.item(scene, id).Source
	sc.Items = slices.DeleteFunc(sc.Items, func(it Item) bool { return it.ID == id })
	for _, other := range f.scenes {
		if slices.ContainsFunc(other.Items, func(it Item) bool { return it.Source == source }) {
			return
		}
	}
	delete(f.inputs, source)
}

func (f *fakeOBS) Canvas(ctx context.Context) (s Size, err error) {
	return hd, f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) Collection(ctx context.Context) (string, error) {
	return "C", f.call(ctx, func() error {
		if f.loading > 0 {
			f.loading--
			return ErrChanging
		}
		return nil
	})
}

func (f *fakeOBS) Program(ctx context.Context) (string, error) {
	return f.scenes[0].Name, f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) Studio(ctx context.Context) (bool, error) {
	return false, f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) Inputs(ctx context.Context) (list []Input, err error) {
	for _, name := range slices.Sorted(maps.Keys(f.inputs)) {
		list = append(list, Input{Name: name, Kind: f.inputs[name].Kind})
	}
	return list, f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) InputSettings(ctx context.Context, input string) (settings map[string]any, err error) {
	err = f.call(ctx, func() error {
		in := f.inputs[input]
		if in == nil {
			return ErrNotFound
		}
		settings = maps.Clone(in.Settings)
		return nil
	})
	return settings, err
}

func (f *fakeOBS) SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error {
	return f.write(ctx, func() error {
		in := f.inputs[input]
		if in == nil {
			return ErrNotFound
		}
		if replace {
			in.Settings = map[string]any{}
		}
		maps.Copy(in.Settings, settings)
		return nil
	})
}

func (f *fakeOBS) Scenes(ctx context.Context) (names []string, err error) {
	for _, sc := range f.scenes {
		names = append(names, sc.Name)
	}
	return names, f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) Items(ctx context.Context, scene string, _ bool) (list []Item, err error) {
	return slices.Clone(f.scene(scene).Items), f.call(ctx, func() error { return nil })
}

func (f *fakeOBS) CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (id int, err error) {
	err = f.write(ctx, func() error {
		if f.inputs[name] != nil {
			return ErrExists
		}
		f.inputs[name] = &Input{Name: name, Kind: kind, Settings: maps.Clone(settings)}
		id = f.put(scene, name, enabled)
		return nil
	})
	return id, err
}

func (f *fakeOBS) CreateItem(ctx context.Context, scene, input string, enabled bool) (id int, err error) {
	err = f.write(ctx, func() error {
		if f.inputs[input] == nil {
			return ErrNotFound
		}
		id = f.put(scene, input, enabled)
		return nil
	})
	return id, err
}

func (f *fakeOBS) RemoveItem(ctx context.Context, scene string, id int) error {
	return f.change(ctx, scene, id, func(*Item) { f.remove(scene, id) })
}

func (f *fakeOBS) SetItemEnabled(ctx context.Context, scene string, id int, enabled bool) error {
	return f.change(ctx, scene, id, func(it *Item) { it.Enabled = enabled })
}

func (f *fakeOBS) SetItemTransform(ctx context.Context, scene string, id int, t Transform) error {
	return f.change(ctx, scene, id, func(it *Item) { it.Transform = t })
}

func (f *fakeOBS) SetItemIndex(ctx context.Context, scene string, id, index int) error {
	return f.change(ctx, scene, id, func(it *Item) {
		moved, sc := *it, f.scene(scene)
		sc.Items = slices.DeleteFunc(sc.Items, func(other Item) bool { return other.ID == id })
		sc.Items = slices.Insert(sc.Items, index, moved)
	})
}

func (f *fakeOBS) SetItemLocked(ctx context.Context, scene string, id int, locked bool) error {
	return f.change(ctx, scene, id, func(it *Item) { it.Locked = locked })
}

func (f *fakeOBS) Lock(ctx context.Context) (func(), error) {
	if f.lock == nil {
		return func() {}, nil
	}
	return f.lock(ctx)
}

func (f *fakeOBS) LoadMemory(ctx context.Context) (m Memory, err error) {
	err = f.call(ctx, func() error {
		if f.memory == nil {
			return nil
		}
		return json.Unmarshal(f.memory, &m)
	})
	return m, err
}

func (f *fakeOBS) SaveMemory(ctx context.Context, m Memory) error {
	return f.call(ctx, func() (err error) {
		f.writes[len(f.writes)-1] = true
		f.memory, err = json.Marshal(m)
		return err
	})
}
