// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// SourceID is how a request names a source or scene: by the UUID where there is one, and else by the name, which finds
// what stands on OBS's main canvas.
type SourceID struct{ Name, UUID string }

// named is a source or scene of the main canvas.
func named(name string) SourceID { return SourceID{Name: name} }

// fields are those of a request that take a name and a UUID.
func (id SourceID) fields() (name, uuid *string) {
	if id.UUID != "" {
		return nil, &id.UUID
	}
	return &id.Name, nil
}

// SideCanvas is a canvas beside OBS's main one, by its name. The scenes on it are not in the user's list of scenes, have
// names of their own, and no events tell of them. OBS has canvases since 31.1 and requests about them since 32.1; a
// script in OBS makes them, no request does. Whose OBS has no such canvas gets the main one instead: scenes are then made
// in the user's list.
//
// Several connections to the same OBS may share it; its methods are safe for concurrent use.
type SideCanvas struct {
	name string

	mu     sync.Mutex
	listed bool
	unfit  bool              // OBS refused to make something on it
	uuid   string            // of the canvas; empty while scenes are made on the main one
	scenes map[string]string // UUIDs of the scenes on it, by name
}

// NewSideCanvas returns the canvas of that name in an OBS that nothing is known of yet.
func NewSideCanvas(name string) *SideCanvas { return &SideCanvas{name: name} }

// SetListed says whether scenes are to be made in the user's list although there may be a canvas, from the next
// [SideView.Settle] on.
func (s *SideCanvas) SetListed(listed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed = listed
}

// Source is what a name means: a scene on the canvas, or else what the main one has of that name.
func (s *SideCanvas) Source(name string) SourceID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SourceID{Name: name, UUID: s.scenes[name]}
}

// On returns what a connection sees by way of the canvas.
func (s *SideCanvas) On(c *Client) SideView { return SideView{Client: c, side: s} }

func (s *SideCanvas) canvas() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uuid
}

// use takes scenes to stand on the canvas uuid, or on the main one when it is empty.
func (s *SideCanvas) use(uuid string, scenes map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uuid, s.scenes = uuid, scenes
}

// SideView is a Client whose methods know the scenes on a side canvas by their names, too, before those on the main one.
// It makes scenes on the side canvas where there is one.
type SideView struct {
	*Client
	side *SideCanvas
}

// Settle decides anew where scenes are made, and removes all scenes from the side canvas. It reports whether they are
// made on that. They are not where OBS has no such canvas, or one of another size than its own, or has refused to make
// something on it.
func (v SideView) Settle(ctx context.Context) (aside bool, err error) {
	uuid, fits, err := v.find(ctx)
	if err != nil {
		return false, err
	}
	left, err := v.scenesOn(ctx, uuid)
	if err != nil {
		return false, err
	}
	for _, scene := range left {
		if err := v.removeScene(ctx, SourceID{UUID: scene}); err != nil && !IsCode(err, CodeNotFound) {
			return false, err
		}
	}
	v.side.mu.Lock()
	fits = fits && !v.side.listed && !v.side.unfit
	v.side.mu.Unlock()
	if !fits {
		uuid = ""
	}
	v.side.use(uuid, map[string]string{})
	return uuid != "", nil
}

// Look finds the side canvas and what is on it, and changes nothing.
func (v SideView) Look(ctx context.Context) error {
	uuid, _, err := v.find(ctx)
	if err != nil {
		return err
	}
	found, err := v.scenesOn(ctx, uuid)
	if err != nil {
		return err
	}
	v.side.use(uuid, found)
	return nil
}

// find looks for the canvas; uuid is empty where there is none. fits tells whether it is as large as the main one.
func (v SideView) find(ctx context.Context) (uuid string, fits bool, err error) {
	if !v.version.Supports("GetCanvasList") {
		return "", false, nil
	}
	all, err := v.Canvases(ctx)
	if err != nil {
		return "", false, err
	}
	side := slices.IndexFunc(all, func(c Canvas) bool { return !c.Main && c.Name == v.side.name })
	main := slices.IndexFunc(all, func(c Canvas) bool { return c.Main })
	if side < 0 || main < 0 {
		return "", false, nil
	}
	return all[side].UUID, all[side].W == all[main].W && all[side].H == all[main].H, nil
}

// scenesOn lists the scenes on a canvas; there are none where there is no canvas.
func (v SideView) scenesOn(ctx context.Context, uuid string) (map[string]string, error) {
	found, err := v.listScenes(ctx, uuid)
	if IsCode(err, CodeNotFound) {
		err = nil
	}
	return found, err
}

func (v SideView) listScenes(ctx context.Context, uuid string) (map[string]string, error) {
	if uuid == "" {
		return make(map[string]string), nil
	}
	b := v.Batch()
	found := b.scenesOn(uuid)
	if err := b.Do(ctx); err != nil {
		return nil, err
	}
	return found.Value, found.Err
}

// Scenes lists the user's scenes as [Client.Scenes] does, and after them those on the side canvas that have other names.
// When the canvas is gone, which takes its scenes with it, Scenes settles anew.
func (v SideView) Scenes(ctx context.Context) ([]string, error) {
	list, err := v.SceneList(ctx, v.Batch())
	return list.Names, err
}

