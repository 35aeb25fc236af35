// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"fmt"
	"time"

	"github.com/andreykaipov/goobs/api/requests/config"
	"github.com/andreykaipov/goobs/api/requests/filters"
	"github.com/andreykaipov/goobs/api/requests/inputs"
	"github.com/andreykaipov/goobs/api/requests/sceneitems"
	"github.com/andreykaipov/goobs/api/requests/scenes"
	"github.com/andreykaipov/goobs/api/requests/sources"
	"github.com/andreykaipov/goobs/api/requests/transitions"
	"github.com/andreykaipov/goobs/api/requests/ui"
)

// SceneList is what OBS shows in its list of scenes, top first, and the one that is the programme.
type SceneList struct {
	Names   []string
	Program string
}

// Collection asks for the name of the current scene collection, unless OBS gave it within that time and no event has come
// since that may have changed it.
func (b *Batch) Collection(within time.Duration) *Answer[string] {
	name, changes := b.client.current.get(within)
	if name != "" {
		return &Answer[string]{Value: name}
	}
	begin := time.Now()
	return ask(b, asked{params: &config.GetSceneCollectionListParams{}}, func(r *config.GetSceneCollectionListResponse) (string, error) {
		if !b.client.options.Levels { // such clients get no events about it
			b.client.current.learn(r.CurrentSceneCollectionName, begin, changes)
		}
		return r.CurrentSceneCollectionName, nil
	})
}

// VideoSettings is [Client.VideoSettings].
func (b *Batch) VideoSettings() *Answer[Video] {
	return ask(b, asked{params: &config.GetVideoSettingsParams{}}, readVideo)
}

// PersistentData is [Client.PersistentData]; its answer says whether the slot is filled.
func (b *Batch) PersistentData(slot string, into any) *Answer[bool] {
	return ask(b, asked{params: persistentDataParams(slot)}, func(r *config.GetPersistentDataResponse) (bool, error) {
		return readPersistentData(r, slot, into)
	})
}

// SetPersistentData is [Client.SetPersistentData]. What cannot be stored is not asked for.
func (b *Batch) SetPersistentData(slot string, v any) *Answer[Nothing] {
	p, err := setPersistentDataParams(slot, v)
	if err != nil {
		return &Answer[Nothing]{Err: err}
	}
	return tell(b, asked{params: p})
}

// StudioMode reports whether studio mode is on.
func (b *Batch) StudioMode() *Answer[bool] {
	return ask(b, asked{params: &ui.GetStudioModeEnabledParams{}}, func(r *ui.GetStudioModeEnabledResponse) (bool, error) {
		return r.StudioModeEnabled, nil
	})
}

// SourceActive is [Client.SourceActive].
func (b *Batch) SourceActive(source string) *Answer[bool] {
	return ask(b, asked{params: sources.NewGetSourceActiveParams().WithSourceName(source)}, func(r *sources.GetSourceActiveResponse) (bool, error) {
		return r.VideoActive, nil
	})
}

// Inputs is [Client.Inputs].
func (b *Batch) Inputs() *Answer[[]Input] {
	return ask(b, asked{params: &inputs.GetInputListParams{}}, func(r *inputs.GetInputListResponse) ([]Input, error) {
		return readInputs(r), nil
	})
}

// InputSettings is [Client.InputSettings].
func (b *Batch) InputSettings(input string) *Answer[map[string]any] {
	return ask(b, asked{params: inputs.NewGetInputSettingsParams().WithInputName(input)}, func(r *inputs.GetInputSettingsResponse) (map[string]any, error) {
		return r.InputSettings, nil
	})
}

// SceneList asks for the scenes and the programme scene.
func (b *Batch) SceneList() *Answer[SceneList] {
	return ask(b, asked{params: scenes.NewGetSceneListParams()}, func(r *scenes.GetSceneListResponse) (SceneList, error) {
		return SceneList{sceneNames(r), r.CurrentProgramSceneName}, nil
	})
}

