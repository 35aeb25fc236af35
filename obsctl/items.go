// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/requests/sceneitems"
	"github.com/andreykaipov/goobs/api/typedefs"
)

// SceneItem is a source's place in a scene or group. IDs are unique within one
// scene only and survive moves within it.
type SceneItem struct {
	ID        int
	Index     int    // 0 is the bottom of the pile
	Source    string // name of the input, scene or group
	InputKind string // empty when the source is a scene or group
	IsGroup   bool
	Enabled   bool // shown
	Locked    bool
	BlendMode string // OBS_BLEND_*
	Transform Transform
}

// Transform is an item's place and shape on the canvas, in canvas pixels.
type Transform struct {
	X, Y           float64
	ScaleX, ScaleY float64
	Rotation       float64 // degrees, clockwise
	Alignment      int     // which point of the item X, Y is; OBS_ALIGN_*: 5 is top left, 0 the centre
	BoundsType     string  // OBS_BOUNDS_*; OBS_BOUNDS_NONE: the scale decides
	BoundsAlign    int     // where the picture stands in the bounds
	BoundsW        float64
	BoundsH        float64
	CropLeft       int // in pixels of the source, as all crops
	CropTop        int
	CropRight      int
	CropBottom     int
	CropToBounds   bool // OBS 30.2 and later

	// W, H, SourceW and SourceH are results: the size on the canvas and that of the source. Batch.SetItemTransform ignores
	// them.
	W, H             float64
	SourceW, SourceH float64
}

// SceneItems lists the items of a scene, bottom first.
func (c *Client) SceneItems(ctx context.Context, scene string) ([]SceneItem, error) {
	items, err := c.rawItems(ctx, named(scene))
	if err != nil {
		return nil, err
	}
	return readItems(items), nil
}

func itemsParams(scene SourceID) *sceneitems.GetSceneItemListParams {
	p := sceneitems.NewGetSceneItemListParams()
	p.SceneName, p.SceneUuid = scene.fields()
	return p
}

func (c *Client) rawItems(ctx context.Context, scene SourceID) ([]*typedefs.SceneItem, error) {
	p := itemsParams(scene)
	r, err := call(ctx, c, "GetSceneItemList", func(g *goobs.Client) (*sceneitems.GetSceneItemListResponse, error) {
		return g.SceneItems.GetSceneItemList(p)
	})
	if err != nil {
		return nil, err
	}
	return r.SceneItems, nil
}

func readItems(list []*typedefs.SceneItem) []SceneItem {
	items := make([]SceneItem, 0, len(list))
	for _, i := range list {
		if i.SourceName == ProbeInput {
			continue
		}
		items = append(items, SceneItem{
			ID:        i.SceneItemID,
			Index:     i.SceneItemIndex,
			Source:    i.SourceName,
			InputKind: i.InputKind,
			IsGroup:   i.IsGroup,
			Enabled:   i.SceneItemEnabled,
			Locked:    i.SceneItemLocked,
			BlendMode: i.SceneItemBlendMode,
			Transform: fromWire(i.SceneItemTransform),
		})
	}
	return items
}

func createItemParams(scene, source SourceID, enabled bool) *sceneitems.CreateSceneItemParams {
	p := sceneitems.NewCreateSceneItemParams().WithSceneItemEnabled(enabled)
	p.SceneName, p.SceneUuid = scene.fields()
	p.SourceName, p.SourceUuid = source.fields()
	return p
}

// noteItem notes a new item that OBS's window must process. The window does not show private scenes.
func (c *Client) noteItem(scene, source SourceID, id int) {
	if scene.UUID == "" {
		c.window.fresh.note(scene.Name, id, source.Name)
	}
}

// RemoveSceneItem removes an item from its scene. OBS removes an input that has no item left.
func (c *Client) RemoveSceneItem(ctx context.Context, scene string, id int) error {
	b := c.Batch()
	_, err := one(ctx, b, b.RemoveSceneItem(scene, id))
	return err
}

func fromWire(w typedefs.SceneItemTransform) Transform {
	return Transform{
		X: w.PositionX, Y: w.PositionY,
		ScaleX: w.ScaleX, ScaleY: w.ScaleY,
		Rotation:    w.Rotation,
		Alignment:   int(w.Alignment),
		BoundsType:  w.BoundsType,
		BoundsAlign: int(w.BoundsAlignment),
		BoundsW:     w.BoundsWidth, BoundsH: w.BoundsHeight,
		CropLeft: int(w.CropLeft), CropTop: int(w.CropTop), CropRight: int(w.CropRight), CropBottom: int(w.CropBottom),
		CropToBounds: w.CropToBounds,
		W:            w.Width, H: w.Height,
		SourceW: w.SourceWidth, SourceH: w.SourceHeight,
	}
}

// wire raises bounds to at least 1. Without bounds OBS reports them as 0 but refuses 0 (402, measured on 29.0.2), and goobs
// cannot leave a field out.
func (t Transform) wire() *typedefs.SceneItemTransform {
	w := &typedefs.SceneItemTransform{
		PositionX: t.X, PositionY: t.Y,
		ScaleX: t.ScaleX, ScaleY: t.ScaleY,
		Rotation:        t.Rotation,
		Alignment:       float64(t.Alignment),
		BoundsType:      t.BoundsType,
		BoundsAlignment: float64(t.BoundsAlign),
		BoundsWidth:     max(1, t.BoundsW), BoundsHeight: max(1, t.BoundsH),
		CropLeft: float64(t.CropLeft), CropTop: float64(t.CropTop),
		CropRight: float64(t.CropRight), CropBottom: float64(t.CropBottom),
		CropToBounds: t.CropToBounds,
	}
	if w.BoundsType == "" {
		w.BoundsType = "OBS_BOUNDS_NONE"
	}
	if w.ScaleX == 0 {
		w.ScaleX = 1
	}
	if w.ScaleY == 0 {
		w.ScaleY = 1
	}
	return w
}
