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
	// ErrNotFound is returned by an OBS, bare or wrapped, if a scene, item or input that a request names does not exist
	// (obs-websocket: code 600).
	ErrNotFound = errors.New("not found in OBS")

	// ErrExists is returned by an OBS, bare or wrapped, if the name of a new input is taken (obs-websocket: code 601).
	ErrExists = errors.New("exists already in OBS")

	// ErrChanging says that OBS changed its scene collection or its scenes while they were read, so that the result may be
	// wrong. Commands try again for two seconds before they return it; callers of Reconcile should call again later.
	ErrChanging = errors.New("OBS is changing its scenes just now")

	// ErrBusy says that another program changes the scenes, and did not finish in time.
	ErrBusy = errors.New("another costream-obs is changing OBS's scenes")

	// ErrInGroup says that an item cannot be removed: OBS refuses requests to remove an item of a group (obs-websocket: code
	// 602; measured on OBS 29.0.2).
	ErrInGroup = errors.New("OBS lets no program remove an item from the group")

	// ErrInNoScene says that there is nothing to show or hide.
	ErrInNoScene = errors.New("the peer is in no scene")

	// ErrNoPeerSource says that OBS has no input that is the peer source.
	ErrNoPeerSource = errors.New("OBS has no peer source: start streaming with `costream-obs run`, or type `costream-obs peer add`")
)

// OBS is what this package needs of OBS. Each call must have a timeout. Calls take many things at once, because users have
// hundreds of scenes and a round trip takes time. A scene's name may also be that of a group, but OBS refuses to add or
// remove items of groups.
type OBS interface {
	// Overview is what OBS says of itself as a whole.
	Overview(ctx context.Context) (Overview, error)
	// Collection asks for the name of the current scene collection where a Standing has it assumed.
	Collection(ctx context.Context) (string, error)
	// Look answers questions, many in one round trip. Its error is ErrNotFound, bare or wrapped, if an input of Settings or
	// a scene of Items does not exist.
	Look(ctx context.Context, q Questions) (Answers, error)
	// SetInputSettings sets the given keys, or with replace all settings.
	SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error
	// CreateInput makes an input together with its first item, on top of the scene.
	CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (item int, err error)
	// Do carries out tasks in order, and returns the result of each. It continues after one that fails.
	Do(ctx context.Context, tasks []Task) []Done
	// Lock keeps other programs from changing the memory until unlock is called. Its error is ErrBusy, bare or wrapped, if
	// that is not possible in time.
	Lock(ctx context.Context) (unlock func(), err error)
	// SaveMemory stores m so that it survives both OBS and us.
	SaveMemory(ctx context.Context, m Memory) error
}

// Overview is OBS's state as a whole.
type Overview struct {
	Standing
	Canvas Size // base size of the current profile
	Studio bool // studio mode is on
	Inputs []Input
	Groups []string
	Memory Memory // what SaveMemory stored last, or an empty one
}

// Standing is which scenes OBS has, and which of them is the programme.
type Standing struct {
	Collection string   // name of the scene collection
	Assumed    bool     // Collection is what OBS had the last time: to ask takes long
	Scenes     []string // in OBS's order, without groups
	Program    string
}

// Questions are asked together.
type Questions struct {
	Settings []string // inputs; the answers are the settings that differ from their kind's defaults
	Holding  []Holding
	Eyes     []ItemOf
	Items    []Place // scenes and groups; the answers are their items
}

// Answers are the answers to Questions, in their order.
type Answers struct {
	Settings []map[string]any
	Holding  []bool
	Eyes     []EyeState
	Items    [][]Item // lowest first
	// Standing is OBS's state after all answers. It is missing if only Settings were asked for.
	Standing Standing
}

// Holding asks whether a scene or group itself has an item of an input. It costs much less than Items.
type Holding struct{ Scene, Input string }

// ItemOf is an item of an input in a scene or group.
type ItemOf struct {
	Scene, Input string
	Item         int
}

// EyeState is what can be known of an item without looking at the items beside it.
type EyeState struct {
	Only    bool // it exists, and is the only one of its input in the scene
	Enabled bool
}

// Place is a scene or a group.
type Place struct {
	Name  string
	Group bool
}

// Task is one thing to do with an item, or with the memory.
type Task struct {
	Save  *Memory // stored as by SaveMemory; nothing else is done
	Scene string
	Item  int    // 0 for a new one, hidden and on top of the scene
	Input string // that a new one is of
	// Remove: the item is removed, and nothing else is done. OBS removes an input without items a little later.
	Remove bool
	Enable *bool // the eye, where not nil
	// Place, if not nil, is the new transform. Index, unless negative, is the new position, 0 at the bottom, and Lock
	// whether the item is locked.
	Place *Transform
	Index int
	Lock  bool
}

// Done is the result of a Task.
type Done struct {
	Item int   // the item's id, 0 where a new one could not be made
	Err  error // of the first thing that failed
}

// Input is an input of OBS.
type Input struct {
	Name     string
	Kind     string         // without version suffix
	Settings map[string]any // known of inputs that may be the peer source
}

// Item is one item of a scene or group.
type Item struct {
	ID        int    // unique in its scene, never used again there
	Source    string // name of the input, scene or group that it shows
	Enabled   bool   // the eye
	Group     bool   // Source is a group
	EyeOnly   bool   // the following fields are unknown, and so are the items beside it
	Locked    bool   // the padlock
	Size      Size   // of Source, zero while it has no picture
	Transform Transform
}

// Scene is a scene, or a group when Group is set.
type Scene struct {
	Name  string
	Group bool
	Items []Item // lowest first
}

// Snapshot is everything that Plan needs, as OBS had it at one time.
type Snapshot struct {
	// Session is any text that stays the same while the OBS process lives, and differs for the next one. It tells an item
	// that the user deleted from one that OBS lost in a crash.
	Session    string
	Collection string
	Assumed    bool // as in Standing
	Canvas     Size
	Program    string
	Studio     bool
	Inputs     []Input
	// Scenes are all scenes in OBS's order, and then all groups. Only the items of relevant ones are known: where the peer
	// is or something is remembered, and where the peer will be, with everything that is shown there.
	Scenes []Scene
}