// TransitionKinds asks for the kinds of all scene transitions, by name.
func (b *Batch) TransitionKinds() *Answer[map[string]string] {
	return ask(b, asked{params: &transitions.GetSceneTransitionListParams{}}, func(r *transitions.GetSceneTransitionListResponse) (map[string]string, error) {
		kinds := make(map[string]string)
		for _, t := range r.Transitions {
			kinds[t.TransitionName] = t.TransitionKind
		}
		return kinds, nil
	})
}

// Groups asks for the names of all groups.
func (b *Batch) Groups() *Answer[[]string] {
	return ask(b, asked{params: &scenes.GetGroupListParams{}}, func(r *scenes.GetGroupListResponse) ([]string, error) {
		return r.Groups, nil
	})
}

// Holds asks whether a scene or group itself has an item of a source. It is much less work for OBS than SceneItems.
func (b *Batch) Holds(scene, source string) *Answer[bool] {
	out := ask(b, asked{params: b.itemIDParams(scene, source), light: true}, func(*sceneitems.GetSceneItemIdResponse) (bool, error) { return true, nil })
	b.then(func() {
		// The same code says that there is no such scene.
		if IsCode(out.Err, CodeNotFound) {
			out.Err = nil
		}
	})
	return out
}

func (b *Batch) itemIDParams(scene, source string) *sceneitems.GetSceneItemIdParams {
	p := sceneitems.NewGetSceneItemIdParams().WithSourceName(source)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	return p
}

func itemID(r *sceneitems.GetSceneItemIdResponse) (int, error) { return r.SceneItemId, nil }

// LowestItem asks for the id of the lowest item of a source in a scene or group.
func (b *Batch) LowestItem(scene, source string) *Answer[int] {
	return ask(b, asked{params: b.itemIDParams(scene, source), light: true}, itemID)
}

// TopmostItem asks for the id of the topmost item of a source in a scene or group.
func (b *Batch) TopmostItem(scene, source string) *Answer[int] {
	return ask(b, asked{params: b.itemIDParams(scene, source).WithSearchOffset(-1), light: true}, itemID)
}

// ItemEnabled asks whether an item is shown.
func (b *Batch) ItemEnabled(scene string, id int) *Answer[bool] {
	p := sceneitems.NewGetSceneItemEnabledParams().WithSceneItemId(id)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	return ask(b, asked{params: p, light: true}, func(r *sceneitems.GetSceneItemEnabledResponse) (bool, error) { return r.SceneItemEnabled, nil })
}

// SceneItems is [Client.SceneItems].
func (b *Batch) SceneItems(scene string) *Answer[[]SceneItem] {
	in := b.source(scene)
	out := ask(b, asked{params: itemsParams(in)}, func(r *sceneitems.GetSceneItemListResponse) ([]SceneItem, error) {
		if b.view != nil {
			b.view.private.nameItems(r.SceneItems)
		}
		return readItems(r.SceneItems), nil
	})
	if in.UUID != "" && b.view != nil {
		b.then(func() { b.view.noteLost(out.Err) })
	}
	return out
}

// GroupItems lists the items of a group, bottom first.
func (b *Batch) GroupItems(group string) *Answer[[]SceneItem] {
	p := sceneitems.NewGetGroupSceneItemListParams().WithSceneName(group)
	return ask(b, asked{params: p}, func(r *sceneitems.GetGroupSceneItemListResponse) ([]SceneItem, error) {
		return readItems(r.SceneItems), nil
	})
}

// Filters lists the filters of a source, scene or group in the order in which they work.
func (b *Batch) Filters(source string) *Answer[[]Filter] {
	return ask(b, asked{params: filtersParams(b.source(source))}, func(r *filters.GetSourceFilterListResponse) ([]Filter, error) {
		return readFilters(r), nil
	})
}

// CreateSceneItem puts an existing source into a scene, on top. The requests that follow may be about the new item.
func (b *Batch) CreateSceneItem(scene, source string, enabled bool) *NewItem {
	in, what := b.source(scene), b.source(source)
	ref := ItemRef{made: fmt.Sprintf("item%d", len(b.asked))}
	made := ask(b, asked{params: createItemParams(in, what, enabled), makes: ref.made}, func(r *sceneitems.CreateSceneItemResponse) (int, error) {
		b.client.noteItem(in, what, r.SceneItemId)
		if b.made == nil {
			b.made = make(map[string]int)
		}
		b.made[ref.made] = r.SceneItemId
		return r.SceneItemId, nil
	})
	if in.UUID != "" && b.view != nil {
		b.then(func() { made.Err = b.view.refused(made.Err) })
	}
	return &NewItem{made, ref}
}

