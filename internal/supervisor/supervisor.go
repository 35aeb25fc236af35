// SPDX-License-Identifier: Apache-2.0

// Package supervisor keeps parts of a program running: one that fails is started again after a pause, and it is known which do
// not run and why. It knows nothing of what the parts do.
package supervisor

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/problem"
)

const (
	minPause = 250 * time.Millisecond
	maxPause = 5 * time.Second
	// A part that ran this long was sound: its next failure starts from minPause again.
	soundAfter = 10 * time.Second
)

// A Supervisor runs parts that should always be running, and says which of them are not.
type Supervisor struct {
	log     *slog.Logger
	changed func()

	wg       sync.WaitGroup
	mu       sync.Mutex
	problems map[problem.Code]error
}

// New returns one without parts. changed is called, from any goroutine, when it is another part that fails or another reason
// for which one does.
func New(log *slog.Logger, changed func()) *Supervisor {
	return &Supervisor{log: log, changed: changed, problems: make(map[problem.Code]error)}
}

// Keep runs part until ctx ends, and again after each failure, no sooner than the pause after it allows.
// started, if it is called by the part, tells that the part works.
func (s *Supervisor) Keep(ctx context.Context, code problem.Code, part func(ctx context.Context, started func()) error) {
	s.KeepThen(ctx, code, part, func() {})
}

// KeepThen is Keep, and calls ended when the part will not run again.
func (s *Supervisor) KeepThen(ctx context.Context, code problem.Code, part func(ctx context.Context, started func()) error, ended func()) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		defer ended()
		defer s.Note(code, nil)
		pause := minPause
		for {
			begin := time.Now()
			err := part(ctx, func() { s.Note(code, nil) })
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.Note(code, err)
			}
			if time.Since(begin) > soundAfter {
				pause = minPause
			}
			s.log.Info("part ended, starting it again", "part", code, "error", err, "after", pause)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, maxPause)
		}
	}()
}

// Note tells why a part does not work although it runs, or with nil that it does.
func (s *Supervisor) Note(code problem.Code, err error) {
	s.mu.Lock()
	before := s.problems[code]
	if err == nil {
		delete(s.problems, code)
	} else {
		s.problems[code] = err
	}
	s.mu.Unlock()
	if (before == nil) != (err == nil) || (err != nil && before.Error() != err.Error()) {
		s.changed()
	}
}

// Failing returns why parts are not running, by the codes of the problems.
func (s *Supervisor) Failing() map[problem.Code]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.problems)
}

// Wait returns when all parts have ended.
func (s *Supervisor) Wait() { s.wg.Wait() }
