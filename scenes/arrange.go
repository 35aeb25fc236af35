// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrPlaceInGroup says that the peer is in a group, whose layout is the user's.
	ErrPlaceInGroup = errors.New("the peer is in a group, which you lay out in OBS: take it out of the group first")

	// ErrNotInScene says that the scene has no item of the peer that could be saved.
	ErrNotInScene = errors.New("this scene does not have the peer: add it with `costream-obs peer add`, or name another scene with --scene")

	// ErrNotArranged says that there is nothing that Restore could undo.
	ErrNotArranged = errors.New("there is nothing to restore: the peer is where you or your settings placed it")
)

// Arrange lays the peer source out in the scenes that match the patterns, or in the programme scene without any. The layout
// stays, also while the peer is away, until the user moves the item or calls Restore. Items that the user added are laid
// out, too, because the user asks for it. If a scene has several items of the peer, it is the topmost visible one. If it has
// none, the layout is for later.
//
// Errors: *UnknownSceneError, ErrPlaceInGroup and *EditError values joined.
func Arrange(ctx context.Context, obs OBS, src Source, patterns []string, layout Layout) ([]Change, error) {
	if err := layout.Check(); err != nil {
		return nil, err
	}
	h, err := takeToChange(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	return h.relook(ctx, patterns, func(look Look, _ Size) (Look, bool) {
		if look.Before == nil {
			look.Before = look.bare()
		}
		look.Moved, look.Layout = false, layout.String()
		return look, true
	})
}

// Use gives the peer source a look of the user's, as Arrange does a layout.
func Use(ctx context.Context, obs OBS, src Source, patterns []string, saved Saved) ([]Change, error) {
	h, err := takeToChange(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	return h.relook(ctx, patterns, func(look Look, size Size) (Look, bool) {
		if look.Before == nil {
			look.Before = look.bare()
		}
		look.Moved, look.Layout = true, ""
		look.Transform, look.Canvas, look.Border = saved.on(h.s.Canvas, size), h.s.Canvas, Border{}
		look.Under, look.Above = 0, saved.Above
		return look, true
	})
}

// Restore undoes Arrange and Use, and everything that the user did to the peer's place since the first of them. The patterns
// are those of Arrange; layouts are the configured ones.
//
// Errors: ErrNotArranged or *NestedError if that is so in all scenes, and those of Arrange.
func Restore(ctx context.Context, obs OBS, src Source, patterns []string, layouts Layouts) ([]Change, error) {
	h, err := takeToChange(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return nil, err
	}
	defer h.release()
	if err := layouts.Check(h.s.Collection, h.sceneNames()); err != nil {
		return nil, err
	}
	h.layouts = layouts
	changes, err := h.relook(ctx, patterns, func(look Look, _ Size) (Look, bool) {
		if look.Before == nil {
			return look, false
		}
		before := *look.Before
		before.Hidden, before.HiddenOnAir, before.Locked = look.Hidden, look.HiddenOnAir, look.Locked
		return before, true
	})
	if err == nil && len(changes) == 0 {
		if err = h.unchanged(h.targets(patterns)); err == nil {
			err = ErrNotArranged
		}
	}
	return changes, err
}

// Saved is a look without the scene that it comes from.
type Saved struct {
	Transform Transform `json:"transform"`
	// Canvas is the canvas that Transform was made for. On another canvas the same part of it is covered.
	Canvas Size `json:"canvas"`
	// Source is the size of the source at that time, or zero if it had none.
	Source Size `json:"source"`
	// Above is how many items are above it.
	Above int `json:"above,omitempty"`
}

// Save returns how the peer source looks in a scene, "" for the programme scene.
// Errors: *UnknownSceneError, ErrNotInScene, *NestedError, ErrPlaceInGroup.
func Save(ctx context.Context, obs OBS, src Source, scene string) (Saved, error) {
	var patterns []string
	if scene != "" {
		patterns = []string{scene}
	}
	h, err := take(ctx, obs, src, patterns, scenesOf(patterns))
	if err != nil {
		return Saved{}, err
	}
	sc := h.targets(patterns)[0]
	f, err := h.principal(sc)
	if f == nil && err == nil {
		if err := h.unchanged([]*Scene{sc}); err != nil {
			return Saved{}, err
		}
		err = ErrNotInScene
	}
	if err != nil {
		return Saved{}, fmt.Errorf("scene %q: %w", sc.Name, err)
	}
	im := h.c.item(sc.Name, f.item.ID)
	return Saved{Transform: f.item.Transform.untrimmed(im.Border), Canvas: h.s.Canvas, Source: f.item.Size, Above: im.Above}, nil
}

// on converts the transform to a canvas and to a size of the source, which is zero if unknown.
func (s Saved) on(canvas, source Size) Transform {
	t := s.Transform
	if canvas != s.Canvas {
		t = t.boxed(s.Source).rescaled(s.Canvas, canvas)
	}
	return t.cropFor(s.Source, source)
}

// bare is a copy without Before.
func (l Look) bare() *Look {
	l.Before = nil
	return &l
}

// targets are the scenes that a command applies to.
func (h *hand) targets(patterns []string) []*Scene {
	if len(patterns) == 0 {
		return slices.DeleteFunc(slices.Clone(h.scope), func(sc *Scene) bool { return sc.Name != h.s.Program })
	}
	return h.scope
}

// principal is the item of the peer source that layouts apply to: the topmost visible one, else the topmost, or nil.
func (h *hand) principal(sc *Scene) (*found, error) {
	items := h.items(sc)
	if len(items) == 0 {
		if len(h.itemsOf(sc)) > 0 {
			return nil, ErrPlaceInGroup
		}
		return nil, nil
	}
	slices.Reverse(items)
	if i := slices.IndexFunc(items, func(f found) bool { return f.item.Enabled }); i >= 0 {
		return &items[i], nil
	}
	return &items[0], nil
}

// relook changes the look of the peer in scenes. change gets the look and the size of the source, and returns false if
// nothing changes.
func (h *hand) relook(ctx context.Context, patterns []string, change func(Look, Size) (Look, bool)) ([]Change, error) {
	var edits []Edit
	var errs []error
	for _, sc := range h.targets(patterns) {
		f, err := h.principal(sc)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("scene %q: %w", sc.Name, err))
		case f != nil:
			if e, ok := h.relookItem(*f, change); ok {
				edits = append(edits, e)
			}
		default:
			through := ""
			if all := h.nestings([]*Scene{sc}); len(all) > 0 {
				through = all[0].Through
			}
			var look Look
			if sm := h.c.Scenes[sc.Name]; sm != nil && sm.Last != nil {
				look = *sm.Last
			}
			if look, ok := change(look, h.c.Picture.Size); ok {
				edits = append(edits, KeepLook{Scene: sc.Name, Through: through, Look: look})
			}
		}
	}
	changes, err := h.carryOut(ctx, edits)
	return changes, errors.Join(append(errs, err)...)
}

func (h *hand) relookItem(f found, change func(Look, Size) (Look, bool)) (Edit, bool) {
	im := h.c.item(f.scene.Name, f.item.ID)
	old := im.Look
	old.Transform, old.Canvas = f.item.Transform, h.s.Canvas
	look, ok := change(old, h.picture(f.item).Size)
	if !ok {
		return nil, false
	}
	look = h.fitted(look, im.Ours, h.layouts.For(f.scene.Name), h.picture(f.item))
	index := -1
	if look.Above != old.Above {
		index = max(0, len(f.scene.Items)-1-look.Above)
	}
	im.Pending = true
	return PlaceItem{Scene: f.scene.Name, Item: f.item.ID, Input: f.item.Source, Look: look, Index: index}, true
}

// picture is what an item shows now.
func (h *hand) picture(it Item) Picture {
	if it.Size == (Size{}) || it.Size == h.c.Picture.Size {
		return h.c.Picture
	}
	return Picture{Size: it.Size}
}
