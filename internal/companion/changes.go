// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// changesSlot is where OBS keeps the changes for us, so that they outlive a crash of either side.
const changesSlot = "costream-obs.changes"

// changes are what we changed in an OBS, with what was there before. A change is noted before it is
// made and forgotten after it is undone, so that whoever comes next can undo it.
type changes struct {
	// Monitor is the monitoring type that inputs had, by collection and input.
	Monitor map[string]map[string]obsctl.MonitorType `json:"monitor,omitempty"`
	// Output is the OBS output that we started, "" if none.
	Output string `json:"output,omitempty"`
	// Collection is the user's scene collection while OBS is on ours.
	Collection string `json:"collection,omitempty"`
	// Voice is what the input for the peer's voice is called that is ours, by collection.
	Voice map[string]string `json:"voice,omitempty"`
	// Deduplicates says that OBS was kept from removing what it monitors from the stream.
	Deduplicates bool `json:"deduplicates,omitempty"`
	// Captures are the settings of the inputs by which it is given that back, by collection and input.
	Captures map[string]map[string]map[string]any `json:"captures,omitempty"`
}

// noteMonitor keeps the first type that is noted: what came later was ours.
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

// noteVoice notes that the input for the peer's voice is ours.
func (c *changes) noteVoice(collection, input string) {
	if c.Voice == nil {
		c.Voice = make(map[string]string)
	}
	c.Voice[collection] = input
}

// ourVoice is the one of the inputs with the peer's voice that is ours, "" for none. One that the user renamed while we
// were away is not known by its name.
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

// noteCaptures keeps the settings of inputs.
func (c *changes) noteCaptures(collection string, settings map[string]map[string]any) {
	if c.Captures == nil {
		c.Captures = make(map[string]map[string]map[string]any)
	}
	c.Captures[collection] = settings
}

// monitorOf copies what is noted of a collection.
func (c *changes) monitorOf(collection string) map[string]obsctl.MonitorType {
	return maps.Clone(c.Monitor[collection])
}

// store is where OBS keeps data for others.
type store interface {
	PersistentData(ctx context.Context, slot string, into any) (found bool, err error)
	SetPersistentData(ctx context.Context, slot string, v any) error
}

// Left says what a costream-obs that ended has not undone in an OBS, as phrases for people; nil where all is undone. What
// it changed in other scene collections than the loaded one can wait until OBS is there again.
func Left(ctx context.Context, obs cleanfeed.Store, collection string) ([]string, error) {
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

// ledger holds the changes, in OBS and here.
type ledger struct {
	changes
	obs     store
	recall  *recall // of the changes too
	unsaved bool    // OBS keeps older changes than these
}

// load takes over what an earlier run changed.
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

// save has OBS keep the changes. It is called before what is noted is done.
func (l *ledger) save(ctx context.Context) error {
	l.recall.changes = l.changes
	err := l.obs.SetPersistentData(ctx, changesSlot, &l.changes)
	l.unsaved = err != nil
	if err != nil {
		return fmt.Errorf("noting what we change: %w", err)
	}
	return nil
}

// saveUnsaved saves the changes again where that was broken off or refused, lest the next run undo what is undone.
func (l *ledger) saveUnsaved(ctx context.Context) error {
	if !l.unsaved {
		return nil
	}
	return l.save(ctx)
}
