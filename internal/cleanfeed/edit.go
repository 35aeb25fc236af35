// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"fmt"

	"github.com/costream-obs/costream-obs/obsctl"
)

// edit is one change in OBS. Items of mirrors are named by the items that they copy.
type edit interface {
	do(ctx context.Context, obs OBS, f *Feed) error
	fmt.Stringer
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

func (e makeScene) do(ctx context.Context, obs OBS, f *Feed) error {
	return f.makeScene(ctx, obs, e.Scene, e.Origin)
}

// do does not use DuplicateSceneItem, which OBS refuses for the items of groups (code 602, measured on 29.0.2).
func (e addItem) do(ctx context.Context, obs OBS, f *Feed) error {
	twin, err := obs.CreateSceneItem(ctx, e.Mirror, e.Source, false)
	if err != nil {
		return err
	}
	f.twins.set(e.Mirror, twin, e.Origin)
	return obs.SetItemTransform(ctx, e.Mirror, twin, e.Transform)
}

func (e removeItem) do(ctx context.Context, obs OBS, f *Feed) error {
	err := obs.RemoveSceneItem(ctx, e.Scene, e.Item)
	if err == nil || obsctl.IsCode(err, obsctl.CodeNotFound) {
		delete(f.twins[e.Scene], e.Item)
		return nil
	}
	return err
}

// onTwin makes a request for the copy of an item. A copy that could not be made is not there.
func (f *Feed) onTwin(mirror string, origin int, request func(twin int) error) error {
	twin, known := f.twins.of(mirror, origin)
	if !known {
		return nil
	}
	return request(twin)
}

func (e moveItem) do(ctx context.Context, obs OBS, f *Feed) error {
	return f.onTwin(e.Mirror, e.Origin, func(twin int) error { return obs.SetItemIndex(ctx, e.Mirror, twin, e.Index) })
}

func (e placeItem) do(ctx context.Context, obs OBS, f *Feed) error {
	return f.onTwin(e.Mirror, e.Origin, func(twin int) error { return obs.SetItemTransform(ctx, e.Mirror, twin, e.Transform) })
}

func (e blendItem) do(ctx context.Context, obs OBS, f *Feed) error {
	return f.onTwin(e.Mirror, e.Origin, func(twin int) error { return obs.SetItemBlendMode(ctx, e.Mirror, twin, e.Mode) })
}

func (e enableItem) do(ctx context.Context, obs OBS, f *Feed) error {
	return f.onTwin(e.Mirror, e.Origin, func(twin int) error { return obs.SetItemEnabled(ctx, e.Mirror, twin, e.Enabled) })
}

func (e removeFilter) do(ctx context.Context, obs OBS, _ *Feed) error {
	return obs.RemoveFilter(ctx, e.Mirror, e.Filter)
}

func (e addFilter) do(ctx context.Context, obs OBS, _ *Feed) error {
	if err := obs.CreateFilter(ctx, e.Mirror, e.Filter); err != nil || e.Filter.Enabled {
		return err
	}
	return obs.SetFilterEnabled(ctx, e.Mirror, e.Filter.Name, false)
}

func (e setFilter) do(ctx context.Context, obs OBS, _ *Feed) error {
	return obs.SetFilterSettings(ctx, e.Mirror, e.Filter, e.Settings)
}

func (e enableFilter) do(ctx context.Context, obs OBS, _ *Feed) error {
	return obs.SetFilterEnabled(ctx, e.Mirror, e.Filter, e.Enabled)
}

func (e showScene) do(ctx context.Context, obs OBS, f *Feed) error {
	_, err := obs.CreateSceneItem(ctx, f.Scene(), e.Scene, true)
	return err
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
