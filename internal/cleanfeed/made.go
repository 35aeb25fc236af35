// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// slot is where OBS remembers for us which scenes are ours, so that they are removed after a crash of either side.
const slot = "costream-obs.cleanfeed"

// Made holds the scenes that we made and what they mirror ("" for the scene for the peer), by scene collection. A scene
// is noted before it is made.
type Made map[string]map[string]string

// Store is where OBS remembers that.
type Store interface {
	PersistentData(ctx context.Context, slot string, into any) (found bool, err error)
}

// LoadMade asks OBS which scenes are ours. What cannot be decoded counts as nothing.
func LoadMade(ctx context.Context, obs Store) (Made, error) {
	stored := Made{}
	_, err := obs.PersistentData(ctx, slot, &stored)
	return stored.read(err)
}

// AskMade adds that question to a batch. read is for after the batch.
func AskMade(b *obsctl.Batch) (read func() (Made, error)) {
	stored := Made{}
	answer := b.PersistentData(slot, &stored)
	return func() (Made, error) { return stored.read(answer.Err) }
}

// read is what was stored, for an error of reading it.
func (m Made) read(err error) (Made, error) {
	if err != nil && !errors.Is(err, obsctl.ErrUndecodable) {
		return nil, fmt.Errorf("reading which scenes an earlier run made: %w", err)
	}
	return m, nil
}

// Has reports whether a scene of a scene collection is ours.
func (m Made) Has(collection, scene string) bool {
	_, noted := m[collection][scene]
	return noted
}

// Scene is the scene for the peer in a scene collection, "" if there is none.
func (m Made) Scene(collection string) string {
	for name, origin := range m[collection] {
		if origin == "" {
			return name
		}
	}
	return ""
}

// mirrors are the names of mirrors, by what they mirror.
func (m Made) mirrors(collection string) map[string]string {
	out := make(map[string]string)
	for name, origin := range m[collection] {
		if origin != "" && origin != spareOrigin {
			out[origin] = name
		}
	}
	return out
}

// load reads what an earlier run made.
func (f *Feed) load(ctx context.Context, obs OBS) error {
	if f.loaded {
		return nil
	}
	stored, err := LoadMade(ctx, obs)
	if err != nil {
		return err
	}
	// An OBS that was killed while it wrote its store remembers less than we do.
	for collection, scenes := range f.made {
		if stored[collection] == nil {
			stored[collection] = scenes
		}
	}
	for collection, scenes := range f.cleaned {
		stored[collection] = scenes
		if len(scenes) == 0 {
			delete(stored, collection)
		}
	}
	f.made = stored
	if len(f.cleaned) > 0 {
		if err := f.save(ctx, obs); err != nil {
			return err
		}
	}
	f.cleaned, f.loaded = nil, true
	f.share()
	return nil
}

// Cleaned has it remembered which scenes of ours are left in a collection that was cleaned while OBS was closed.
func (f *Feed) Cleaned(collection string, left map[string]string) {
	if f.cleaned == nil {
		f.cleaned = Made{}
	}
	f.cleaned[collection], f.loaded = left, false
}

// Made are all scenes of ours that OBS is to remember, also those that are to stay.
func (f *Feed) Made() Made { return maps.Clone(f.made) }

// Left are the scenes of ours that are still to be removed from some collection. Where nothing but the scene that is to
// stay is ours, there are none.
func (f *Feed) Left() Made {
	left := maps.Clone(f.made)
	delete(left, f.kept)
	return left
}

// share makes known what we made.
func (f *Feed) share() {
	made := Made{}
	for collection, scenes := range f.made {
		made[collection] = maps.Clone(scenes)
	}
	f.shared.Store(&made)
}

func (f *Feed) save(ctx context.Context, obs OBS) error {
	f.share()
	if err := obs.SetPersistentData(ctx, slot, f.made); err != nil {
		return fmt.Errorf("%w: %w", errNoting, err)
	}
	return nil
}

// errCollection is the state of an OBS that went over to another scene collection while it was looked at.
var errCollection = errors.New("OBS has another scene collection now")

// errNoting says that OBS does not remember for us.
var errNoting = errors.New("noting which scenes are ours")

// errTaken says that a scene gets another name.
var errTaken = errors.New("the name is taken")

// nameLimit is how long OBS may keep the name of a scene that was removed.
const nameLimit = 3 * time.Second

