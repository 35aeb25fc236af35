// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"strings"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/obsctl"
)

// Hotkeys is the state of the hotkeys that `costream-obs setup hotkeys` added to OBS.
type Hotkeys struct {
	// Entry is the last order; nil means that there was none.
	Entry *hotkeys.Entry
	// Collection is OBS's current scene collection, Script the path of our script in it, and Keys are the keys for each of
	// the script's hotkeys.
	Collection string
	Script     string
	Keys       map[hotkeys.Action][]string
	// Current says that the script's file is this costream-obs's own, ScriptErr why it cannot be read.
	Current   bool
	ScriptErr error
}

// lookAtHotkeys reads the files; OBS need not run.
func lookAtHotkeys(stateDir string) (Hotkeys, error) {
	var h Hotkeys
	var err error
	if h.Entry, err = hotkeys.NewStore(stateDir).Load(); err != nil || h.Entry == nil {
		return h, err
	}
	dir, err := collection.Find(obsctl.FindOptions{})
	if err != nil {
		return h, err
	}
	file, err := dir.Open("")
	if err != nil {
		return h, err
	}
	doc, err := file.Read()
	if err != nil {
		return h, err
	}
	h.Collection = file.Name()
	if h.Keys, h.Script = hotkeys.Bound(doc); h.Script != "" {
		h.Current, h.ScriptErr = hotkeys.Current(h.Script)
	}
	return h, nil
}

// hotkeysSetUp is obs.hotkeys.
func (m *Machine) hotkeysSetUp(ctx context.Context) doctor.Result {
	h, err := m.Hotkeys(ctx)
	const again = "Close OBS, then repeat `costream-obs setup hotkeys` with your keys."
	switch {
	case err != nil:
		return doctor.Skipped("OBS's files do not say (%v)", err)
	case h.Entry == nil:
		return doctor.Fine("none were set up; `costream-obs setup hotkeys` does it")
	case h.Entry.Waiting:
		return doctor.Result{
			Status: doctor.Warn,
			Detail: "The changes of `costream-obs setup hotkeys` or `costream-obs setup clean-feed` wait until OBS is closed.",
			Why:    "When OBS ends it writes its scene collection and overwrites changes by others.",
			Next:   "Close OBS while `costream-obs run` runs. Without it, close OBS and repeat the command.",
		}
	case h.Entry.Problem != "":
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("The hotkeys could not be given to OBS: %s.", h.Entry.Problem),
			Why:    "OBS does not have them.",
			Next:   "Repeat `costream-obs setup hotkeys`, with another key if the message says so.",
		}
	case h.Script == "" && len(h.Entry.Order.Keys) == 0:
		return doctor.Fine("none were set up for the scene collection %q", h.Collection)
	case h.Script == "":
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("OBS's scene collection %q does not have the hotkeys that you set up.", h.Collection),
			Why:    "Scripts belong to a scene collection, and this is another one, or somebody took ours out.",
			Next:   again + " With `--all` every scene collection gets them.",
		}
	case h.ScriptErr != nil:
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("OBS is set to run our script, which cannot be read: %v.", h.ScriptErr),
			Why:    "Without it the hotkeys do nothing.",
			Next:   again,
		}
	case !h.Current:
		return doctor.Result{
			Status: doctor.Warn,
			Detail: fmt.Sprintf("The script %s does not belong to this version of costream-obs.", m.tilde(h.Script)),
			Why:    "It was updated since, or changed by hand.",
			Next:   again,
		}
	}
	var keys []string
	for _, action := range hotkeys.Actions {
		if bound := h.Keys[action]; len(bound) > 0 {
			keys = append(keys, fmt.Sprintf("%s (%s)", strings.Join(bound, ", "), action))
		}
	}
	if len(keys) == 0 && len(h.Entry.Order.Keys) == 0 {
		return doctor.Fine("none has a key; `costream-obs setup hotkeys` gives them one")
	}
	if len(keys) == 0 {
		return doctor.Fine("they have no keys any more; OBS, Settings, Hotkeys")
	}
	return doctor.Fine("%s", strings.Join(keys, ", "))
}