// RemoveSceneItem is [Client.RemoveSceneItem].
func (b *Batch) RemoveSceneItem(scene string, id int) *Answer[Nothing] {
	p := sceneitems.NewRemoveSceneItemParams().WithSceneItemId(id)
	in := b.source(scene)
	p.SceneName, p.SceneUuid = in.fields()
	a := asked{params: p}
	if in.UUID == "" {
		a.settling = freshItem{scene, id}
	}
	return tell(b, a)
}

// SetItemEnabled shows or hides an item. OBS sends an event only when that changes something.
func (b *Batch) SetItemEnabled(scene string, item ItemRef, enabled bool) *Answer[Nothing] {
	p := sceneitems.NewSetSceneItemEnabledParams().WithSceneItemEnabled(enabled)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	p.SceneItemId = item.known()
	return tell(b, asked{params: p, item: item, light: true})
}

// SetItemLocked locks an item against the mouse, or unlocks it.
func (b *Batch) SetItemLocked(scene string, item ItemRef, locked bool) *Answer[Nothing] {
	p := sceneitems.NewSetSceneItemLockedParams().WithSceneItemLocked(locked)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	p.SceneItemId = item.known()
	return tell(b, asked{params: p, item: item})
}

// SetItemIndex moves an item within the pile; 0 is the bottom.
func (b *Batch) SetItemIndex(scene string, item ItemRef, index int) *Answer[Nothing] {
	p := sceneitems.NewSetSceneItemIndexParams().WithSceneItemIndex(index)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	p.SceneItemId = item.known()
	return tell(b, asked{params: p, item: item})
}

// SetItemBlendMode says how an item is mixed with what lies below it; mode is one of OBS_BLEND_*.
func (b *Batch) SetItemBlendMode(scene string, item ItemRef, mode string) *Answer[Nothing] {
	p := sceneitems.NewSetSceneItemBlendModeParams().WithSceneItemBlendMode(mode)
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	p.SceneItemId = item.known()
	return tell(b, asked{params: p, item: item})
}

// SetItemTransform places an item. All of t is set, so begin with what SceneItems gave, or with bounds: a scale of 0 is
// sent as 1, an empty BoundsType as OBS_BOUNDS_NONE.
func (b *Batch) SetItemTransform(scene string, item ItemRef, t Transform) *Answer[Nothing] {
	p := sceneitems.NewSetSceneItemTransformParams().WithSceneItemTransform(t.wire())
	p.SceneName, p.SceneUuid = b.source(scene).fields()
	p.SceneItemId = item.known()
	return tell(b, asked{params: p, item: item})
}

// CreateFilter adds a filter to a source, after those that it has. A new filter is enabled whatever f says.
func (b *Batch) CreateFilter(source string, f Filter) *Answer[Nothing] {
	return tell(b, asked{params: createFilterParams(b.source(source), f)})
}

// RemoveFilter removes a filter from a source.
func (b *Batch) RemoveFilter(source, filter string) *Answer[Nothing] {
	return tell(b, asked{params: removeFilterParams(b.source(source), filter)})
}

// SetFilterEnabled switches a filter on or off.
func (b *Batch) SetFilterEnabled(source, filter string, enabled bool) *Answer[Nothing] {
	return tell(b, asked{params: enableFilterParams(b.source(source), filter, enabled)})
}

// SetFilterSettings replaces all settings of a filter.
func (b *Batch) SetFilterSettings(source, filter string, settings map[string]any) *Answer[Nothing] {
	return tell(b, asked{params: filterSettingsParams(b.source(source), filter, settings)})
}

// known is the id of an item that is there, nil for one to be made.
func (r ItemRef) known() *int {
	if r.made != "" {
		return nil
	}
	return &r.id
}
