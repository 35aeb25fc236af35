// SPDX-License-Identifier: Apache-2.0

// Package scenes keeps the peer source in the scenes of OBS as it should be.
//
// It compares what OBS has (Snapshot) with what should be (Desired) and with what it
// remembers of its own doings and of the user's (Memory), and works out the list of edits
// that is missing (Plan, a pure function). Apply carries edits out, and Reconcile does the whole
// round: look, plan, remember, edit, remember. What the user moved, resized, copied, renamed
// or hid stays as the user left it; what this package added it removes again, and it never
// removes anything else. What the user asks for by command (SetVisible, Add, Remove, Arrange,
// Use, Restore) is noted in the same memory, so that it lasts.
//
// It is not a client of OBS: it states the few requests it needs as the interface OBS. It knows
// nothing of streams or networks either: someone else decides when the peer is to be present
// and visible. It keeps no state of its own between two calls.
package scenes

import (
	"context"
	"errors"
)

var (
	// ErrNotFound is what an OBS returns, wrapped or bare, when a scene, an item or an input
	// that a request names does not exist (obs-websocket: code 600).
	ErrNotFound = errors.New("not found in OBS")

	// ErrExists is what an OBS returns, wrapped or bare, when the name of an input to be made
	// is taken (obs-websocket: code 601).
	ErrExists = errors.New("exists already in OBS")

	// ErrChanging says that OBS changed its scene collection or its scenes while they were
	// being read, so that the picture of them is not to be trusted. The commands look again for
	// two seconds before they return it; who calls Reconcile asks again a little later.
	ErrChanging = errors.New("OBS is changing its scenes just now")

	// ErrBusy says that another program changes the scenes, and did not finish in time.
	ErrBusy = errors.New("another costream-obs is changing OBS's scenes")

	// ErrInGroup says that an item cannot be removed, because OBS refuses requests to remove
	// an item of a group (obs-websocket: code 602; measured on OBS 29.0.2).
	ErrInGroup = errors.New("OBS lets no program remove an item from the group")

	// ErrNoPeerSource says that OBS has no input that is the peer source.
	ErrNoPeerSource = errors.New("OBS has no peer source: start streaming with `costream-obs run`, or type `costream-obs peer add`")
)

// OBS is the part of OBS that this package needs. Each call must have a deadline of its own.
// Where SetItemEnabled names a scene, the name of a group does as well. Other requests are not
// made for the items of groups: OBS refuses to add or remove any there.
type OBS interface {
	// Canvas is the base size of the current profile.
	Canvas(ctx context.Context) (Size, error)
	// Collection is the name of the current scene collection.
	Collection(ctx context.Context) (string, error)
	// Program is the name of the programme scene.
	Program(ctx context.Context) (string, error)
	// Studio says whether studio mode is on.
	Studio(ctx context.Context) (bool, error)
	// Inputs lists all inputs; Settings are not filled in.
	Inputs(ctx context.Context) ([]Input, error)
	// InputSettings are the settings of an input that differ from its kind's defaults.
	InputSettings(ctx context.Context, input string) (map[string]any, error)
	// SetInputSettings sets the given keys, or with replace all settings.
	SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error
	// Scenes lists all scenes, in OBS's order, without groups.
	Scenes(ctx context.Context) ([]string, error)
	// Items lists the items of a scene or group, lowest first.
	Items(ctx context.Context, scene string, group bool) ([]Item, error)
	// CreateInput makes an input together with its first item, on top of the scene.
	CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (item int, err error)
	// CreateItem makes one more item of an input, on top of the scene.
	CreateItem(ctx context.Context, scene, input string, enabled bool) (item int, err error)
	// RemoveItem removes an item. An input whose last item goes, goes too, a little later.
	RemoveItem(ctx context.Context, scene string, item int) error
	SetItemEnabled(ctx context.Context, scene string, item int, enabled bool) error
	SetItemTransform(ctx context.Context, scene string, item int, t Transform) error
	// SetItemIndex moves an item in its scene; 0 is the lowest place.
	SetItemIndex(ctx context.Context, scene string, item, index int) error
	SetItemLocked(ctx context.Context, scene string, item int, locked bool) error
	// Lock keeps all other programs from changing the memory until unlock is called. Its error is ErrBusy, wrapped or
	// bare, when it cannot be had for too long.
	Lock(ctx context.Context) (unlock func(), err error)
	// LoadMemory returns what SaveMemory stored last, or an empty Memory.
	LoadMemory(ctx context.Context) (Memory, error)
	// SaveMemory stores m so that it outlives both OBS and us.
	SaveMemory(ctx context.Context, m Memory) error
}

// Input is an input of OBS.
type Input struct {
	Name     string
	Kind     string         // without version suffix
	Settings map[string]any // filled in by Read for inputs that may be the peer source
}

// Item is one item of a scene or group.
type Item struct {
	ID        int    // unique in its scene, never used again there
	Source    string // name of the input, scene or group that it shows
	Enabled   bool   // the eye
	Locked    bool   // the padlock
	Group     bool   // Source is a group
	Size      Size   // of Source, zero while it has no picture
	Transform Transform
}

// Scene is a scene, or a group when Group is set.
type Scene struct {
	Name  string
	Group bool
	Items []Item // lowest first
}

// Snapshot is everything that Plan looks at, as it was in OBS at one time.
type Snapshot struct {
	// Session is any text that stays the same while the OBS process lives and differs for the
	// next one. With it an item that the user deleted is told from one that OBS lost in a crash.
	Session    string
	Collection string
	Canvas     Size
	Program    string
	Studio     bool
	Inputs     []Input
	Scenes     []Scene // scenes in OBS's order, then groups
}
