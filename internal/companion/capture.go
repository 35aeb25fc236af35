// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"fmt"
	"slices"

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
	if users == tempCollection {
		return fmt.Errorf("OBS is on the scene collection %q that an earlier run left: choose yours in OBS's menu Scene Collection", tempCollection)
	}
	if slices.Contains(all, tempCollection) {
		err = s.obs.SetCollection(ctx, tempCollection)
	} else {
		err = s.obs.CreateCollection(ctx, tempCollection)
	}
	if err != nil {
		return fmt.Errorf("bringing OBS's sound back: %w", err)
	}
	if err := s.obs.SetCollection(context.WithoutCancel(ctx), users); err != nil {
		return fmt.Errorf("bringing OBS's sound back: choose %q in OBS's menu Scene Collection: %w", users, err)
	}
	s.c.sound.revived()
	s.seen.all()
	return nil
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
	n, err := s.c.sound.capturesOf(ctx, s.obs.Endpoint().PID)
	return n == 0, err
}
