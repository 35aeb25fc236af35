// SPDX-License-Identifier: Apache-2.0

package scenes

import "context"

// Eye is what SetVisible does to the eyes of the peer's items.
type Eye int

// The ways to set the eyes. Toggle hides all if any is shown, and shows all otherwise.
const (
	Hide Eye = iota
	Show
	Toggle
)

// Spot is one item of the peer source.
type Spot struct {
	Scene     string `json:"scene"`
	Group     string `json:"group,omitempty"` // the group in Scene that holds it
	Item      int    `json:"item"`
	Input     string `json:"input"`
	Enabled   bool   `json:"enabled"`
	Ours      bool   `json:"ours"`      // costream-obs added it and will remove it
	Hidden    bool   `json:"hidden"`    // the user hid it
	Programme bool   `json:"programme"` // Scene is the programme scene
}

// State is what Status found.
type State struct {
	Collection string `json:"collection"`
	Input      string `json:"input"` // "" when there is none
	Kind       string `json:"kind"`
	Spots      []Spot `json:"spots"`
}

// Change is one thing that SetVisible, Add or Remove did.
type Change struct {
	Edit Edit
	// NeedsTransition: studio mode is on and the programme shows it only after a transition.
	NeedsTransition bool
}

// Status tells where the peer source is. Patterns narrow the scenes; none means all.
func Status(ctx context.Context, obs OBS, src Source, patterns []string) (State, error) {
	return State{}, nil
}

// SetVisible shows or hides all items of the peer source, in groups too, and notes it as the
// user's wish. Patterns narrow the scenes; none means all.
// Errors: ErrNoPeerSource, *UnknownSceneError, *EditError values joined.
func SetVisible(ctx context.Context, obs OBS, src Source, patterns []string, eye Eye) ([]Change, error) {
	return nil, nil
}

// Add puts the peer source into the scenes that the patterns name, the programme scene if
// there are none, as if the user had done so: costream-obs will show and hide it but not
// remove it. A scene that has it already is left alone.
func Add(ctx context.Context, obs OBS, src Source, patterns []string, layout Layout) ([]Change, error) {
	return nil, nil
}

// Remove takes every item of the peer source out of the scenes that the patterns name, all scenes
// if there are none, whoever added it. The places are remembered for the next Add.
func Remove(ctx context.Context, obs OBS, src Source, patterns []string) ([]Change, error) {
	return nil, nil
}
