// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
)

// tempCollection is an empty scene collection that OBS is sent to for a moment.
const tempCollection = "costream-tmp"

// capture keeps the sound captures of OBS working.
type capture struct {
	obs    captureOBS
	sound  captureSound
	seen   *observed
	ledger *ledger
	log    *slog.Logger

	looked     time.Time            // when we last checked what OBS records
	unrecorded map[string]time.Time // since when microphones have not been recorded
}

// captureOBS is what capture needs of OBS.
type captureOBS interface {
	Collections(ctx context.Context) (current string, all []string, err error)
	SetCollection(ctx context.Context, name string) error
	CreateCollection(ctx context.Context, name string) error
}

// captureSound is what capture needs of the sound server.
type captureSound interface {
	capturesOf(ctx context.Context, pid int) (map[string]bool, error)
	restarted() bool
	revived()
}

// revive makes OBS capture sound again after the sound server was restarted. OBS never reconnects by itself, so the user's
// own stream would stay silent, too. It reconnects once all its PulseAudio inputs were closed. A switch to another scene
// collection and back does that in about 80 ms (measured, 29.0.2); the picture is gone for that time.
func (c *capture) revive(ctx context.Context) error {
	lost, err := c.lost(ctx)
	if err != nil || !lost {
		return err
	}
	c.log.Warn("OBS lost the sound server and does not connect again by itself: loading its scene collection again")
	users, all, err := c.obs.Collections(ctx)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // or OBS would stay on the empty collection
	c.ledger.Collection = users
	if err := c.ledger.save(ctx); err != nil {
		return err
	}
	if slices.Contains(all, tempCollection) {
		err = c.obs.SetCollection(ctx, tempCollection)
	} else {
		err = c.obs.CreateCollection(ctx, tempCollection)
	}
	if err != nil {
		return fmt.Errorf("bringing OBS's sound back: %w", err)
	}
	c.sound.revived()
	return c.leaveTempCollection(ctx)
}

// leaveTempCollection brings OBS back to the user's scene collection, also after a crash before that.
func (c *capture) leaveTempCollection(ctx context.Context) error {
	users := c.ledger.Collection
	if users == "" {
		return nil
	}
	now, _, err := c.obs.Collections(ctx)
	if err != nil {
		return err
	}
	if now == tempCollection {
		if err := c.obs.SetCollection(ctx, users); err != nil {
			return fmt.Errorf("choose %q in OBS's menu Scene Collection: %w", users, err)
		}
	}
	c.seen.all()
	c.removeTempCollection()
	c.ledger.Collection = ""
	return c.ledger.save(ctx)
}

// removeTempCollection removes the file of our empty collection, because obs-websocket has no request for it. If we do not
// find OBS's files, the empty collection stays in OBS's menu.
func (c *capture) removeTempCollection() {
	dir, err := collection.Of(c.seen.pid, obsctl.FindOptions{})
	if err != nil {
		return
	}
	all, err := dir.All()
	if err != nil {
		c.log.Debug("OBS's scene collections cannot be seen", "error", err)
		return
	}
	for _, file := range all {
		if file.Name() != tempCollection {
			continue
		}
		for _, path := range []string{file.Path(), file.Path() + ".bak"} {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				c.log.Warn("an empty scene collection is left", "file", path, "error", err)
			}
		}
	}
}

// lost reports whether the sound server was restarted and OBS captures nothing since, although it has inputs that should.
func (c *capture) lost(ctx context.Context) (bool, error) {
	if !c.sound.restarted() {
		return false, nil
	}
	captures := slices.ContainsFunc(c.seen.inputs, func(in obsctl.Input) bool {
		return in.UnversionedKind == "pulse_input_capture" || in.UnversionedKind == captureKind
	})
	if !captures {
		return false, nil
	}
	recording, err := c.sound.capturesOf(ctx, c.seen.pid)
	return len(recording) == 0, err
}

const (
	// recordLook is how often we check what OBS records, and recordWithin how long OBS may take to begin.
	recordLook   = 2 * time.Second
	recordWithin = 3 * time.Second
)

// checkRecording finds a microphone that OBS does not record. One that was unplugged and plugged in again stays silent in
// OBS, for the viewers and the peer.
func (c *capture) checkRecording(ctx context.Context) error {
	if time.Since(c.looked) >= recordLook {
		recording, err := c.sound.capturesOf(ctx, c.seen.pid)
		if err != nil {
			return err
		}
		c.looked = time.Now()
		c.noteRecording(recording)
	}
	for _, mic := range slices.Sorted(maps.Keys(c.unrecorded)) {
		if time.Since(c.unrecorded[mic]) >= recordWithin {
			return fmt.Errorf("OBS records nothing from %q, so neither your viewers nor your friend hear it: in OBS open its properties "+
				"(the gear beside it in the Audio Mixer), choose another device and then yours again; or restart OBS", mic)
		}
	}
	return nil
}

// noteRecording notes since when each microphone of the sound server has not been recorded.
func (c *capture) noteRecording(recording map[string]bool) {
	before := c.unrecorded
	c.unrecorded = make(map[string]time.Time)
	for _, in := range c.seen.inputs {
		if in.UnversionedKind != "pulse_input_capture" || recording[in.Name] || !slices.Contains(c.seen.mics(), in.Name) {
			continue
		}
		c.unrecorded[in.Name] = time.Now()
		if since, known := before[in.Name]; known {
			c.unrecorded[in.Name] = since
		}
	}
}
