// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// TestUnheardMicrophone: OBS's meter moves and what we record is digital silence.
func TestUnheardMicrophone(t *testing.T) {
	const mic, guitar = "Mic/Aux", "Guitar"
	const late = 400 * time.Millisecond // from OBS's meter to us
	type part struct {
		length       time.Duration
		sounds       []string // by OBS's meters, behind mute, push-to-talk and filters
		silent       []string // of those, which do not come
		captures     []string // before mute and push-to-talk
		standsStill  bool     // nobody is told anything meanwhile
		notOurs      bool     // the microphones are not to reach us
		wantAtItsEnd []string
	}
	only := func(mics ...string) []string { return mics }
	for _, tt := range []struct {
		name  string
		parts []part
	}{
		{"heard", []part{{length: 20 * time.Second, sounds: only(mic)}}},
		{"nobody speaks", []part{{length: 20 * time.Second}}},
		{"muted, or the key is up", []part{{length: 20 * time.Second, captures: only(mic)}}},
		{"dead", []part{{length: 2500 * time.Millisecond, sounds: only(mic), silent: only(mic)},
			{length: time.Second, sounds: only(mic), silent: only(mic), wantAtItsEnd: only(mic)},
			{length: 20 * time.Second, wantAtItsEnd: only(mic)}}},
		{"dead, in short words", []part{{length: 200 * time.Millisecond, sounds: only(mic), silent: only(mic)}, {length: 5 * time.Second},
			{length: 4 * time.Second, sounds: only(mic), silent: only(mic), wantAtItsEnd: only(mic)}}},
		{"dead and well again", []part{{length: 4 * time.Second, sounds: only(mic), silent: only(mic), wantAtItsEnd: only(mic)},
			{length: time.Second, sounds: only(mic)}}},
		{"not to reach us", []part{{length: 20 * time.Second, sounds: only(mic), silent: only(mic), notOurs: true}}},
		{"the machine slept", []part{{length: 20 * time.Second, sounds: only(mic)}, {length: time.Minute, standsStill: true},
			{length: time.Second, sounds: only(mic), silent: only(mic)}, {length: time.Second, sounds: only(mic)}}},
		{"one of two", []part{{length: 20 * time.Second, sounds: only(mic, guitar), silent: only(guitar)}, {length: 2 * time.Second},
			{length: 4 * time.Second, sounds: only(guitar), silent: only(guitar), wantAtItsEnd: only(guitar)},
			{length: 20 * time.Second, sounds: only(mic, guitar), silent: only(guitar), wantAtItsEnd: only(guitar)},
			{length: 20 * time.Second, sounds: only(mic), wantAtItsEnd: only(guitar)},
			{length: 2 * time.Second, sounds: only(guitar)}}},
		{"two", []part{{length: 4 * time.Second, sounds: only(mic, guitar), silent: only(mic, guitar), wantAtItsEnd: only(guitar, mic)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var u unheard
			u.reset()
			now := time.Now()
			arrives := make(map[time.Time]bool)
			for i, p := range tt.parts {
				end := now.Add(p.length)
				if p.standsStill {
					now = end
				}
				for ; now.Before(end); now = now.Add(50 * time.Millisecond) {
					var levels obsctl.Levels
					comes := false
					for _, input := range []string{mic, guitar} {
						level := obsctl.Level{Input: input}
						if slices.Contains(p.sounds, input) {
							level.Captured, level.Heard = 0.5, 0.5
							comes = comes || !slices.Contains(p.silent, input)
						}
						if slices.Contains(p.captures, input) {
							level.Captured = 0.5
						}
						levels = append(levels, level)
					}
					mics := []string{mic, guitar}
					if p.notOurs {
						mics = nil
					}
					u.meter(levels, mics, now)
					arrives[now.Add(late)] = comes
					peak := 0.0
					if arrives[now] {
						peak = 0.5
					}
					u.record(peak, now)
				}
				if diff := cmp.Diff(p.wantAtItsEnd, u.all()); diff != "" {
					t.Errorf("after part %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}
