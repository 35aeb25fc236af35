// SPDX-License-Identifier: Apache-2.0

// Package obsscenes lets package scenes work on an OBS that package obsctl is connected to. It
// translates types and errors and holds no logic of its own.
package obsscenes

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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

	// What standing found last: the scenes, and which are the clean feed's.
	listed []string
	made   cleanfeed.Made

	learned chan struct{} // closed once the client knows the collection or cannot; nil where it was not told to
	assumes bool          // the name of the collection may be assumed
	assumed string        // what it is assumed to be since the last Overview; empty where it is not
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
		return nil, errors.New("this connection to OBS is read-only")
	}
	release, err := lockfile.Acquire(ctx, o.lock, o.wait)
	if held := (*lockfile.HeldError)(nil); errors.As(err, &held) {
		who := ""
		if held.PID != 0 {
			who = fmt.Sprintf(" (process %d)", held.PID)
		}
		return nil, fmt.Errorf("%w%s and has not finished within %v: try again, or stop that program first", scenes.ErrBusy, who, o.wait)
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

// first is the first error, translated.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return translate(err)
		}
	}
	return nil
}

// Overview implements scenes.OBS.
func (o *OBS) Overview(ctx context.Context) (out scenes.Overview, err error) {
	o.listed, o.assumed = nil, "" // so that all is asked anew
	b := o.client.Batch()
	video, studio, inputs, groups := b.VideoSettings(), b.StudioMode(), b.Inputs(), b.Groups()
	readMemory := askMemory(b)
	readStanding := o.standing(b)
	if err := b.Do(ctx); err != nil {
		return out, translate(err)
	}
	if out.Memory, err = readMemory(); err != nil {
		return out, err
	}
	likely := ""
	if names := out.Memory.Names(); len(names) == 1 {
		likely = names[0]
	}
	if out.Standing, err = readStanding(ctx, likely); err != nil {
		return out, err
	}
	out.Canvas = scenes.Size{W: video.Value.CanvasW, H: video.Value.CanvasH}
	out.Studio, out.Groups = studio.Value, groups.Value
	for _, in := range inputs.Value {
		out.Inputs = append(out.Inputs, scenes.Input{Name: in.Name, Kind: in.UnversionedKind})
	}
	return out, first(video.Err, studio.Err, inputs.Err, groups.Err)
}

// Look implements scenes.OBS.
func (o *OBS) Look(ctx context.Context, q scenes.Questions) (out scenes.Answers, err error) {
	b := o.client.Batch()
	var settings []*obsctl.Answer[map[string]any]
	for _, input := range q.Settings {
		settings = append(settings, b.InputSettings(input))
	}
	var holding []*obsctl.Answer[bool]
	for _, h := range q.Holding {
		holding = append(holding, b.Holds(h.Scene, h.Input))
	}
	var eyes []*obsctl.Answer[obsctl.ItemEye]
	for _, of := range q.Eyes {
		eyes = append(eyes, b.Eye(of.Scene, of.Input, of.Item))
	}
	var lists []*obsctl.Answer[[]obsctl.SceneItem]
	for _, p := range q.Items {
		list := b.SceneItems
		if p.Group {
			list = b.GroupItems
		}
		lists = append(lists, list(p.Name))
	}
	var readStanding func(context.Context, string) (scenes.Standing, error)
	if len(holding)+len(eyes)+len(lists) > 0 {
		readStanding = o.standing(b)
	}
	if err := b.Do(ctx); err != nil {
		return out, translate(err)
	}
	if out.Settings, err = values(settings); err != nil {
		return out, err
	}
	if out.Holding, err = values(holding); err != nil {
		return out, err
	}
	seen, err := values(eyes)
	if err != nil {
		return out, err
	}
	for _, eye := range seen {
		out.Eyes = append(out.Eyes, scenes.EyeState{Only: eye.Sole, Enabled: eye.Enabled})
	}
	found, err := values(lists)
	if err != nil {
		return out, err
	}
	for _, list := range found {
		out.Items = append(out.Items, readItems(list))
	}
	if readStanding != nil {
		out.Standing, err = readStanding(ctx, "")
	}
	return out, err
}

