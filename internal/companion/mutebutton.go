// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"maps"

	"github.com/costream-obs/costream-obs/obsctl"
)

// The mute button of OBS 32.1.x leaves an input that is monitored and streamed unmuted and sets it to "monitor only": the
// viewers hear it no more, the peer would. The user muted a microphone, so it is muted in the way of every other version:
// then the other microphones are still heard, and it does not come back into the stream when it is not monitored any more.

// mutedByButton reports whether a microphone is at "monitor only" now, which it was not before we monitored it.
func (s *session) mutedByButton(mic string) bool {
	was, noted := s.ledger.Monitor[s.seen.collection][mic]
	return noted && was != obsctl.MonitorOnly && s.seen.monitored[mic] == obsctl.MonitorOnly &&
		s.seen.version.MuteButtonMonitorsOnly()
}

// mutedMics says of the microphones whether the user muted them, in whichever way; nil while nothing is known.
func (s *session) mutedMics() map[string]bool {
	muted := maps.Clone(s.seen.muted)
	for mic := range muted {
		muted[mic] = muted[mic] || s.mutedByButton(mic)
	}
	return muted
}

// muteAsButton mutes an input that the button set to "monitor only". OBS is asked anew, since the user may have clicked
// once more by now.
func (s *session) muteAsButton(ctx context.Context, input string) error {
	now, err := s.obs.MonitorType(ctx, input)
	if err != nil {
		return err
	}
	s.seen.setMonitored(input, now)
	if now != obsctl.MonitorOnly {
		return nil
	}
	if err := s.obs.SetInputMuted(ctx, input, true); err != nil {
		return err
	}
	if s.seen.muted != nil {
		s.seen.muted[input] = true // Its event may come later than what is left of this round.
	}
	return nil
}