// makeScenes makes scenes that are missing.
func (f *Feed) makeScenes(ctx context.Context, obs OBS, list []makeScene) error {
	if len(list) == 0 {
		return nil
	}
	for _, e := range list {
		if f.made[f.collection] == nil {
			f.made[f.collection] = make(map[string]string)
		}
		f.made[f.collection][e.Scene] = e.Origin
	}
	f.share()
	b := obs.Batch()
	now, noted := b.Collection(2*collectionKnown), b.SetPersistentData(slot, f.made)
	if err := b.Do(ctx); err != nil {
		return err
	}
	switch {
	case now.Err != nil:
		return now.Err
	case now.Value != f.collection:
		for _, e := range list {
			delete(f.made[f.collection], e.Scene)
		}
		f.reload()
		if err := f.save(ctx, obs); err != nil {
			return err
		}
		return errCollection
	case noted.Err != nil:
		return fmt.Errorf("%w: %w", errNoting, noted.Err)
	}
	for _, e := range list {
		if err := f.done(e, f.makeScene(ctx, obs, e.Scene)); err != nil {
			return err
		}
	}
	return nil
}

// makeScene makes a scene that is noted.
func (f *Feed) makeScene(ctx context.Context, obs OBS, name string) error {
	delete(f.twins, name)
	err := obs.CreateScene(ctx, name)
	if !obsctl.IsCode(err, obsctl.CodeAlreadyExists) || time.Since(f.freed[name]) < nameLimit {
		return err
	}
	f.taken[name] = true
	delete(f.made[f.collection], name)
	if err := f.save(ctx, obs); err != nil {
		return err
	}
	return errTaken
}

// place settles where our scenes are made, unless that is known. If it is not in the user's list, those that are left
// there from before go.
func (f *Feed) place(ctx context.Context, obs OBS) error {
	if f.placed {
		return nil
	}
	private, err := obs.Settle(ctx)
	if err != nil {
		return fmt.Errorf("a place for the scenes of the clean feed: %w", err)
	}
	if private {
		if err := f.Remove(ctx, obs, false); err != nil {
			return err
		}
	}
	f.placed, f.unlisted = true, private
	return nil
}

// Remove takes our scenes out of the scene collection that OBS has loaded, and empties the private ones. With keep the scene for the
// peer, called as wanted, stays, and is made where it is missing, but empty: OBS's virtual camera looks for it by its name
// when it is started, by the user too.
// Remove asks OBS for nothing when there is nothing to do, and for one thing when there may be.
func (f *Feed) Remove(ctx context.Context, obs OBS, keep bool) error {
	if err := f.load(ctx, obs); err != nil || len(f.made) == 0 && !keep {
		return err
	}
	collection, _, err := obs.Collections(ctx)
	if err != nil {
		return err
	}
	ours := f.made[collection]
	if len(ours) == 0 && !keep || keep && f.kept == collection {
		return nil
	}
	if _, err := obs.Settle(ctx); err != nil {
		return err
	}
	names, err := obs.Scenes(ctx)
	if err != nil {
		return err
	}
	if err := f.leave(ctx, obs, ours, names); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if !slices.Contains(names, name) || keep && name == f.wanted {
			continue
		}
		if err := obs.RemoveScene(ctx, name); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
		f.freed[name] = time.Now()
		f.log.Info("scene removed", "scene", name)
	}
	f.reload()
	delete(f.made, collection)
	if keep {
		f.collection = collection
		_, ours := ours[f.wanted]
		if err := f.keep(ctx, obs, slices.Contains(names, f.wanted), ours); err != nil {
			return err
		}
		f.kept = collection
	}
	return f.save(ctx, obs)
}

// keep empties the scene for the peer, or makes it. One that nobody knows of is left as it is; an empty one was left by a
// run of ours of which OBS has forgotten all.
func (f *Feed) keep(ctx context.Context, obs OBS, exists, ours bool) error {
	if !exists {
		if err := f.makeScenes(ctx, obs, []makeScene{{Scene: f.wanted}}); err != nil && !errors.Is(err, errTaken) {
			return err
		}
		return nil
	}
	items, err := obs.SceneItems(ctx, f.wanted)
	if err != nil || len(items) > 0 && !ours {
		return err
	}
	f.made[f.collection] = map[string]string{f.wanted: ""}
	for _, it := range items {
		if err := obs.RemoveSceneItem(ctx, f.wanted, it.ID); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
	}
	return nil
}

// leave makes a scene of the user's the programme if one of ours is, because OBS would choose any.
func (f *Feed) leave(ctx context.Context, obs OBS, ours map[string]string, names []string) error {
	program, err := obs.ProgramScene(ctx)
	if _, is := ours[program]; err != nil || !is {
		return err
	}
	for _, name := range append([]string{ours[program], f.program}, names...) {
		if _, is := ours[name]; !is && slices.Contains(names, name) {
			return obs.SetProgramScene(ctx, name)
		}
	}
	return nil
}
