// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// Microphones reach our sink because we move OBS's streams there (routeMics), not because OBS's monitoring device is our
// sink. Setting a monitoring device in a running OBS needs a switch of profiles. If OBS's stream is just starting then, OBS
// can crash (seen twice on 29.0.2, under load) or drop the stream. If our device stayed in the profile, an OBS that is
// started later without us could crash. The sound server may remember where a stream was moved, so off air we move what the
// user monitors away from our sink.

// ears makes the user hear what OBS monitors and the peer must not hear.
type ears struct {
	obs   earsOBS
	sound earsSound
	seen  *observed
}

// earsOBS is what ears needs of OBS.
type earsOBS interface {
	MonitoringDevice(ctx context.Context) (obsctl.MonitoringDevice, error)
}

// earsSound is what ears needs of the sound server.
type earsSound interface {
	defaultSink
	monitoredStreams
	exists(ctx context.Context, sink string) (bool, error)
	ready() bool
}

// monitoredStreams are the streams with which OBS plays what it monitors.
type monitoredStreams interface {
	streamsOf(ctx context.Context, pid int) (map[string]pulse.SinkInput, error)
	ourSink(ctx context.Context, streams map[string]pulse.SinkInput) (int, error)
	move(ctx context.Context, stream pulse.SinkInput, sink string) error
}

// returnStreams moves what OBS monitors off air to where the user wants to hear it.
func (e *ears) returnStreams(ctx context.Context) error {
	if len(e.seen.monitored) == 0 || !e.sound.ready() {
		return nil
	}
	streams, err := e.sound.streamsOf(ctx, e.seen.pid)
	if err != nil {
		return err
	}
	ours, err := e.sound.ourSink(ctx, streams)
	if err != nil {
		return err
	}
	return e.returnAll(ctx, streams, ours)
}

// returnAll moves streams of OBS away from our sink, which has the number ours, to where the user hears them.
func (e *ears) returnAll(ctx context.Context, streams map[string]pulse.SinkInput, ours int) error {
	for _, stream := range streams {
		if stream.Sink != ours {
			continue
		}
		sink, err := e.usersSink(ctx)
		if err != nil {
			return err
		}
		if err := e.sound.move(ctx, stream, sink); err != nil {
			return err
		}
	}
	return nil
}

// usersSink is where the user wants OBS to play monitored inputs.
func (e *ears) usersSink(ctx context.Context) (string, error) {
	device, err := e.obs.MonitoringDevice(ctx)
	if err != nil {
		return "", err
	}
	if sink := device.Sink(e.seen.version); sink != "" {
		there, err := e.sound.exists(ctx, sink)
		if err != nil || there {
			return sink, err
		}
	}
	return e.sound.defaultSink(ctx)
}
