// SPDX-License-Identifier: Apache-2.0

// Package obsscenes lets package scenes work on an OBS that package obsctl is connected to. It
// translates types and errors and holds no logic of its own.
package obsscenes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/lockfile"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// Slot is where the memory lives in obs-websocket's persistent data.
const Slot = "costream-obs.scenes"

// codeNotReady is obs-websocket's answer while it changes the scene collection (from 5.3 on).
const codeNotReady = 207

// OBS is a scenes.OBS over a connection.
type OBS struct {
	client *obsctl.Client
	lock   string        // path of the file to lock
	wait   time.Duration // for the lock
}

var _ scenes.OBS = &OBS{}

// New returns the OBS of a connection, for looking at it.
func New(client *obsctl.Client) *OBS { return &OBS{client: client} }

// NewWriter returns the OBS of a connection, for changing it. All programs that do so have to give the same directory,
// and wait up to a time for each other.
func NewWriter(client *obsctl.Client, dir string, wait time.Duration) *OBS {
	// One OBS may be known by several names and addresses, but by one port. That two on two machines have the same does
	// no harm.
	name := fmt.Sprintf("costream-obs-%d.lock", client.Endpoint().Port)
	return &OBS{client: client, lock: filepath.Join(dir, name), wait: wait}
}

// Lock implements scenes.OBS.
func (o *OBS) Lock(ctx context.Context) (func(), error) {
	if o.lock == "" {
		return nil, errors.New("this connection to OBS is for looking only")
	}
	release, err := lockfile.Acquire(ctx, o.lock, o.wait)
	if held := (*lockfile.HeldError)(nil); errors.As(err, &held) {
		who := ""
		if held.PID != 0 {
			who = fmt.Sprintf(" (process %d)", held.PID)
		}
		return nil, fmt.Errorf("%w%s and has not finished within %v: try again, or end that one first", scenes.ErrBusy, who, o.wait)
	}
	if err != nil {
		return nil, fmt.Errorf("keep others from changing OBS's scenes: %w", err)
	}
	return release, nil
}

// translate gives an error the meaning that package scenes looks for.
func translate(err error) error {
	switch {
	case obsctl.IsCode(err, obsctl.CodeNotFound):
		return &meaning{err, scenes.ErrNotFound}
	case obsctl.IsCode(err, obsctl.CodeAlreadyExists):
		return &meaning{err, scenes.ErrExists}
	case obsctl.IsCode(err, codeNotReady):
		return &meaning{err, scenes.ErrChanging}
	}
	return err
}

// meaning is an error of obsctl that is also one of package scenes. Its text stays as it is.
type meaning struct {
	error
	also error
}

func (m *meaning) Unwrap() []error { return []error{m.error, m.also} }

// Canvas implements scenes.OBS.
func (o *OBS) Canvas(ctx context.Context) (scenes.Size, error) {
	v, err := o.client.VideoSettings(ctx)
	return scenes.Size{W: v.CanvasW, H: v.CanvasH}, translate(err)
}

// Collection implements scenes.OBS.
func (o *OBS) Collection(ctx context.Context) (string, error) {
	current, _, err := o.client.Collections(ctx)
	return current, translate(err)
}

// Program implements scenes.OBS.
func (o *OBS) Program(ctx context.Context) (string, error) {
	name, err := o.client.ProgramScene(ctx)
	return name, translate(err)
}

// Studio implements scenes.OBS.
func (o *OBS) Studio(ctx context.Context) (bool, error) {
	on, err := o.client.StudioMode(ctx)
	return on, translate(err)
}

// Inputs implements scenes.OBS.
func (o *OBS) Inputs(ctx context.Context) ([]scenes.Input, error) {
	list, err := o.client.Inputs(ctx)
	if err != nil {
		return nil, translate(err)
	}
	inputs := make([]scenes.Input, 0, len(list))
	for _, in := range list {
		inputs = append(inputs, scenes.Input{Name: in.Name, Kind: in.UnversionedKind})
	}
	return inputs, nil
}

// InputSettings implements scenes.OBS.
func (o *OBS) InputSettings(ctx context.Context, input string) (map[string]any, error) {
	settings, err := o.client.InputSettings(ctx, input)
	return settings, translate(err)
}

// SetInputSettings implements scenes.OBS.
func (o *OBS) SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error {
	if settings == nil {
		settings = map[string]any{}
	}
	return translate(o.client.SetInputSettings(ctx, input, settings, !replace))
}

