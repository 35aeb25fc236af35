// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/costream-obs/costream-obs/obsctl"
)

// slot is where OBS remembers for us which scenes are ours, so that they are removed after a crash of either side.
const slot = "costream-obs.cleanfeed"

// made holds the scenes that we made and what they mirror ("" for the scene for the peer), by scene collection. A scene
// is noted before it is made.
type made map[string]map[string]string

func (m made) has(collection, scene string) bool {
	_, noted := m[collection][scene]
	return noted
}

// mirrors are the names of mirrors, by what they mirror.
func (m made) mirrors(collection string) map[string]string {
	out := make(map[string]string)
	for name, origin := range m[collection] {
		if name != Scene {
			out[origin] = name
		}
	}
	return out
}

// load reads what an earlier run made. What cannot be decoded counts as nothing.
func (f *Feed) load(ctx context.Context, obs OBS) error {
	if f.loaded {
		return nil
	}
	stored := made{}
	_, err := obs.PersistentData(ctx, slot, &stored)
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &syntax) && !errors.As(err, &wrongType) {
		return fmt.Errorf("reading which scenes an earlier run made: %w", err)
	}
	// An OBS that was killed while it wrote its store remembers less than we do.
	for collection, scenes := range f.made {
		if stored[collection] == nil {
			stored[collection] = scenes
		}
	}
	f.made, f.loaded = stored, true
	return nil
}

func (f *Feed) save(ctx context.Context, obs OBS) error {
	if err := obs.SetPersistentData(ctx, slot, f.made); err != nil {
		return fmt.Errorf("noting which scenes are ours: %w", err)
	}
	return nil
}

// errCollection is the state of an OBS that went over to another scene collection while it was looked at.
var errCollection = errors.New("OBS has another scene collection now")

func (f *Feed) makeScene(ctx context.Context, obs OBS, name, origin string) error {
	if now, _, err := obs.Collections(ctx); err != nil {
		return err
	} else if now != f.collection {
		f.reload()
		return errCollection
	}
	if !f.made.has(f.collection, name) {
		if f.made[f.collection] == nil {
			f.made[f.collection] = make(map[string]string)
		}
		f.made[f.collection][name] = origin
		if err := f.save(ctx, obs); err != nil {
			return err
		}
	}
	delete(f.twins, name)
	err := obs.CreateScene(ctx, name)
	if obsctl.IsCode(err, obsctl.CodeAlreadyExists) {
		delete(f.made[f.collection], name)
		return errors.Join(fmt.Errorf("OBS has something else called %q: give that another name in OBS", name), f.save(ctx, obs))
	}
	return err
}

// place settles where our scenes are made, unless that is known. If it is not in the user's list, those that are left
// there from before go.
func (f *Feed) place(ctx context.Context, obs OBS) error {
	if f.placed {
		return nil
	}
	aside, err := obs.Settle(ctx)
	if err != nil {
		return fmt.Errorf("a place for the scenes of the clean feed: %w", err)
	}
	if aside {
		if err := f.Remove(ctx, obs, false); err != nil {
			return err
		}
	}
	f.placed = true
	return nil
}

// Remove takes our scenes out of the scene collection that OBS has loaded, and off our canvas. With keep the scene for the peer stays, and is
// made where it is missing, but empty: OBS's virtual camera looks for it by its name when it is started, by the user too.
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
		if !slices.Contains(names, name) || keep && name == Scene {
			continue
		}
		if err := obs.RemoveScene(ctx, name); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
			return err
		}
		f.log.Info("scene removed", "scene", name)
	}
	f.reload()
	delete(f.made, collection)
	if !keep {
		return f.save(ctx, obs)
	}
	f.collection = collection
	if err := f.keep(ctx, obs, slices.Contains(names, Scene)); err != nil {
		return err
	}
	f.kept = collection
	return f.save(ctx, obs)
}

// keep empties the scene for the peer, or makes it.
func (f *Feed) keep(ctx context.Context, obs OBS, exists bool) error {
	if !exists {
		return f.makeScene(ctx, obs, Scene, "")
	}
	f.made[f.collection] = map[string]string{Scene: ""}
	items, err := obs.SceneItems(ctx, Scene)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := obs.RemoveSceneItem(ctx, Scene, it.ID); err != nil && !obsctl.IsCode(err, obsctl.CodeNotFound) {
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