// SceneList sends a batch, and with it asks for what Scenes lists and for the programme scene.
func (v SideView) SceneList(ctx context.Context, b *Batch) (SceneList, error) {
	uuid := v.side.canvas()
	main := b.SceneList()
	aside := &Answer[map[string]string]{}
	if uuid != "" {
		aside = b.scenesOn(uuid)
	}
	if err := b.Do(ctx); err != nil {
		return SceneList{}, err
	}
	if main.Err != nil {
		return SceneList{}, main.Err
	}
	list := main.Value
	if IsCode(aside.Err, CodeNotFound) {
		v.options.Log.Info("OBS's canvas for our scenes is gone", "canvas", v.side.name)
		_, err := v.Settle(ctx)
		return list, err
	}
	if aside.Err != nil {
		return SceneList{}, aside.Err
	}
	v.side.use(uuid, aside.Value)
	for _, name := range slices.Sorted(maps.Keys(aside.Value)) {
		if !slices.Contains(list.Names, name) {
			list.Names = append(list.Names, name)
		}
	}
	return list, nil
}

// CreateScene adds an empty scene on the side canvas. Where OBS refuses that the user's list gets it, and all that
// follow.
func (v SideView) CreateScene(ctx context.Context, name string) error {
	canvas := v.side.canvas()
	if canvas == "" {
		return v.Client.CreateScene(ctx, name)
	}
	uuid, err := v.createScene(ctx, name, canvas)
	if v.refused(err) {
		return v.Client.CreateScene(ctx, name)
	}
	if err != nil {
		return err
	}
	v.side.mu.Lock()
	defer v.side.mu.Unlock()
	v.side.scenes[name] = uuid
	return nil
}

// refused takes in the answer to a request that makes something on the side canvas. It reports whether the canvas has
// turned out to be unfit for that.
func (v SideView) refused(err error) bool {
	var refusal *RequestError
	if !errors.As(err, &refusal) || refusal.Code == CodeNotFound || refusal.Code == CodeAlreadyExists {
		return false
	}
	v.options.Log.Warn("OBS's canvas for our scenes cannot be used, so they come into your list of scenes", "canvas", v.side.name, "error", err)
	v.side.mu.Lock()
	defer v.side.mu.Unlock()
	v.side.unfit, v.side.uuid, v.side.scenes = true, "", nil
	return true
}

// CreateSceneItem is [Client.CreateSceneItem].
func (v SideView) CreateSceneItem(ctx context.Context, scene, source string, enabled bool) (int, error) {
	on := v.side.Source(scene)
	id, err := v.createSceneItem(ctx, on, v.side.Source(source), enabled)
	if on.UUID != "" {
		err = v.unfit(err)
	}
	return id, err
}

// unfit takes in the answer to a request that makes an item on the side canvas, and returns its error.
func (v SideView) unfit(err error) error {
	if v.refused(err) {
		return fmt.Errorf("on the canvas %q: %w", v.side.name, err)
	}
	return err
}

// RemoveScene is [Client.RemoveScene].
func (v SideView) RemoveScene(ctx context.Context, name string) error {
	return v.removeScene(ctx, v.side.Source(name))
}

// SceneItems is [Client.SceneItems].
func (v SideView) SceneItems(ctx context.Context, scene string) ([]SceneItem, error) {
	return v.sceneItems(ctx, v.side.Source(scene))
}

// RemoveSceneItem is [Client.RemoveSceneItem].
func (v SideView) RemoveSceneItem(ctx context.Context, scene string, id int) error {
	return v.removeSceneItem(ctx, v.side.Source(scene), id)
}

// SetItemEnabled is [Client.SetItemEnabled].
func (v SideView) SetItemEnabled(ctx context.Context, scene string, id int, enabled bool) error {
	return v.setItemEnabled(ctx, v.side.Source(scene), id, enabled)
}

// SetItemIndex is [Client.SetItemIndex].
func (v SideView) SetItemIndex(ctx context.Context, scene string, id, index int) error {
	return v.setItemIndex(ctx, v.side.Source(scene), id, index)
}

// SetItemTransform is [Client.SetItemTransform].
func (v SideView) SetItemTransform(ctx context.Context, scene string, id int, t Transform) error {
	return v.setItemTransform(ctx, v.side.Source(scene), id, t)
}

// SetItemBlendMode is [Client.SetItemBlendMode].
func (v SideView) SetItemBlendMode(ctx context.Context, scene string, id int, mode string) error {
	return v.setItemBlendMode(ctx, v.side.Source(scene), id, mode)
}

// Filters is [Client.Filters].
func (v SideView) Filters(ctx context.Context, source string) ([]Filter, error) {
	return v.filters(ctx, v.side.Source(source))
}

// CreateFilter is [Client.CreateFilter].
func (v SideView) CreateFilter(ctx context.Context, source string, f Filter) error {
	return v.createFilter(ctx, v.side.Source(source), f)
}

// RemoveFilter is [Client.RemoveFilter].
func (v SideView) RemoveFilter(ctx context.Context, source, filter string) error {
	return v.removeFilter(ctx, v.side.Source(source), filter)
}

// SetFilterEnabled is [Client.SetFilterEnabled].
func (v SideView) SetFilterEnabled(ctx context.Context, source, filter string, enabled bool) error {
	return v.setFilterEnabled(ctx, v.side.Source(source), filter, enabled)
}

// SetFilterSettings is [Client.SetFilterSettings].
func (v SideView) SetFilterSettings(ctx context.Context, source, filter string, settings map[string]any) error {
	return v.setFilterSettings(ctx, v.side.Source(source), filter, settings)
}
