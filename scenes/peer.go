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

// How long a command waits while OBS changes its scenes, and how often it looks, so that a user need not type it twice.
// Reconcile does not wait, because its caller has more to do.
const (
	patience  = 2 * time.Second
	lookAgain = 50 * time.Millisecond
)

// Eye is what SetVisible does to the visibility of the peer's items.
type Eye int

// The ways to set the visibility. Toggle hides all if any is visible, and shows all otherwise.
const (
	Hide Eye = iota
	Show
	Toggle
)

// Spot is one item of the peer source.
type Spot struct {
	Scene     string `json:"scene"`
	Group     string `json:"group,omitempty"` // the group in Scene that holds it
	Item      int    `json:"item"`
	Input     string `json:"input"`
	Enabled   bool   `json:"enabled"`
	Ours      bool   `json:"ours"`             // costream-obs added it and will remove it
	Hidden    bool   `json:"hidden"`           // the user hid it
	Programme bool   `json:"programme"`        // Scene is the programme scene
	Layout    string `json:"layout,omitempty"` // what Arrange was asked for, unless it was moved since
}

// State is what Status found.
type State struct {
	Collection string `json:"collection"`
	Input      string `json:"input"` // "" when there is none
	Kind       string `json:"kind"`
	Spots      []Spot `json:"spots"`
	// Nested are the scenes that have the peer only in a scene that they show.
	Nested []Nesting `json:"nested,omitempty"`
}

// Change is one thing that a user's command did.
type Change struct {
	Edit Edit
	// NeedsTransition: studio mode is on, and the programme shows the change only after a transition.
	NeedsTransition bool
}

// Status tells where the peer source is. Patterns narrow the scenes; none means all.
// Errors: *UnknownSceneError, or whatever OBS answered.
func Status(ctx context.Context, obs OBS, src Source, patterns []string) (State, error) {
	h, err := take(ctx, obs, src, patterns, everyScene())
	if err != nil {
		return State{}, err
	}
	state := State{Collection: h.s.Collection, Spots: []Spot{}}
	if len(h.peers) > 0 {
		state.Input, state.Kind = h.peers[0].Name, h.peers[0].Kind
	}
	for _, sc := range h.scope {
		for _, f := range h.itemsOf(sc) {
			im := h.c.item(f.scene.Name, f.item.ID)
			spot := Spot{Scene: sc.Name, Item: f.item.ID, Input: f.item.Source, Enabled: f.item.Enabled,
				Ours: im.Ours, Hidden: im.Hidden, Programme: sc.Name == h.s.Program, Layout: im.Layout}
			if f.scene.Group {
				spot.Group = f.scene.Name
			}
			state.Spots = append(state.Spots, spot)
		}
	}
	state.Nested = h.nestings(h.scope)
	return state, nil
}

// SetVisible shows or hides all items of the peer source, in groups too. It notes that as the user's choice, which also
// applies to items that costream-obs adds later in the same scenes. Patterns narrow the scenes; none means all. What is so
// already is not a Change.
//
// Errors: ErrNoPeerSource, ErrInNoScene, *UnknownSceneError, *NestedError, *EditError values joined. On air the choice is
// noted also with ErrInNoScene.
func SetVisible(ctx context.Context, obs OBS, src Source, patterns []string, eye Eye) ([]Change, error) {
	h, err := takeToChange(ctx, obs, src, patterns, eyesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	items, known := []found{}, false
	for _, sc := range h.scope {
		items = append(items, h.itemsOf(sc)...)
		sm := h.c.Scenes[sc.Name]
		known = known || sm != nil && sm.Last != nil
	}
	if len(h.peers) == 0 && !known && !h.c.Present {
		return nil, ErrNoPeerSource
	}
	show := eye == Show
	if eye == Toggle {
		show = !slices.ContainsFunc(items, func(f found) bool { return f.item.Enabled })
	}
	for _, sc := range h.scope {
		if sm := h.c.Scenes[sc.Name]; sm != nil && sm.Last != nil {
			sm.Last.hide(!show, h.c.Present)
		}
	}
	var edits []Edit
	for _, f := range items {
		im := h.c.item(f.scene.Name, f.item.ID)
		im.hide(!show, h.c.Present)
		im.Kept = show && h.c.Present && !h.c.Visible
		if e := (EnableItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, Enable: show}); f.item.Enabled != show && !slices.Contains(edits, Edit(e)) {
			im.Pending = true
			edits = append(edits, e)
		}
	}
	changes, err := h.carryOut(ctx, edits)
	if err == nil && len(items) == 0 {
		// Off air it is enough to note the choice for the next time.
		err = h.nothingToSee(patterns, known && !h.c.Present)
	}
	return changes, err
}

