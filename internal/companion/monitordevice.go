// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"

	"github.com/costream-obs/costream-obs/internal/pulse"
)

// Microphones reach our sink by moving OBS's streams there (routeMics), not by OBS's monitoring
// device. To apply a device to a running OBS takes a switch of profiles, and an OBS whose stream is
// just starting then can crash (seen twice on 29.0.2, under load) or drop the stream. And a device
// of ours that stays in the profile can crash an OBS that is later started without us. The sound
// server may remember where a stream was moved; what the user monitors is therefore kept from our
// sink while we are off air.

// returnStreams brings what OBS monitors off air to where the user wants it.
func (s *session) returnStreams(ctx context.Context) error {
	if len(s.seen.monitored) == 0 || !s.c.sound.ready() {
		return nil
	}
	streams, err := s.c.sound.streamsOf(ctx, s.seen.pid)
	if err != nil {
		return err
	}
	ours, err := s.c.sound.ourSink(ctx, streams)
	if err != nil {
		return err
	}
	return s.returnAll(ctx, streams, ours)
}

// returnAll moves streams of OBS away from our sink, by its number, to where the user hears them.
func (s *session) returnAll(ctx context.Context, streams map[string]pulse.SinkInput, ours int) error {
	for _, stream := range streams {
		if stream.Sink != ours {
			continue
		}
		sink, err := s.usersSink(ctx)
		if err != nil {
			return err
		}
		if err := s.c.sound.move(ctx, stream, sink); err != nil {
			return err
		}
	}
	return nil
}

// usersSink is where OBS plays monitored inputs by the user's choice.
func (s *session) usersSink(ctx context.Context) (string, error) {
	device, err := s.obs.MonitoringDevice(ctx)
	if err != nil {
		return "", err
	}
	if sink := device.Sink(s.seen.version); sink != "" {
		there, err := s.c.sound.exists(ctx, sink)
		if err != nil || there {
			return sink, err
		}
	}
	return s.c.sound.defaultSink(ctx)
}
