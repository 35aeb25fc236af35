// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
)

// tempCollection is an empty scene collection that OBS is sent to for a moment.
const tempCollection = "costream-tmp"

// reviveCapture brings OBS's own sound captures back after the sound server was restarted: OBS never
// connects again by itself, so not only the peer but the user's own stream would stay silent. It
// does so once all its PulseAudio inputs were closed, which a switch to another scene collection and
// back achieves in about 80 ms (measured, 29.0.2); the picture blinks for that long.
func (s *session) reviveCapture(ctx context.Context) error {
	lost, err := s.captureLost(ctx)
	if err != nil || !lost {
		return err
	}
	s.log.Warn("OBS lost the sound server and does not connect again by itself: loading its scene collection again")
	users, all, err := s.obs.Collections(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // there and back
	s.ledger.Collection = users
	if err := s.ledger.save(ctx); err != nil {
		return err
	}
	if slices.Contains(all, tempCollection) {
		err = s.obs.SetCollection(ctx, tempCollection)
	} else {
		err = s.obs.CreateCollection(ctx, tempCollection)
	}
	if err != nil {
		return fmt.Errorf("bringing OBS's sound back: %w", err)
	}
	s.c.sound.revived()
	return s.leaveTempCollection(ctx)
}

// leaveTempCollection brings OBS back to the user's scene collection, also after a crash in between.
func (s *session) leaveTempCollection(ctx context.Context) error {
	users := s.ledger.Collection
	if users == "" {
		return nil
	}
	now, _, err := s.obs.Collections(ctx)
	if err != nil {
		return err
	}
	if now == tempCollection {
		if err := s.obs.SetCollection(ctx, users); err != nil {
			return fmt.Errorf("choose %q in OBS's menu Scene Collection: %w", users, err)
		}
	}
	s.seen.all()
	s.removeTempCollection()
	s.ledger.Collection = ""
	return s.ledger.save(ctx)
}

// removeTempCollection removes what OBS saved of our empty collection: no version of obs-websocket
// can. Where the files are not to be found the collection stays in OBS's menu, empty.
func (s *session) removeTempCollection() {
	dir, err := collection.Of(s.seen.pid, obsctl.FindOptions{})
	if err != nil {
		return
	}
	all, err := dir.All()
	if err != nil {
		s.log.Debug("OBS's scene collections cannot be seen", "error", err)
		return
	}
	for _, file := range all {
		if file.Name() != tempCollection {
			continue
		}
		for _, path := range []string{file.Path(), file.Path() + ".bak"} {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				s.log.Warn("an empty scene collection is left", "file", path, "error", err)
			}
		}
	}
}

// captureLost reports whether the sound server was restarted under OBS and OBS captures nothing now
// although it has inputs that should.
func (s *session) captureLost(ctx context.Context) (bool, error) {
	if !s.c.sound.restarted() {
		return false, nil
	}
	captures := slices.ContainsFunc(s.seen.inputs, func(in obsctl.Input) bool {
		return in.UnversionedKind == "pulse_input_capture" || in.UnversionedKind == captureKind
	})
	if !captures {
		return false, nil
	}
	recording, err := s.c.sound.capturesOf(ctx, s.seen.pid)
	return len(recording) == 0, err
}

const (
	// recordLook is how often it is looked at what OBS records, and recordWithin how long it may take to
	// begin.
	recordLook   = 2 * time.Second
	recordWithin = 3 * time.Second
)

// checkRecording finds a microphone that OBS does not record: one that was unplugged and came back stays
// dead in OBS, and neither viewers nor the peer hear it.
func (s *session) checkRecording(ctx context.Context) error {
	if time.Since(s.capturesLooked) >= recordLook {
		recording, err := s.c.sound.capturesOf(ctx, s.seen.pid)
		if err != nil {
			return err
		}
		s.capturesLooked = time.Now()
		s.noteRecording(recording)
	}
	for _, mic := range slices.Sorted(maps.Keys(s.unrecorded)) {
		if time.Since(s.unrecorded[mic]) >= recordWithin {
			return fmt.Errorf("OBS records nothing from %q, so neither your viewers nor your friend hear it: in OBS open its properties "+
				"(the gear beside it in the Audio Mixer), choose another device and then yours again; or restart OBS", mic)
		}
	}
	return nil
}

// noteRecording notes since when a microphone of the sound server has not been recorded.
func (s *session) noteRecording(recording map[string]bool) {
	before := s.unrecorded
	s.unrecorded = make(map[string]time.Time)
	for _, in := range s.seen.inputs {
		if in.UnversionedKind != "pulse_input_capture" || recording[in.Name] || !slices.Contains(s.seen.mics(), in.Name) {
			continue
		}
		s.unrecorded[in.Name] = time.Now()
		if since, known := before[in.Name]; known {
			s.unrecorded[in.Name] = since
		}
	}
}