// Scenes implements scenes.OBS. The scenes of the clean feed are left out: the peer has no place there.
func (o *OBS) Scenes(ctx context.Context) ([]string, error) {
	names, err := o.client.Scenes(ctx)
	if err != nil || !slices.ContainsFunc(names, cleanfeed.MayBeOurs) {
		return names, translate(err)
	}
	collection, err := o.Collection(ctx)
	if err != nil {
		return nil, err
	}
	// Asked last: a scene is noted before it is made.
	made, err := cleanfeed.LoadMade(ctx, o.client)
	if err != nil {
		return nil, translate(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return made.Has(collection, name) }), nil
}

// Items implements scenes.OBS.
func (o *OBS) Items(ctx context.Context, scene string, group bool) ([]scenes.Item, error) {
	list := o.client.SceneItems
	if group {
		list = o.client.GroupItems
	}
	found, err := list(ctx, scene)
	if err != nil {
		return nil, translate(err)
	}
	items := make([]scenes.Item, 0, len(found))
	for _, it := range found {
		items = append(items, scenes.Item{ID: it.ID, Source: it.Source, Enabled: it.Enabled, Locked: it.Locked,
			Group: it.IsGroup, Size: scenes.Size{W: int(it.Transform.SourceW), H: int(it.Transform.SourceH)}, Transform: fromOBS(it.Transform)})
	}
	return items, nil
}

// CreateInput implements scenes.OBS.
func (o *OBS) CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (int, error) {
	id, err := o.client.CreateInput(ctx, scene, name, kind, settings, enabled)
	return id, translate(err)
}

// CreateItem implements scenes.OBS.
func (o *OBS) CreateItem(ctx context.Context, scene, input string, enabled bool) (int, error) {
	id, err := o.client.CreateSceneItem(ctx, scene, input, enabled)
	return id, translate(err)
}

// RemoveItem implements scenes.OBS.
func (o *OBS) RemoveItem(ctx context.Context, scene string, item int) error {
	return translate(o.client.RemoveSceneItem(ctx, scene, item))
}

// SetItemEnabled implements scenes.OBS.
func (o *OBS) SetItemEnabled(ctx context.Context, scene string, item int, enabled bool) error {
	return translate(o.client.SetItemEnabled(ctx, scene, item, enabled))
}

// SetItemTransform implements scenes.OBS.
func (o *OBS) SetItemTransform(ctx context.Context, scene string, item int, t scenes.Transform) error {
	return translate(o.client.SetItemTransform(ctx, scene, item, toOBS(t)))
}

// SetItemIndex implements scenes.OBS.
func (o *OBS) SetItemIndex(ctx context.Context, scene string, item, index int) error {
	return translate(o.client.SetItemIndex(ctx, scene, item, index))
}

// SetItemLocked implements scenes.OBS.
func (o *OBS) SetItemLocked(ctx context.Context, scene string, item int, locked bool) error {
	return translate(o.client.SetItemLocked(ctx, scene, item, locked))
}

// LoadMemory implements scenes.OBS. What cannot be decoded counts as nothing: it must not stop
// the show, and the next SaveMemory mends it.
func (o *OBS) LoadMemory(ctx context.Context) (scenes.Memory, error) {
	var m scenes.Memory
	_, err := o.client.PersistentData(ctx, Slot, &m)
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &wrongType) {
		return scenes.Memory{}, nil
	}
	return m, translate(err)
}

// SaveMemory implements scenes.OBS.
func (o *OBS) SaveMemory(ctx context.Context, m scenes.Memory) error {
	return translate(o.client.SetPersistentData(ctx, Slot, m))
}

func fromOBS(t obsctl.Transform) scenes.Transform {
	return scenes.Transform{
		X: t.X, Y: t.Y, Rotation: t.Rotation, ScaleX: t.ScaleX, ScaleY: t.ScaleY, Alignment: t.Alignment,
		BoundsType: t.BoundsType, BoundsAlignment: t.BoundsAlign, BoundsW: t.BoundsW, BoundsH: t.BoundsH,
		CropLeft: t.CropLeft, CropTop: t.CropTop, CropRight: t.CropRight, CropBottom: t.CropBottom,
		CropToBounds: t.CropToBounds,
	}
}

func toOBS(t scenes.Transform) obsctl.Transform {
	return obsctl.Transform{
		X: t.X, Y: t.Y, Rotation: t.Rotation, ScaleX: t.ScaleX, ScaleY: t.ScaleY, Alignment: t.Alignment,
		BoundsType: t.BoundsType, BoundsAlign: t.BoundsAlignment, BoundsW: t.BoundsW, BoundsH: t.BoundsH,
		CropLeft: t.CropLeft, CropTop: t.CropTop, CropRight: t.CropRight, CropBottom: t.CropBottom,
		CropToBounds: t.CropToBounds,
	}
}
