// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/andreykaipov/goobs/api/typedefs"
)

// SourceID is how a request names a source or scene: by its UUID if it has one here, else by its name, which means what the
// user has.
type SourceID struct{ Name, UUID string }

// named is a source or scene of the user.
func named(name string) SourceID { return SourceID{Name: name} }

// fields are the two fields of a request for a name and a UUID.
func (id SourceID) fields() (name, uuid *string) {
	if id.UUID != "" {
		return nil, &id.UUID
	}
	return &id.Name, nil
}

// PrivateScenes are scenes that are in no list of OBS and in no file. A script in OBS makes them, because no request does.
// They have only UUIDs, and there are no events about them. "Making" a scene takes a free one, and "removing" one empties
// it. If OBS does not have them, or not enough, scenes are made in the user's list instead. OBS accepts UUIDs since 30.1.
//
// Several connections to the same OBS may share them; the methods are safe for concurrent use.
type PrivateScenes struct {
	uuids []string

	mu     sync.Mutex
	listed bool
	unfit  bool              // OBS has refused to put something into one
	gone   bool              // one that was in use has disappeared
	free   []string          // UUIDs of those without a name; empty while scenes are made in the user's list
	names  map[string]string // of those in use, by UUID
}

// NewPrivateScenes returns the private scenes with these UUIDs, before OBS was asked for them.
func NewPrivateScenes(uuids []string) *PrivateScenes { return &PrivateScenes{uuids: uuids} }

// SetListed says whether scenes must be made in the user's list even if there are private ones, from the next
// [PrivateView.Settle] on.
func (p *PrivateScenes) SetListed(listed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listed = listed
}

// Source is what a name means: a private scene, or else what the user has of that name.
func (p *PrivateScenes) Source(name string) SourceID {
	p.mu.Lock()
	defer p.mu.Unlock()
	for uuid, of := range p.names {
		if of == name {
			return SourceID{Name: name, UUID: uuid}
		}
	}
	return named(name)
}

// On returns a connection's view that includes the private scenes.
func (p *PrivateScenes) On(c *Client) PrivateView { return PrivateView{Client: c, private: p} }

// reset marks those as free that OBS has, or none if none must be used. It reports whether there are any.
func (p *PrivateScenes) reset(there []string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free, p.names, p.gone = there, make(map[string]string), false
	if p.listed || p.unfit {
		p.free = nil
	}
	return len(p.free) > 0
}

// lost notes that a private scene in use has disappeared.
func (p *PrivateScenes) lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

func (p *PrivateScenes) areGone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// take gives a private scene a name, if one is free.
func (p *PrivateScenes) take(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return false
	}
	p.names[p.free[0]], p.free = name, p.free[1:]
	return true
}

// give frees a private scene.
func (p *PrivateScenes) give(uuid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, used := p.names[uuid]; used {
		delete(p.names, uuid)
		p.free = append(p.free, uuid)
	}
}

// spoil makes all scenes in the user's list from now on.
func (p *PrivateScenes) spoil() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unfit, p.free, p.names = true, nil, nil
}

// used are the names of the private scenes in use, by UUID.
func (p *PrivateScenes) used() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.names)
}

// nameItems gives the private scenes among items their names.
func (p *PrivateScenes) nameItems(items []*typedefs.SceneItem) {
	used := p.used()
	for _, it := range items {
		if name, private := used[it.SourceUuid]; private {
			it.SourceName = name
		}
	}
}

// PrivateView is a Client whose methods also know the private scenes by their names, which take precedence over the user's
// list. It makes private scenes if there are any.
type PrivateView struct {
	*Client
	private *PrivateScenes
}

// Settle decides again where scenes are made, and empties all private scenes. It reports whether private scenes are used.
// They are not if OBS does not have them or has refused to put something into one.
func (v PrivateView) Settle(ctx context.Context) (private bool, err error) {
	if !v.version.has(takesUUIDs) {
		return false, nil
	}
	there, err := v.empty(ctx, v.private.uuids)
	if err != nil {
		return false, err
	}
	return v.private.reset(there), nil
}

