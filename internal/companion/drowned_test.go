// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestDrownedMicrophone: a microphone that does not reach us is found beside one that never pauses, by listening to it alone.
func TestDrownedMicrophone(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	const step = 50 * time.Millisecond
	fault := errors.New("fault")
	for _, tt := range []struct {
		name     string
		moves    int                // of ten of its meters, how many move while the guitar is listened to
		peaks    map[string]float64 // of what OBS plays
		stopped  bool               // OBS plays nothing of the guitar
		err      error
		want     []string
		listened []string
	}{
		{name: "both come", moves: 10, peaks: map[string]float64{mic: 0.5, guitar: 0.1}, listened: []string{mic, guitar}},
		{name: "one is dead", moves: 10, peaks: map[string]float64{mic: 0.5}, want: []string{guitar}, listened: []string{mic, guitar}},
		{name: "one has no stream", moves: 10, peaks: map[string]float64{mic: 0.5}, stopped: true, listened: []string{mic}},
		{name: "one pauses meanwhile", moves: 5, peaks: map[string]float64{mic: 0.5}, listened: []string{mic, guitar}},
		{name: "the sound server does not let us", moves: 10, err: fault, listened: []string{mic, guitar}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var u unheard
			u.reset()
			now := time.Now().Add(-time.Minute)
			sound := func(inputs ...string) {
				var levels obsctl.Levels
				for _, input := range inputs {
					levels = append(levels, obsctl.Level{Input: input, Captured: 0.5, Heard: 0.5})
				}
				u.meter(levels, []string{mic, guitar}, now)
				u.record(0.5, now)
				now = now.Add(step)
			}
			streams := map[string]pulse.SinkInput{}
			names := map[int]string{1: mic, 2: guitar}
			for index, name := range names {
				if name != guitar || !tt.stopped {
					in := pulse.SinkInput{}
					in.Index = index
					streams[name] = in
				}
			}
			var listened []string
			woken := 0
			d := drowned{
				unheard: &u, mics: func() []string { return []string{mic, guitar} }, wakeUp: func() { woken++ }, log: slog.New(slog.DiscardHandler),
				streams: func(context.Context) (map[string]pulse.SinkInput, error) {
					if tt.stopped {
						for range 40 {
							sound(mic, guitar)
						}
					}
					return streams, nil
				},
				peak: func(_ context.Context, stream int) (float64, error) {
					listened = append(listened, names[stream])
					for i := range 40 {
						if i%10 < tt.moves {
							sound(mic, guitar)
						} else {
							sound(mic)
						}
					}
					return tt.peaks[names[stream]], tt.err
				},
			}
			for range 4 * time.Second / step {
				sound(mic, guitar)
			}
			if d.look(t.Context()); len(listened) > 0 {
				t.Fatalf("listened to %q after 4 s", listened)
			}
			now = time.Now().Add(-4 * time.Second)
			for now.Before(time.Now()) {
				sound(mic, guitar)
			}
			for range 5 {
				now = time.Now()
				sound(mic, guitar)
				d.look(t.Context())
			}
			if diff := cmp.Diff(tt.want, u.all()); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.listened, listened); diff != "" {
				t.Errorf("listened to (-want +got):\n%s", diff)
			}
			if woken != len(tt.want) {
				t.Errorf("woke the session %d times, want %d", woken, len(tt.want))
			}
		})
	}
}