func readItems(list []obsctl.SceneItem) []scenes.Item {
	var items []scenes.Item
	for _, it := range list {
		items = append(items, scenes.Item{ID: it.ID, Source: it.Source, Enabled: it.Enabled, Locked: it.Locked,
			Group: it.IsGroup, Size: scenes.Size{W: int(it.Transform.SourceW), H: int(it.Transform.SourceH)}, Transform: fromOBS(it.Transform)})
	}
	return items
}

// values are what answers hold, if OBS has refused none.
func values[T any](answers []*obsctl.Answer[T]) ([]T, error) {
	list := make([]T, 0, len(answers))
	for _, a := range answers {
		if a.Err != nil {
			return nil, translate(a.Err)
		}
		list = append(list, a.Value)
	}
	return list, nil
}

// SetInputSettings implements scenes.OBS.
func (o *OBS) SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error {
	if settings == nil {
		settings = map[string]any{}
	}
	return translate(o.client.SetInputSettings(ctx, input, settings, !replace))
}

// CreateInput implements scenes.OBS.
func (o *OBS) CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (int, error) {
	id, err := o.client.CreateInput(ctx, scene, name, kind, settings, enabled)
	return id, translate(err)
}

// Do implements scenes.OBS. What is done with a new item goes in the same batch as making it.
func (o *OBS) Do(ctx context.Context, tasks []scenes.Task) []scenes.Done {
	b := o.client.Batch()
	reads := make([]func() scenes.Done, len(tasks))
	for i, t := range tasks {
		if t.Save != nil {
			saved := b.SetPersistentData(Slot, *t.Save)
			reads[i] = func() scenes.Done { return scenes.Done{Err: saved.Err} }
			continue
		}
		reads[i] = ask(b, t)
	}
	_ = b.Do(ctx) // each answer tells of it
	done := make([]scenes.Done, len(tasks))
	for i, read := range reads {
		done[i] = read()
		done[i].Err = translate(done[i].Err)
	}
	return done
}

// ask adds what is to be done with one item to a batch.
func ask(b *obsctl.Batch, t scenes.Task) (read func() scenes.Done) {
	item := obsctl.ItemID(t.Item)
	var made *obsctl.NewItem
	if t.Item == 0 {
		made = b.CreateSceneItem(t.Scene, t.Input, false)
		item = made.ItemRef
	}
	var answers []*obsctl.Answer[obsctl.Nothing]
	tell := func(a *obsctl.Answer[obsctl.Nothing]) { answers = append(answers, a) }
	if t.Remove {
		tell(b.RemoveSceneItem(t.Scene, t.Item))
	}
	if t.Place != nil {
		tell(b.SetItemTransform(t.Scene, item, toOBS(*t.Place)))
		if t.Index >= 0 {
			tell(b.SetItemIndex(t.Scene, item, t.Index))
		}
		if t.Lock {
			tell(b.SetItemLocked(t.Scene, item, true))
		}
	}
	if t.Enable != nil {
		tell(b.SetItemEnabled(t.Scene, item, *t.Enable))
	}
	return func() scenes.Done {
		d := scenes.Done{Item: t.Item}
		if made != nil {
			if made.Err != nil {
				return scenes.Done{Err: made.Err} // so that the rest was about nothing
			}
			d.Item = made.Value
		}
		for _, a := range answers {
			if a.Err != nil && d.Err == nil {
				d.Err = a.Err
			}
		}
		return d
	}
}

// LoadMemory returns what SaveMemory stored last.
func (o *OBS) LoadMemory(ctx context.Context) (scenes.Memory, error) {
	b := o.client.Batch()
	read := askMemory(b)
	if err := b.Do(ctx); err != nil {
		return scenes.Memory{}, translate(err)
	}
	return read()
}

// askMemory is the question what is remembered. What cannot be decoded counts as nothing: it must not stop the show, and
// the next SaveMemory mends it.
func askMemory(b *obsctl.Batch) (read func() (scenes.Memory, error)) {
	var m scenes.Memory
	answer := b.PersistentData(Slot, &m)
	return func() (scenes.Memory, error) {
		if errors.Is(answer.Err, obsctl.ErrUndecodable) {
			return scenes.Memory{}, nil
		}
		return m, translate(answer.Err)
	}
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