// nothingToSee is the error of a command that found no item to show or hide, or nil if noting the choice is enough.
func (h *hand) nothingToSee(patterns []string, enough bool) error {
	if len(patterns) > 0 {
		if err := h.unchanged(h.scope); err != nil {
			return err
		}
	}
	switch {
	case enough:
		return nil
	case len(patterns) > 0:
		return fmt.Errorf("%w that --scene matches: add it there with `costream-obs peer add`, or name another scene with --scene", ErrInNoScene)
	default:
		return fmt.Errorf("%w: add it with `costream-obs peer add`", ErrInNoScene)
	}
}

// Add puts the peer source into the scenes that match the patterns, or into the programme scene without any, as if the user
// had done it: costream-obs shows and hides it but does not remove it. A scene that has it already does not change.
//
// Errors: ErrNoPeerSource if there is no input and src has no Kind to make one, *UnknownSceneError, *EditError values
// joined.
func Add(ctx context.Context, obs OBS, src Source, patterns []string, layouts Layouts) ([]Change, error) {
	h, err := takeToChange(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	if err := layouts.Check(h.s.Collection, h.sceneNames()); err != nil {
		return nil, err
	}
	if len(h.peers) == 0 && src.Kind == "" {
		return nil, ErrNoPeerSource
	}
	input := freeName(src.Name, h.s, nil)
	if len(h.peers) > 0 {
		input = h.peers[0].Name
	}
	var edits []Edit
	for _, sc := range h.scope {
		if len(h.itemsOf(sc)) > 0 || len(patterns) == 0 && sc.Name != h.s.Program {
			continue
		}
		look := h.lookIn(sc, false, layouts, h.c.Picture)
		look.Hidden = false
		edits = append(edits, AddItem{Scene: sc.Name, Input: input, Exists: len(h.peers) > 0, Create: src.creation(), Look: look,
			Index: indexFor(look, sc.Items), Enable: !h.c.Present || h.c.Visible, User: true})
	}
	return h.carryOut(ctx, edits)
}

// Remove removes every item of the peer source from the scenes that match the patterns, or from all without any, whoever
// added it. The next Add restores their place.
//
// Errors: ErrNoPeerSource, *UnknownSceneError, *NestedError, ErrInGroup and *EditError values joined.
func Remove(ctx context.Context, obs OBS, src Source, patterns []string) ([]Change, error) {
	h, err := takeToChange(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	if len(h.peers) == 0 {
		return nil, ErrNoPeerSource
	}
	var edits []Edit
	var errs []error
	for _, sc := range h.scope {
		for _, f := range h.itemsOf(sc) {
			if f.scene.Group {
				errs = append(errs, fmt.Errorf("scene %q: %w %q: delete it in OBS, or type `costream-obs peer hide`", sc.Name, ErrInGroup, f.scene.Name))
				continue
			}
			h.c.scene(sc.Name).Deleted = h.c.Present
			if e := (RemoveItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, User: true}); !slices.Contains(edits, Edit(e)) {
				edits = append(edits, e)
			}
		}
	}
	changes, err := h.carryOut(ctx, edits)
	if err == nil && len(edits)+len(errs) == 0 && len(patterns) > 0 {
		err = h.unchanged(h.scope)
	}
	return changes, errors.Join(append(errs, err)...)
}

// hand is a view for commands of the user.
type hand struct {
	*view
	obs            OBS
	before, memory Memory
	scope          []*Scene // scenes that match the patterns; no groups
	layouts        Layouts  // the configured ones, where they matter
	release        func()   // unlocks the memory
}

// take is for commands that change nothing.
func take(ctx context.Context, obs OBS, src Source, patterns []string, f focus) (*hand, error) {
	return takeAs(ctx, obs, src, patterns, f, func() (func(), error) { return func() {}, nil })
}

// takeToChange is for commands that change something. Nobody else can until the hand is released.
func takeToChange(ctx context.Context, obs OBS, src Source, patterns []string, f focus) (*hand, error) {
	return takeAs(ctx, obs, src, patterns, f, func() (func(), error) { return obs.Lock(ctx) })
}

func takeAs(ctx context.Context, obs OBS, src Source, patterns []string, f focus, lock func() (func(), error)) (h *hand, err error) {
	changing := func(err error) bool { return errors.Is(err, ErrChanging) }
	err = retry(ctx, patience, lookAgain, changing, func() error {
		release, err := lock()
		if err != nil {
			return err
		}
		m, s, err := look(ctx, obs, "", src, f)
		if err == nil {
			h = newHand(obs, src, m, s, release)
			err = h.confirm(ctx, f)
		}
		if err != nil {
			release() // OBS may be changing its scenes for long.
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	names := h.sceneNames()
	if err := CheckScenes(patterns, h.s.Collection, names); err != nil {
		h.release()
		return nil, err
	}
	if len(patterns) > 0 {
		names = Matching(patterns, names)
	}
	for _, name := range names {
		h.scope = append(h.scope, h.scenes[name])
	}
	return h, nil
}

func newHand(obs OBS, src Source, m Memory, s Snapshot, release func()) *hand {
	h := &hand{obs: obs, before: m, memory: m.clone(), release: release}
	c := h.memory.collection(s.Collection)
	// Only Reconcile distinguishes OBS processes; a single command cannot know the previous one.
	s.Session = c.Session
	h.view = newView(s, src, c)
	h.observe()
	return h
}

// confirm asks for the name of the scene collection where it is assumed, unless nothing can come of it. Where all is as it
// is remembered, who works on eyes changes nothing but them and the user's wish. In a copy of the collection, which may look
// the same, both do the same; and in the collection itself the eyes are other than remembered then, so that the next look
// takes the wish from them.
func (h *hand) confirm(ctx context.Context, f focus) error {
	if !h.s.Assumed || f.eyes && reflect.DeepEqual(h.before.clone(), h.memory) {
		return nil
	}
	name, err := h.obs.Collection(ctx)
	if err == nil && name != h.s.Collection {
		err = ErrChanging
	}
	return err
}

// carryOut applies the edits and stores the memory only once, because a person is waiting. A crash before that does no harm:
// the edits then look like the user's own, which they are.
func (h *hand) carryOut(ctx context.Context, edits []Edit) ([]Change, error) {
	waits := map[string]bool{}
	for _, e := range edits {
		waits[e.String()] = h.needsTransition([]Edit{e}) != ""
	}
	obs, stored := h.obs, h.before
	var with *saving
	if foreseeable(edits) {
		foreseen, _ := Apply(ctx, willing{}, h.s.Collection, edits, h.memory)
		with = &saving{OBS: h.obs, memory: foreseen}
		obs = with
	}
	done, after, err := carryOut(ctx, obs, h.s.Collection, edits, h.memory)
	if with != nil && with.saved {
		stored = with.memory
	}
	var changes []Change
	for _, e := range done {
		changes = append(changes, Change{Edit: e, NeedsTransition: waits[e.String()]})
	}
	return changes, errors.Join(err, store(ctx, h.obs, stored, after))
}

// foreseeable reports whether all edits are carried out at once and the memory after them is known before, if none fails.
func foreseeable(edits []Edit) bool {
	if len(edits) == 0 {
		return false
	}
	switch edits[0].(type) {
	case EnableItem, RemoveItem, PlaceItem:
	default:
		return false
	}
	return !slices.ContainsFunc(edits, func(e Edit) bool { return !together(edits[0], e) })
}

// willing is an OBS that carries out foreseeable edits without doing anything.
type willing struct{ OBS }

func (willing) Do(_ context.Context, tasks []Task) []Done {
	done := make([]Done, len(tasks))
	for i, t := range tasks {
		done[i].Item = t.Item
	}
	return done
}

// saving is an OBS that stores a memory in the round trip in which it does things.
type saving struct {
	OBS
	memory Memory
	saved  bool
}

func (s *saving) Do(ctx context.Context, tasks []Task) []Done {
	done := s.OBS.Do(ctx, append(slices.Clip(tasks), Task{Save: &s.memory}))
	s.saved = done[len(tasks)].Err == nil
	return done[:len(tasks)]
}
