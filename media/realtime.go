// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"log/slog"

	"github.com/costream-obs/costream-obs/internal/priority"
)

// newSoundMachine builds the pipeline of a graph whose threads ask for real-time priority.
func newSoundMachine(what string, g graph, log *slog.Logger) (machine, error) {
	m, err := newMachine(what, g, log)
	if err != nil {
		return m, err
	}
	if err := m.realTime(); err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// realTime has the pipeline's threads ask for real-time priority. Sound breaks off when they come late, as they do beside
// programs that use up the processors; each works for less than a millisecond at a time. It is called before run. Where the
// system refuses, sound works without.
func (m *machine) realTime() error {
	return m.pipe.OnThread(func(tid int) {
		if err := priority.RealTime(tid); err != nil {
			m.log.Debug("a thread of the sound is not before other programs", "what", m.what, "err", err)
		}
	})
}
