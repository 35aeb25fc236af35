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
	loading int      // looks from now on that find it loading a collection
	assumed string   // the name of the collection until it is asked for
	looked  []string // scenes and groups whose items were listed
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

func (f *fakeOBS) standing() Standing {
	st := Standing{Collection: "C", Program: f.scenes[0].Name}
	if f.assumed != "" {
		st.Collection, st.Assumed = f.assumed, true
	}
	for _, sc := range f.scenes {
		if !sc.Group {
			st.Scenes = append(st.Scenes, sc.Name)
		}
	}
	return st
}

func (f *fakeOBS) Collection(ctx context.Context) (name string, err error) {
	err = f.call(ctx, func() error {
		f.assumed, name = "", "C"
		return nil
	})
	return name, err
}

func (f *fakeOBS) Overview(ctx context.Context) (o Overview, err error) {
	err = f.call(ctx, func() error {
		if f.loading > 0 {
			f.loading--
			return ErrChanging
		}
		o = Overview{Standing: f.standing(), Canvas: hd}
		for _, name := range slices.Sorted(maps.Keys(f.inputs)) {
			o.Inputs = append(o.Inputs, Input{Name: name, Kind: f.inputs[name].Kind})
		}
		for _, sc := range f.scenes {
			if sc.Group {
				o.Groups = append(o.Groups, sc.Name)
			}
		}
		if f.memory == nil {
			return nil
		}
		return json.Unmarshal(f.memory, &o.Memory)
	})
	return o, err
}

func (f *fakeOBS) Look(ctx context.Context, q Questions) (a Answers, err error) {
	for _, input := range q.Settings {
		err = f.call(ctx, func() error {
			in := f.inputs[input]
			if in == nil {
				return ErrNotFound
			}
			a.Settings = append(a.Settings, maps.Clone(in.Settings))
			return nil
		})
		if err != nil {
			return a, err
		}
	}
	for _, h := range q.Holding {
		a.Holding = append(a.Holding, len(f.of(h.Scene, h.Input)) > 0)
	}
	for _, of := range q.Eyes {
		var eye EyeState
		if items := f.of(of.Scene, of.Input); len(items) == 1 && items[0].ID == of.Item {
			eye = EyeState{Only: true, Enabled: items[0].Enabled}
		}
		a.Eyes = append(a.Eyes, eye)
	}
	for _, p := range q.Items {
		err = f.call(ctx, func() error {
			sc := f.scene(p.Name)
			if sc == nil || sc.Group != p.Group {
				return ErrNotFound
			}
			f.looked = append(f.looked, p.Name)
			a.Items = append(a.Items, slices.Clone(sc.Items))
			return nil
		})
		if err != nil {
			return a, err
		}
	}
	err = f.call(ctx, func() error {
		a.Standing = f.standing()
		return nil
	})
	return a, err
}

// of are the items of an input in a scene.
func (f *fakeOBS) of(scene, input string) (items []Item) {
	if sc := f.scene(scene); sc != nil {
		items = slices.DeleteFunc(slices.Clone(sc.Items), func(it Item) bool { return it.Source != input })
	}
	return items
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

func (f *fakeOBS) Do(ctx context.Context, tasks []Task) (done []Done) {
	for _, t := range tasks {
		if t.Save != nil {
			done = append(done, Done{Err: f.SaveMemory(ctx, *t.Save)})
			continue
		}
		done = append(done, f.do(ctx, t))
	}
	return done
}

func (f *fakeOBS) do(ctx context.Context, t Task) (d Done) {
	if d.Item = t.Item; t.Item == 0 {
		var made int
		d.Err = f.write(ctx, func() error {
			if f.inputs[t.Input] == nil {
				return ErrNotFound
			}
			made = f.put(t.Scene, t.Input, false)
			return nil
		})
		if d.Err != nil {
			return d
		}
		d.Item = made
	}
	change := func(do func(*Item)) {
		if d.Err == nil {
			d.Err = f.change(ctx, t.Scene, d.Item, do)
		}
	}
	if t.Remove {
		change(func(*Item) { f.remove(t.Scene, d.Item) })
		return d
	}
	if t.Place != nil {
		change(func(it *Item) { it.Transform = *t.Place })
		if t.Index >= 0 {
			change(func(it *Item) {
				moved, sc := *it, f.scene(t.Scene)
				sc.Items = slices.DeleteFunc(sc.Items, func(other Item) bool { return other.ID == d.Item })
				sc.Items = slices.Insert(sc.Items, t.Index, moved)
			})
		}
		if t.Lock {
			change(func(it *Item) { it.Locked = true })
		}
	}
	if t.Enable != nil {
		change(func(it *Item) { it.Enabled = *t.Enable })
	}
	return d
}

func (f *fakeOBS) Lock(ctx context.Context) (func(), error) {
	if f.lock == nil {
		return func() {}, nil
	}
	return f.lock(ctx)
}

func (f *fakeOBS) SaveMemory(ctx context.Context, m Memory) error {
	return f.call(ctx, func() (err error) {
		f.writes[len(f.writes)-1] = true
		f.memory, err = json.Marshal(m)
		return err
	})
}
