// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
)

var errNoStream = errors.New("OBS plays nothing of it")

// listenFor is how long a microphone is listened to alone: longer than a sound may take to us, by a second.
const listenFor = soundWay + time.Second

// drowned listens to microphones of which what we record does not show whether they reach us, because others never pause.
// Each microphone is a stream of OBS's at the sound server, which lets a single one be heard. That is a program of its own for
// two seconds, so that it is done seldom.
type drowned struct {
	unheard *unheard
	mics    func() []string // that should reach us
	streams func(context.Context) (map[string]pulse.SinkInput, error)
	peak    func(ctx context.Context, stream int) (float64, error) // the loudest sample until ctx ends
	wakeUp  func()
	log     *slog.Logger
}

// run listens until ctx ends.
func (d *drowned) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.look(ctx)
		}
	}
}

// look listens to the microphone that it is time for, if there is one.
func (d *drowned) look(ctx context.Context) {
	mic := d.unheard.drowned(d.mics(), time.Now())
	if mic == "" {
		return
	}
	changed, err := d.unheard.listen(mic, func() (float64, error) {
		streams, err := d.streams(ctx)
		if err != nil {
			return 0, err
		}
		stream, playing := streams[mic]
		if !playing {
			return 0, errNoStream // which monitor sees to
		}
		ctx, cancel := context.WithTimeout(ctx, listenFor)
		defer cancel()
		return d.peak(ctx, stream.Index)
	})
	if err != nil {
		d.log.Debug("a microphone could not be listened to", "microphone", mic, "error", err)
	}
	if changed {
		d.wakeUp()
	}
}

// listenDrowned is a part of a time on air.
func (s *session) listenDrowned(ctx context.Context, _ func()) error {
	pid := s.seen.pid
	d := drowned{
		unheard: &s.mic.unheard, mics: s.mic.gate.awaited, wakeUp: s.c.wakeUp, log: s.log,
		streams: func(ctx context.Context) (map[string]pulse.SinkInput, error) { return s.c.sound.streamsOf(ctx, pid) },
		peak: func(ctx context.Context, stream int) (float64, error) {
			return s.c.sound.pulse.Peak(ctx, pulse.OfSinkInput(stream))
		},
	}
	d.run(ctx)
	return nil
}
