// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/costream-obs/costream-obs/scenes"
)

// PeerAction is what a command of `costream-obs peer` does.
type PeerAction string

// The actions, with the fields of the order that they take besides OBS, Scenes and Source.
const (
	PeerShow    PeerAction = "show"
	PeerHide    PeerAction = "hide"
	PeerToggle  PeerAction = "toggle"
	PeerAdd     PeerAction = "add" // Layouts
	PeerRemove  PeerAction = "remove"
	PeerStatus  PeerAction = "status"
	PeerArrange PeerAction = "arrange" // Layout
	PeerUse     PeerAction = "use"     // Saved
	PeerRestore PeerAction = "restore" // Layouts
	PeerSave    PeerAction = "save"    // of Scenes the first alone
	PeerAway    PeerAction = "away"    // of a running companion alone, as is PeerBack
	PeerBack    PeerAction = "back"

	// Those of a running companion alone, as PeerAway and PeerBack are.
	PeerMute     PeerAction = "mute"
	PeerUnmute   PeerAction = "unmute"
	PeerMuteMe   PeerAction = "mute-me"
	PeerUnmuteMe PeerAction = "unmute-me"
	PeerStart    PeerAction = "start"
	PeerStop     PeerAction = "stop"
	PeerResync   PeerAction = "resync"
)

// PeerOrder is what somebody wants to have done with the peer source in OBS's scenes. A running companion carries it out, and
// without one the command that has it.
type PeerOrder struct {
	OBS    string        `json:"obs"` // address of the OBS that is meant
	Do     PeerAction    `json:"do"`
	Scenes []string      `json:"scenes,omitempty"` // patterns
	Source scenes.Source `json:"source"`

	Layout  scenes.Layout  `json:"layout"`
	Layouts scenes.Layouts `json:"layouts"`
	Saved   scenes.Saved   `json:"saved"`
}

// AboutEyes reports whether an order shows and hides the peer, and nothing else.
func (o PeerOrder) AboutEyes() bool {
	return o.Do == PeerShow || o.Do == PeerHide || o.Do == PeerToggle
}

// PeerAnswer is what came of an order.
type PeerAnswer struct {
	Changes []PeerChange  `json:"changes,omitempty"`
	State   *scenes.State `json:"state,omitempty"` // of PeerStatus
	Tally   *Tally        `json:"tally,omitempty"` // of PeerStatus, from a running companion
	Saved   *scenes.Saved `json:"saved,omitempty"` // of PeerSave
	Break   string        `json:"break,omitempty"` // of PeerAway and PeerBack: as in Report
	// WaitsForOBS says that PeerStart is carried out when OBS is there.
	WaitsForOBS bool `json:"waits_for_obs,omitempty"`
}

// PeerChange is one thing that was changed, as `peer --json` prints it.
type PeerChange struct {
	Action          string `json:"action"` // show, hide, add, remove, place, keep or set
	Scene           string `json:"scene,omitempty"`
	Item            int    `json:"item,omitempty"`
	Through         string `json:"through,omitempty"` // keep: a scene with the peer that Scene shows
	Text            string `json:"text,omitempty"`    // set: what was set
	NeedsTransition bool   `json:"needsTransition,omitempty"`
}

// Carry carries an order out. What was changed is in the answer also when some of it failed.
func (o PeerOrder) Carry(ctx context.Context, obs scenes.OBS) (answer PeerAnswer, err error) {
	var changes []scenes.Change
	switch o.Do {
	case PeerShow, PeerHide, PeerToggle:
		eye := map[PeerAction]scenes.Eye{PeerShow: scenes.Show, PeerHide: scenes.Hide, PeerToggle: scenes.Toggle}[o.Do]
		changes, err = scenes.SetVisible(ctx, obs, o.Source, o.Scenes, eye)
	case PeerAdd:
		changes, err = scenes.Add(ctx, obs, o.Source, o.Scenes, o.Layouts)
	case PeerRemove:
		changes, err = scenes.Remove(ctx, obs, o.Source, o.Scenes)
	case PeerStatus:
		var state scenes.State
		state, err = scenes.Status(ctx, obs, o.Source, o.Scenes)
		answer.State = &state
	case PeerArrange:
		changes, err = scenes.Arrange(ctx, obs, o.Source, o.Scenes, o.Layout)
	case PeerUse:
		changes, err = scenes.Use(ctx, obs, o.Source, o.Scenes, o.Saved)
	case PeerRestore:
		changes, err = scenes.Restore(ctx, obs, o.Source, o.Scenes, o.Layouts)
	case PeerSave:
		var saved scenes.Saved
		saved, err = scenes.Save(ctx, obs, o.Source, append(o.Scenes, "")[0])
		answer.Saved = &saved
	default:
		err = fmt.Errorf("nobody knows how to %q a peer", o.Do)
	}
	for _, change := range changes {
		answer.Changes = append(answer.Changes, peerChange(change))
	}
	return answer, err
}

func peerChange(change scenes.Change) PeerChange {
	out := PeerChange{Action: "set", NeedsTransition: change.NeedsTransition}
	switch e := change.Edit.(type) {
	case scenes.EnableItem:
		out.Action, out.Scene, out.Item = "hide", e.Scene, e.Item
		if e.Enable {
			out.Action = "show"
		}
	case scenes.AddItem:
		out.Action, out.Scene = "add", e.Scene
	case scenes.RemoveItem:
		out.Action, out.Scene, out.Item = "remove", e.Scene, e.Item
	case scenes.PlaceItem:
		out.Action, out.Scene, out.Item = "place", e.Scene, e.Item
	case scenes.KeepLook:
		out.Action, out.Scene, out.Through = "keep", e.Scene, e.Through
	default:
		out.Text = change.Edit.String()
	}
	return out
}

// ErrOtherOBS says that the companion that runs is not connected to the OBS that is meant.
var ErrOtherOBS = errors.New("the costream-obs that runs is not connected to that OBS")
