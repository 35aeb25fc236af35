// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// soundsFor is how long an input counts as sounding after OBS's meter moved; meters come every 50 ms.
	soundsFor = 150 * time.Millisecond
	// soundWay is more than the time from OBS's meter to our recording, also on a busy machine.
	soundWay = time.Second
	// unheardAfter is how much of a microphone's sound must be missing from what we record.
	unheardAfter = 3 * time.Second
	// drownedAfter is how much of a microphone's sound must have come, or not, beside that of others before it is listened to
	// alone, and listenAgain the least time between two times.
	drownedAfter = 5 * time.Second
	listenAgain  = 20 * time.Second
)

// unheard finds microphones whose sound does not reach us: their meter in OBS moves, behind mute, push-to-talk, filters and
// fader, and all samples that we record are exactly 0. All microphones arrive as one sound, so a silent one is found only
// while it sounds alone; drowned finds one beside others that never pause by listening to it alone. The zero value is ready;
// the methods may be called from any goroutine.
type unheard struct {
	mu       sync.Mutex
	sounded  map[string]time.Time     // when OBS's meter of a microphone last moved
	missing  map[string]time.Duration // how much of its sound did not arrive
	found    map[string]bool          // microphones of which too much is missing
	recorded time.Time                // when record was last called

	beside   map[string]time.Duration // how much of its sound was beside that of others since it was known to come
	listened map[string]time.Time     // when a microphone was listened to alone
	moves    map[string]int           // how often OBS's meter of a microphone moved
	meters   int                      // how often OBS's meters came
}

// reset begins a time on air.
func (u *unheard) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sounded, u.missing, u.found, u.recorded = make(map[string]time.Time), make(map[string]time.Duration), make(map[string]bool), time.Time{}
	u.beside, u.listened, u.moves = make(map[string]time.Duration), make(map[string]time.Time), make(map[string]int)
}

// meter takes in OBS's meters of the microphones that should reach us.
func (u *unheard) meter(levels obsctl.Levels, mics []string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sounded == nil {
		return
	}
	u.meters++
	for _, level := range levels {
		if level.Heard > 0 && slices.Contains(mics, level.Input) {
			u.sounded[level.Input] = now
			u.moves[level.Input]++
		}
	}
}

// record takes the loudest sample that we recorded since the last call, and reports whether the result of all has changed.
func (u *unheard) record(peak float64, now time.Time) (changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	since := min(now.Sub(u.recorded), soundsFor) // The first call, and one after a standstill, cover no more.
	u.recorded = now
	if peak > 0 {
		return u.came(now, since)
	}
	for mic, at := range u.sounded {
		if now.Sub(at) > soundsFor {
			continue
		}
		if u.missing[mic] += since; u.missing[mic] >= unheardAfter && !u.found[mic] {
			u.found[mic], changed = true, true
		}
	}
	return changed
}

// came notes that sound reached us. If one microphone alone sounded, it is that one. A microphone that was found silent
// stays so until then.
func (u *unheard) came(now time.Time, since time.Duration) (changed bool) {
	var possible []string
	for mic, at := range u.sounded {
		if now.Sub(at) <= soundWay {
			possible = append(possible, mic)
		}
	}
	for _, mic := range possible {
		delete(u.missing, mic)
		u.beside[mic] += since
	}
	return len(possible) == 1 && u.comes(possible[0])
}

// comes notes that a microphone's sound reaches us, and reports whether that is new.
func (u *unheard) comes(mic string) (changed bool) {
	changed = u.found[mic]
	delete(u.found, mic)
	delete(u.beside, mic)
	return changed
}

// drowned is the microphone, of these, that should be listened to alone now: it sounds, and what we record does not show
// whether its sound comes. It is empty where there is none.
func (u *unheard) drowned(mics []string, now time.Time) (mic string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range mics {
		if u.beside[m] >= drownedAfter && now.Sub(u.sounded[m]) <= soundsFor && now.Sub(u.listened[m]) >= listenAgain && u.beside[m] > u.beside[mic] {
			mic = m
		}
	}
	return mic
}

// listen listens to a microphone alone and reports whether what all returns is another than before. peak returns the loudest
// sample of what OBS plays of it in a time that is much longer than soundWay. Only where the meter moved nearly all of that
// time does silence mean something.
func (u *unheard) listen(mic string, peak func() (float64, error)) (changed bool, err error) {
	count := func() (moves, meters int) {
		u.mu.Lock()
		defer u.mu.Unlock()
		return u.moves[mic], u.meters
	}
	moves, meters := count()
	loudest, err := peak()
	moved, all := count()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.listened[mic] = time.Now()
	switch {
	case err != nil:
		return false, err
	case loudest > 0:
		return u.comes(mic), nil
	case all == meters || 10*(moved-moves) < 9*(all-meters) || u.found[mic]:
		return false, nil
	}
	u.found[mic] = true
	return true, nil
}

// all are the microphones whose sound does not reach us.
func (u *unheard) all() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var mics []string
	for mic := range u.found {
		mics = append(mics, mic)
	}
	slices.Sort(mics)
	return mics
}

// unheardError says why the peer does not hear a microphone, depending on how OBS plays it.
func unheardError(mic string, stream pulse.SinkInput, playing bool) error {
	if playing && stream.Silent {
		return fmt.Errorf("your friend does not hear %q: what OBS plays of it is muted, or has a volume of 0, in your desktop's sound settings; "+
			"turn it up in pavucontrol, Playback, or type: pactl set-sink-input-mute %d 0; pactl set-sink-input-volume %d 100%%", mic, stream.Index, stream.Index)
	}
	return fmt.Errorf("your friend does not hear %q: OBS's meter of it moves, but costream-obs gets only silence; "+
		"check whether OBS or costream-obs is muted in your desktop's sound settings (pavucontrol, Playback and Recording), "+
		"then in OBS under Edit → Advanced Audio Properties set it to \"Monitor Off\" and back", mic)
}
