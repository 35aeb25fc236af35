// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"slices"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/leftovers"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// traces are what is ours in OBS's scene collections, also in those that OBS has not loaded. Those can be cleaned only in
// OBS's files, while OBS is closed.
type traces struct {
	store  leftovers.Store
	scenes func() recalling
	feed   feedTraces
	seen   *observed
	ledger *ledger
	log    *slog.Logger

	files *collection.Dir // OBS's files, or nil if they are on another machine
	told  bool            // OBS knows what was cleaned while it was closed
}

// feedTraces is what is left of the clean feed, as cleanfeed.Feed knows it.
type feedTraces interface {
	Cleaned(collection string, left map[string]string)
	Made() cleanfeed.Made
	Left() cleanfeed.Made
}

// find finds OBS's files. After OBS has ended that is not possible.
func (t *traces) find() {
	if dir, err := collection.Of(t.seen.pid, obsctl.FindOptions{}); err == nil {
		t.files = &dir
	}
}

// note notes what is ours in OBS's scene collections when the session ends: in those that the user left while on air, and in
// the current one if OBS ended on air.
func (t *traces) note() {
	if t.files == nil || !t.told {
		return
	}
	memory, feed := t.ledger.recall.memory(), t.feed.Made()
	names := slices.DeleteFunc(memory.Names(), func(name string) bool { return !memory.Leaves(name) })
	for name := range t.feed.Left() {
		names = append(names, name)
	}
	for name := range t.ledger.Monitor {
		names = append(names, name)
	}
	for name := range t.ledger.Voice {
		names = append(names, name)
	}
	slices.Sort(names)
	entries := make(map[string]leftovers.Entry)
	for _, name := range slices.Compact(names) {
		entries[name] = leftovers.Entry{
			Scenes: memory.Of(name), Canvas: scenes.Size{W: t.seen.video.CanvasW, H: t.seen.video.CanvasH},
			Feed:  feed[name],
			Voice: t.ledger.Voice[name], VoiceDevice: fromPeerMonitor,
			Monitor: t.ledger.monitorOf(name), MuteButton: t.seen.version.MuteButtonMonitorsOnly(),
		}
	}
	if err := t.store.Note(*t.files, entries); err != nil {
		t.log.Warn("what is left in OBS's scene collections is removed when OBS loads them, not before", "error", err)
	}
}

// tell tells OBS which collections were cleaned while it was closed.
func (t *traces) tell(ctx context.Context) error {
	if t.files == nil {
		return nil
	}
	// Load it now, so that it is known at the end whatever happens.
	if _, err := t.scenes().LoadMemory(ctx); err != nil {
		return err
	}
	err := t.store.Tell(*t.files, func(name string, e leftovers.Entry) error {
		if err := t.remember(ctx, name, e.Scenes); err != nil {
			return err
		}
		t.feed.Cleaned(name, e.Feed)
		delete(t.ledger.Monitor, name)
		delete(t.ledger.Voice, name)
		return t.ledger.save(ctx)
	})
	t.told = err == nil
	return err
}

// remember replaces OBS's memory of one scene collection.
func (t *traces) remember(ctx context.Context, name string, memory scenes.Memory) error {
	obs := t.scenes()
	unlock, err := obs.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	m, err := obs.LoadMemory(ctx)
	if err != nil {
		return err
	}
	return obs.SaveMemory(ctx, m.With(name, memory))
}
