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

	// ErrInNoScene says that there is nothing to show or hide.
	ErrInNoScene = errors.New("the peer is in no scene")

	// ErrNoPeerSource says that OBS has no input that is the peer source.
	ErrNoPeerSource = errors.New("OBS has no peer source: start streaming with `costream-obs run`, or type `costream-obs peer add`")
)

// OBS is the part of OBS that this package needs. Each call must have a deadline of its own. It takes many things at once,
// because users have hundreds of scenes and OBS is asked for many in one round trip. Where a scene is named, the name of a
// group does as well, but OBS refuses to add or remove items of groups.
type OBS interface {
	// Overview is what OBS says of itself as a whole.
	Overview(ctx context.Context) (Overview, error)
	// Collection asks for the name of the current scene collection where a Standing has it assumed.
	Collection(ctx context.Context) (string, error)
	// Look answers questions, many in one round trip. Its error is ErrNotFound, wrapped or bare, when an input of Settings or
	// a scene of Items is not there.
	Look(ctx context.Context, q Questions) (Answers, error)
	// SetInputSettings sets the given keys, or with replace all settings.
	SetInputSettings(ctx context.Context, input string, settings map[string]any, replace bool) error
	// CreateInput makes an input together with its first item, on top of the scene.
	CreateInput(ctx context.Context, scene, name, kind string, settings map[string]any, enabled bool) (item int, err error)
	// Do does several things, in order, and tells of each what came of it. One that fails does not stop the others.
	Do(ctx context.Context, tasks []Task) []Done
	// Lock keeps all other programs from changing the memory until unlock is called. Its error is ErrBusy, wrapped or
	// bare, when it cannot be had for too long.
	Lock(ctx context.Context) (unlock func(), err error)
	// SaveMemory stores m so that it outlives both OBS and us.
	SaveMemory(ctx context.Context, m Memory) error
}

// Overview is what OBS says of itself as a whole.
type Overview struct {
	Standing
	Canvas Size // base size of the current profile
	Studio bool // studio mode is on
	Inputs []Input
	Groups []string
	Memory Memory // what SaveMemory stored last, or an empty one
}

// Standing is which scenes OBS has and which of them is the programme.
type Standing struct {
	Collection string   // name of the scene collection
	Assumed    bool     // Collection is what OBS had the last time: to ask takes long
	Scenes     []string // in OBS's order, without groups
	Program    string
}

// Questions are what OBS is asked at once.
type Questions struct {
	Settings []string // inputs, whose settings that differ from their kinds' defaults are asked for
	Holding  []Holding
	Eyes     []ItemOf
	Items    []Place // scenes and groups, whose items are asked for
}

// Answers are those to Questions, each in the order of its question.
type Answers struct {
	Settings []map[string]any
	Holding  []bool
	Eyes     []EyeState
	Items    [][]Item // lowest first
	// Standing is where OBS stands after all that, unless Settings alone were asked for.
	Standing Standing
}

// Holding is the question whether a scene or group has itself an item of an input. It costs much less than Items.
type Holding struct{ Scene, Input string }

// ItemOf is an item of an input in a scene or group.
type ItemOf struct {
	Scene, Input string
	Item         int
}

// EyeState is what can be known of an item without a look at those beside it.
type EyeState struct {
	Only    bool // it is there, and the only one of its input in the scene
	Enabled bool
}

// Place is a scene or a group.
type Place struct {
	Name  string
	Group bool
}

// Task is one thing to do with an item, or with the memory.
type Task struct {
	Save  *Memory // this is stored as by SaveMemory, and nothing else is done
	Scene string
	Item  int    // 0 for a new one, hidden and on top of the scene
	Input string // that a new one is of
	// Remove: it is removed, and nothing else. An input whose last item goes, goes too, a little later.
	Remove bool
	Enable *bool // the eye, where not nil
	// Place, where not nil, is where it is put, with Index, its place in the scene where that is not negative, 0 the
	// lowest, and Lock, whether it gets the padlock.
	Place *Transform
	Index int
	Lock  bool
}

// Done is what came of a Task.
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
	EyeOnly   bool   // what follows is not known of it, nor which items are beside it
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

// Snapshot is everything that Plan looks at, as it was in OBS at one time.
type Snapshot struct {
	// Session is any text that stays the same while the OBS process lives and differs for the
	// next one. With it an item that the user deleted is told from one that OBS lost in a crash.
	Session    string
	Collection string
	Assumed    bool // as in Standing
	Canvas     Size
	Program    string
	Studio     bool
	Inputs     []Input
	// Scenes are all scenes in OBS's order, and then all groups. Items are known of those that matter: where the peer is
	// or something is remembered, and where the peer is to be with all that is shown there.
	Scenes []Scene
}
