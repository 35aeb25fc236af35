// SPDX-License-Identifier: Apache-2.0

package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media/internal/pipe"
)

const (
	// Buffer of a speaker, and how much it takes at a time in microseconds. Mouth to ear is 53 ms with 20/10, 56 to 59 with
	// 25/5, 64 with 30/10 and 69 with 40/10; on a busy machine one causes no more gaps than another (measured, PulseAudio
	// 16.1, null sinks).
	speakerBuffer  = 25 * time.Millisecond
	speakerLatency = 5000
	// mostAhead is more than a sink is ever ahead. If its server stood still, a stream's clock is wrong by more for some
	// seconds (measured).
	mostAhead = 150 * time.Millisecond
	// chunk is how much the sound server gets at a time.
	chunk = 5 * time.Millisecond
)

// nameSound is the name of the appsink or appsrc that moves decoded sound.
const nameSound = "sound"

// soundCaps is the format of decoded sound.
const soundCaps = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=2"

// speaker plays what its playout holds to one sink, without a pause: silence if there is nothing.
type speaker struct {
	machine
	sink    string
	sound   *pipe.Source
	playout *playout
	// ahead is the time in nanoseconds from handing sound over until it is heard; 0 while nothing plays.
	ahead atomic.Int64
	// buffer is how much the sink holds, and late how often it asked for more only after it had played everything.
	buffer time.Duration
	late   atomic.Int64
	// silent says that it plays silence, and loud is the last volume: 0 or 1.
	silent atomic.Bool
	loud   float64
}

func newSpeaker(sink string, buffer, spare time.Duration, log *slog.Logger) (*speaker, error) {
	const what = "audio receiver"
	if buffer <= 0 {
		buffer = speakerBuffer
	}
	m, err := newSoundMachine(what, speakerGraph(sink, buffer), log)
	if err != nil {
		return nil, err
	}
	s := &speaker{machine: m, sink: sink, playout: newPlayout(spare), buffer: buffer, loud: 1}
	if s.sound, err = m.pipe.Source(nameSound); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

// The sink stays synchronised, because an unsynchronised one accumulates delay (measured). It sets the pace: it is fed when
// it asks.
func speakerGraph(sink string, buffer time.Duration) graph {
	return row(
		element("appsrc", prop("name", nameSound), "format=time", prop("caps", soundCaps)),
		element("pulsesink", append(pulseProps(nameSpeaker, sink, speakerPurpose(sink)),
			intProp("buffer-time", int(buffer.Microseconds())), intProp("latency-time", speakerLatency))...),
	)
}

// run plays until ctx ends (nil) or the sink fails.
func (s *speaker) run(ctx context.Context) error {
	defer s.ahead.Store(0)
	return s.machine.run(ctx, s.play)
}

func (s *speaker) play(ctx context.Context) {
	pcm := make([]int16, soundChannels*frames(chunk))
	var at time.Duration
	var asked time.Time
	err := s.sound.Feed(ctx, func() bool {
		now := time.Now()
		if !asked.IsZero() && now.Sub(asked) > s.buffer {
			s.late.Add(1)
		}
		asked = now
		s.playout.read(pcm)
		s.shade(pcm)
		err := s.sound.PushTimed(2*len(pcm), at, func(b []byte) {
			for i, v := range pcm {
				binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
			}
		})
		if err != nil {
			// The pipeline will report why.
			return false
		}
		if now := s.pipe.RunningTime(); now > 0 {
			s.ahead.Store(int64(at - now))
		}
		at += chunk
		return true
	})
	if err != nil {
		s.log.Warn("no sound", "error", err)
	}
}

// shade fades to silence or back within the length of pcm, so that there is no click. The playout continues meanwhile.
func (s *speaker) shade(pcm []int16) {
	from, to := s.loud, 1.0
	if s.silent.Load() {
		to = 0
	}
	s.loud = to
	switch {
	case from == to && to == 0:
		clear(pcm)
	case from != to:
		for i := range pcm {
			part := float64(i/soundChannels) / float64(len(pcm)/soundChannels)
			pcm[i] = int16(float64(pcm[i]) * (from + (to-from)*part))
		}
	}
}

// latency is the time from write of the playout to the ear, without the delay that was set, or 0 while unknown.
func (s *speaker) latency() time.Duration {
	ahead := time.Duration(s.ahead.Load())
	if ahead <= 0 || ahead > mostAhead {
		return 0
	}
	return s.playout.wait() + ahead
}
