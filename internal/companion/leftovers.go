// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"slices"

	"github.com/costream-obs/costream-obs/internal/leftovers"
	"github.com/costream-obs/costream-obs/scenes"
)

func (c *Companion) leftovers() leftovers.Store { return leftovers.NewStore(c.o.StateDir) }

// noteLeftovers notes what is ours in OBS's scene collections when the session has ended: in those that the user left on
// air, and in the current one where OBS ended on air.
func (s *session) noteLeftovers() {
	if s.files == nil || !s.told {
		return
	}
	memory, feed := s.c.recall.scenes, s.c.feed.Left()
	names := memory.Names()
	for name := range feed {
		names = append(names, name)
	}
	for name := range s.ledger.Monitor {
		names = append(names, name)
	}
	for name := range s.ledger.Voice {
		names = append(names, name)
	}
	slices.Sort(names)
	entries := make(map[string]leftovers.Entry)
	for _, name := range slices.Compact(names) {
		entries[name] = leftovers.Entry{
			Scenes: memory.Of(name), Canvas: scenes.Size{W: s.seen.video.CanvasW, H: s.seen.video.CanvasH},
			Feed:  feed[name],
			Voice: s.ledger.Voice[name], VoiceDevice: fromPeerMonitor,
			Monitor: s.ledger.monitorOf(name), MuteButton: s.seen.version.MuteButtonMonitorsOnly(),
		}
	}
	if err := s.c.leftovers().Note(*s.files, entries); err != nil {
		s.log.Warn("what is left in OBS's scene collections is removed when OBS loads them, not before", "error", err)
	}
}

// cleanFiles takes what is ours out of the scene collections of an OBS that is closed.
func (c *Companion) cleanFiles(ctx context.Context) {
	cleaned, err := c.leftovers().Carry(ctx)
	for _, name := range cleaned {
		c.log.Info("scene collection cleaned, while OBS is closed", "collection", name)
	}
	if err != nil {
		c.log.Warn("what is left in OBS's scene collections is removed when OBS loads them, not before", "error", err)
	}
}

// tellCleaned has OBS remember what is left to remember of the collections that were cleaned while it was closed.
func (s *session) tellCleaned(ctx context.Context) error {
	if s.files == nil {
		return nil
	}
	// It is asked for here so that it is known at the end, whatever happens.
	if _, err := s.scenesOBS().LoadMemory(ctx); err != nil {
		return err
	}
	err := s.c.leftovers().Tell(*s.files, func(name string, e leftovers.Entry) error {
		if err := s.rememberScenes(ctx, name, e.Scenes); err != nil {
			return err
		}
		s.c.feed.Cleaned(name, e.Feed)
		delete(s.ledger.Monitor, name)
		delete(s.ledger.Voice, name)
		return s.ledger.save(ctx)
	})
	s.told = err == nil
	return err
}

// rememberScenes puts the memory of one scene collection in the place of what OBS has.
func (s *session) rememberScenes(ctx context.Context, name string, memory scenes.Memory) error {
	obs := s.scenesOBS()
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
