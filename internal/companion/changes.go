// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// changesSlot is where OBS stores the changes for us, so that they survive a crash of OBS or of costream-obs.
const changesSlot = "costream-obs.changes"

// changes are what we changed in an OBS, with the old values. A change is noted before it is made and forgotten after it is
// undone, so that a later run can undo it.
type changes struct {
	// Monitor is the monitoring type that inputs had, by collection and input.
	Monitor map[string]map[string]obsctl.MonitorType `json:"monitor,omitempty"`
	// Output is the OBS output that we started, "" if none.
	Output string `json:"output,omitempty"`
	// Collection is the user's scene collection while OBS is on ours.
	Collection string `json:"collection,omitempty"`
	// Voice is the name of our input for the peer's voice, by collection.
	Voice map[string]string `json:"voice,omitempty"`
	// Deduplicates says that we stopped OBS from removing what it monitors from the stream.
	Deduplicates bool `json:"deduplicates,omitempty"`
	// Captures are the settings with which those inputs let OBS do that again, by collection and input.
	Captures map[string]map[string]map[string]any `json:"captures,omitempty"`
}

// noteMonitor notes the type only if none is noted yet: later ones are our own.
func (c *changes) noteMonitor(collection, input string, was obsctl.MonitorType) (news bool) {
	if _, noted := c.Monitor[collection][input]; noted {
		return false
	}
	if c.Monitor == nil {
		c.Monitor = make(map[string]map[string]obsctl.MonitorType)
	}
	if c.Monitor[collection] == nil {
		c.Monitor[collection] = make(map[string]obsctl.MonitorType)
	}
	c.Monitor[collection][input] = was
	return true
}

func (c *changes) forgetMonitor(collection, input string) {
	delete(c.Monitor[collection], input)
	if len(c.Monitor[collection]) == 0 {
		delete(c.Monitor, collection)
	}
}

// noteVoice notes the name of our input for the peer's voice.
func (c *changes) noteVoice(collection, input string) {
	if c.Voice == nil {
		c.Voice = make(map[string]string)
	}
	c.Voice[collection] = input
}

// ourVoice is the one of the inputs with the peer's voice that we made, or empty. If the user renamed it while we were not
// running, its name does not match.
func (c *changes) ourVoice(collection string, voices []string) string {
	name, ours := c.Voice[collection]
	switch {
	case !ours:
		return ""
	case slices.Contains(voices, name):
		return name
	case len(voices) == 1:
		return voices[0]
	}
	return ""
}

// renameInput follows an input that the user renamed.
func (c *changes) renameInput(collection, old, name string) (news bool) {
	if c.Voice[collection] == old {
		c.Voice[collection], news = name, true
	}
	was, noted := c.Monitor[collection][old]
	if !noted {
		return news
	}
	c.forgetMonitor(collection, old)
	return c.noteMonitor(collection, name, was) || news
}

// noteCaptures notes the settings of inputs.
func (c *changes) noteCaptures(collection string, settings map[string]map[string]any) {
	if c.Captures == nil {
		c.Captures = make(map[string]map[string]map[string]any)
	}
	c.Captures[collection] = settings
}

// monitorOf returns a copy of what is noted for a collection.
func (c *changes) monitorOf(collection string) map[string]obsctl.MonitorType {
	return maps.Clone(c.Monitor[collection])
}

// store is where OBS keeps data for other programs.
type store interface {
	PersistentData(ctx context.Context, slot string, into any) (found bool, err error)
	SetPersistentData(ctx context.Context, slot string, v any) error
}

// Left says what an earlier costream-obs has not undone in an OBS, as phrases for people, or nil. It leaves out changes in
// scene collections that are not loaded: those are undone when OBS loads them. The process id is 0 for an OBS on another
// machine.
func Left(ctx context.Context, obs cleanfeed.Store, collection string, pid int) ([]string, error) {
	left, err := leftChanges(ctx, obs, collection)
	if err != nil {
		return nil, err
	}
	var memory scenes.Memory
	if _, err := obs.PersistentData(ctx, obsscenes.Slot, &memory); err != nil {
		return nil, fmt.Errorf("reading where an earlier run put the peer: %w", err)
	}
	if memory.Leaves(collection) {
		left = append(left, "the peer in your scenes")
	}
	made, err := cleanfeed.LoadMade(ctx, obs)
	if err != nil {
		return nil, err
	}
	for _, scene := range slices.Sorted(maps.Keys(made[collection])) {
		if scene != made.Scene(collection) || !cameraKeeps(pid, collection, scene) {
			left = append(left, fmt.Sprintf("the scene %q", scene))
		}
	}
	return left, nil
}

// cameraKeeps reports whether a scene must stay because OBS's virtual camera outputs it, also if that cannot be known.
func cameraKeeps(pid int, collection, scene string) bool {
	if pid == 0 {
		return true
	}
	shows, err := cameraShows(pid, collection)
	return err != nil || shows == scene
}

// leftChanges is what Left finds in the noted changes.
func leftChanges(ctx context.Context, obs cleanfeed.Store, collection string) ([]string, error) {
	var c changes
	if _, err := obs.PersistentData(ctx, changesSlot, &c); err != nil {
		return nil, fmt.Errorf("reading what an earlier run changed: %w", err)
	}
	var left []string
	if c.Collection != "" {
		left = append(left, fmt.Sprintf("the scene collection instead of %q", c.Collection))
	}
	if c.Output != "" {
		left = append(left, fmt.Sprintf("the output %q", c.Output))
	}
	for _, input := range slices.Sorted(maps.Keys(c.Monitor[collection])) {
		left = append(left, fmt.Sprintf("the monitoring of %q", input))
	}
	if input := c.Voice[collection]; input != "" {
		left = append(left, fmt.Sprintf("the input %q", input))
	}
	if c.Deduplicates || len(c.Captures[collection]) > 0 {
		left = append(left, "what OBS leaves out of the stream")
	}
	return left, nil
}

// ledger keeps the changes in OBS and in memory.
type ledger struct {
	changes
	obs     store
	recall  *recall // keeps them, too
	unsaved bool    // OBS has an older version
}

// load reads what an earlier run changed.
func (l *ledger) load(ctx context.Context) error {
	var c changes
	found, err := l.obs.PersistentData(ctx, changesSlot, &c)
	if err != nil {
		return fmt.Errorf("reading what an earlier run changed: %w", err)
	}
	if l.changes = c; !found {
		l.changes = l.recall.changes
	}
	return nil
}

// save stores the changes in OBS. It is called before a noted change is made.
func (l *ledger) save(ctx context.Context) error {
	l.recall.changes = l.changes
	err := l.obs.SetPersistentData(ctx, changesSlot, &l.changes)
	l.unsaved = err != nil
	if err != nil {
		return fmt.Errorf("noting what we change: %w", err)
	}
	return nil
}

// saveUnsaved saves again if that failed before, so that the next run does not undo what is undone already.
func (l *ledger) saveUnsaved(ctx context.Context) error {
	if !l.unsaved {
		return nil
	}
	return l.save(ctx)
}
