// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"strings"
)

// aloopIndex is the number of the loopback sound card.
const aloopIndex = 10

// aloopNames give PulseAudio's source and sink of the card their own name instead of "Built-in Audio" (measured, 16.1).
const aloopNames = `SUBSYSTEM=="sound", KERNEL=="card10", ATTR{id}=="alooptopeer", ENV{SOUND_DESCRIPTION}="costream-topeer (loopback)"
`

// planAloop plans to load the sound card now.
func (s State) planAloop(p *Plan) ([]Step, error) {
	load := append([]string{"modprobe", "snd-aloop"}, aloopParameters()...)
	hint := "If the module is not found, this kernel was built without it; leave out --audio=aloop."
	switch {
	case !s.Aloop.Loaded:
		p.Notes = append(p.Notes, "costream-obs itself does not need the loopback sound card: it makes a null sink when it runs. The card is for set-ups as of 2020.")
		return []Step{{What: fmt.Sprintf("Make sound card %d, a loopback", aloopIndex), Commands: []Command{run(load...), settle()}, Hint: hint}}, nil
	case s.AloopCard == aloopIndex:
		return nil, nil
	case s.Aloop.Users > 0:
		return nil, &Blocked{
			What: fmt.Sprintf("snd-aloop is loaded as sound card %d and used by a program, such as the sound server; it should be card %d.", s.AloopCard, aloopIndex),
			Next: "Remove it from your modprobe configuration, restart the machine and run setup again.",
		}
	}
	p.Unloads = true
	return []Step{{What: fmt.Sprintf("snd-aloop is loaded, but not as card %d: reload it", aloopIndex),
		Commands: []Command{run("modprobe", "-r", "snd-aloop"), run(load...), settle()}, Hint: hint}}, nil
}

// noAloop reports whether the files do not mention the sound card.
func noAloop(text string) bool { return !strings.Contains(text, "snd-aloop") }
