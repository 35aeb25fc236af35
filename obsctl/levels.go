// SPDX-License-Identifier: Apache-2.0

package obsctl

import "github.com/andreykaipov/goobs/api/events"

// Level is the sound of one input in the last 50 ms.
type Level struct {
	Input string
	// Captured is the highest sample before mute, push-to-talk and fader, and
	// Heard the one after them, of 0 to 1.
	Captured, Heard float64
}

// levels takes the highest of an input's channels. OBS reports three numbers for each: the mean and the highest sample after
// the fader, and the highest before it.
func levels(e *events.InputVolumeMeters) Levels {
	all := make(Levels, 0, len(e.Inputs))
	for _, in := range e.Inputs {
		level := Level{Input: in.Name}
		for _, channel := range in.Levels {
			level.Heard = max(level.Heard, channel[1])
			level.Captured = max(level.Captured, channel[2])
		}
		all = append(all, level)
	}
	return all
}