// empty removes everything from private scenes, and returns those that OBS has.
func (v PrivateView) empty(ctx context.Context, uuids []string) (there []string, err error) {
	look, remove := v.byUUID(), v.byUUID()
	items, filters := make([]*Answer[[]SceneItem], len(uuids)), make([]*Answer[[]Filter], len(uuids))
	for i, uuid := range uuids {
		items[i], filters[i] = look.SceneItems(uuid), look.Filters(uuid)
	}
	if err := look.Do(ctx); err != nil {
		return nil, err
	}
	var removed []*Answer[Nothing]
	for i, uuid := range uuids {
		if err := errors.Join(unlessGone(items[i].Err), unlessGone(filters[i].Err)); err != nil {
			return nil, err
		}
		if items[i].Err == nil && filters[i].Err == nil {
			there = append(there, uuid)
		}
		for _, it := range items[i].Value {
			removed = append(removed, remove.RemoveSceneItem(uuid, it.ID))
		}
		for _, f := range filters[i].Value {
			removed = append(removed, remove.RemoveFilter(uuid, f.Name))
		}
	}
	if err := remove.Do(ctx); err != nil {
		return nil, err
	}
	for _, r := range removed {
		if err := unlessGone(r.Err); err != nil {
			return nil, err
		}
	}
	return there, nil
}

// byUUID is an empty batch in which names are UUIDs.
func (v PrivateView) byUUID() *Batch {
	return &Batch{client: v.Client, source: func(uuid string) SourceID { return SourceID{UUID: uuid} }}
}

// unlessGone returns the error, or nil if it says that something does not exist.
func unlessGone(err error) error {
	if IsCode(err, CodeNotFound) {
		return nil
	}
	return err
}

// Private lists what is in the private scenes, whoever put it there.
func (v PrivateView) Private(ctx context.Context) ([]SceneItem, error) {
	if !v.version.has(takesUUIDs) {
		return nil, nil
	}
	b := v.byUUID()
	var answers []*Answer[[]SceneItem]
	for _, uuid := range v.private.uuids {
		answers = append(answers, b.SceneItems(uuid))
	}
	if err := b.Do(ctx); err != nil {
		return nil, err
	}
	var all []SceneItem
	for _, a := range answers {
		if err := unlessGone(a.Err); err != nil {
			return nil, err
		}
		all = append(all, a.Value...)
	}
	return all, nil
}

// Scenes lists the user's scenes as [Client.Scenes] does, followed by the private ones in use that have other names. If a
// private one has disappeared, Scenes calls Settle.
func (v PrivateView) Scenes(ctx context.Context) ([]string, error) {
	list, err := v.SceneList(ctx, v.Batch())
	return list.Names, err
}

// SceneList sends a batch that also asks for what Scenes lists and for the programme scene.
func (v PrivateView) SceneList(ctx context.Context, b *Batch) (SceneList, error) {
	main := b.SceneList()
	if err := b.Do(ctx); err != nil {
		return SceneList{}, err
	}
	if main.Err != nil {
		return SceneList{}, main.Err
	}
	list := main.Value
	if v.private.areGone() {
		private, err := v.Settle(ctx)
		v.options.Log.Info("private scenes of ours are gone from OBS", "others used", private)
		return list, err
	}
	for _, name := range slices.Sorted(maps.Values(v.private.used())) {
		if !slices.Contains(list.Names, name) {
			list.Names = append(list.Names, name)
		}
	}
	return list, nil
}

// CreateScene takes a private scene, or makes one in the user's list if none is free.
func (v PrivateView) CreateScene(ctx context.Context, name string) error {
	if v.private.take(name) {
		return nil
	}
	return v.Client.CreateScene(ctx, name)
}

// refused handles the answer to a request that puts something into a private scene, and returns its error.
func (v PrivateView) refused(err error) error {
	if refusal := (*RequestError)(nil); !errors.As(err, &refusal) || refusal.Code == CodeNotFound {
		return err
	}
	v.options.Log.Warn("OBS's private scenes cannot be used, so our scenes come into your list", "error", err)
	v.private.spoil()
	return fmt.Errorf("in a private scene: %w", err)
}

// noteLost handles the answer to a request about a private scene.
func (v PrivateView) noteLost(err error) {
	if IsCode(err, CodeNotFound) {
		v.private.lost()
	}
}

// RemoveScene is [Client.RemoveScene].
func (v PrivateView) RemoveScene(ctx context.Context, name string) error {
	scene := v.private.Source(name)
	if scene.UUID == "" {
		return v.Client.RemoveScene(ctx, name)
	}
	if _, err := v.empty(ctx, []string{scene.UUID}); err != nil {
		return err
	}
	v.private.give(scene.UUID)
	return nil
}

// SceneItems is [Client.SceneItems].
func (v PrivateView) SceneItems(ctx context.Context, scene string) ([]SceneItem, error) {
	b := v.Batch()
	return one(ctx, b, b.SceneItems(scene))
}

// RemoveSceneItem is [Client.RemoveSceneItem].
func (v PrivateView) RemoveSceneItem(ctx context.Context, scene string, id int) error {
	b := v.Batch()
	_, err := one(ctx, b, b.RemoveSceneItem(scene, id))
	return err
}
