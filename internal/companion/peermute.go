// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"

	"github.com/costream-obs/costream-obs/obsctl"
)

// followPeerMute silences the peer's voice, in the ears and in the stream, while the user has the peer source muted in OBS.
// That is how our hotkey mutes a peer whose voice comes through Desktop Audio, which has no fader of its own for it.
func (s *session) followPeerMute(ctx context.Context) error {
	if s.air == nil || s.input == "" || s.muteAsked == s.input {
		return nil
	}
	muted, err := s.obs.InputMuted(ctx, s.input)
	switch {
	case obsctl.IsCode(err, obsctl.CodeInvalidState):
		// obs-websocket 5.7 does not tell the mute of a source without sound when asked, but its events do (source).
	case err != nil:
		return err
	default:
		s.air.SilencePeer(muted)
	}
	s.muteAsked = s.input
	return nil
}
