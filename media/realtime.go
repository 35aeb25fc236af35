// SPDX-License-Identifier: Apache-2.0

package media

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/costream-obs/costream-obs/internal/priority"
)

// newSoundMachine builds the pipeline of a graph whose threads ask for real-time priority.
func newSoundMachine(what string, g graph, log *slog.Logger) (machine, error) {
	m, err := newMachine(what, g, log)
	if err != nil {
		return m, err
	}
	if err := m.realTime(priority.RealTime, priority.Pauses()); err != nil {
		return m, fmt.Errorf("%s: %w", what, err)
	}
	return m, nil
}

// newPictureMachine builds the pipeline of a graph whose threads are not before other programs, even where this one is:
// encoding and decoding pictures takes much of a processor, which OBS needs more.
func newPictureMachine(what string, g graph, log *slog.Logger) (machine, error) {
	m, err := newMachine(what, g, log)
	if err == nil {
		m.pipe.Calm()
	}
	return m, err
}

// realTime has the pipeline's threads ask for real-time priority. Sound breaks off when they come late, as they do beside
// programs that use up the processors; each works for less than a millisecond at a time. It is called before run. Where the
// system refuses, sound works without; where rtkit is busy, it is asked again while the pipeline runs, in which its threads stay.
func (m *machine) realTime(ask func(tid int) error, pauses []time.Duration) error {
	m.urgent = priority.NewLater(ask, m.tellUrgent, pauses)
	return m.pipe.OnThread(m.urgent.RealTime)
}

func (m *machine) tellUrgent(tid int, err error) {
	switch {
	case errors.Is(err, priority.ErrBusy):
		m.log.Debug("a thread of the sound is not before other programs yet", "what", m.what, "thread", tid, "err", err)
	case err != nil:
		m.log.Debug("a thread of the sound is not before other programs", "what", m.what, "thread", tid, "err", err)
	default:
		m.log.Debug("a thread of the sound is before other programs", "what", m.what, "thread", tid)
	}
}
