// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/scenes"
)

const (
	minBackoff = 250 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// steps are what the rounds of a session do. Each has its own back-off, and a problem while it fails.
type steps struct {
	lost func() bool // the connection to OBS has ended, which is why steps fail
	log  *slog.Logger

	tries    map[problem.Code]*attempt
	tried    map[problem.Code]bool // in this round
	problems map[problem.Code]error
}

// attempt is the back-off of one step.
type attempt struct {
	next  time.Time
	pause time.Duration
	err   error // of the last try
}

func newSteps(lost func() bool, log *slog.Logger) steps {
	return steps{
		lost: lost, log: log,
		tries: make(map[problem.Code]*attempt), tried: make(map[problem.Code]bool), problems: make(map[problem.Code]error),
	}
}

// try takes a step, unless its back-off has not ended.
func (s *steps) try(ctx context.Context, code problem.Code, step func(context.Context) error) {
	s.tried[code] = true
	if a := s.tries[code]; a != nil && time.Now().Before(a.next) {
		return
	}
	err := step(ctx)
	if err == nil {
		s.clear(code)
		return
	}
	if s.lost() || ctx.Err() != nil {
		return
	}
	a := s.tries[code]
	if a == nil {
		a = &attempt{pause: minBackoff}
		s.tries[code] = a
	}
	a.err = err
	a.next = time.Now().Add(a.pause)
	a.pause = min(2*a.pause, maxBackoff)
	if errors.Is(err, scenes.ErrChanging) {
		return
	}
	if before := s.problems[code]; before == nil || before.Error() != err.Error() {
		s.log.Warn("a step failed and will be tried again", "step", problem.Of(code).Name, "error", err)
	}
	s.problems[code] = err
}

// hurry ends all back-offs.
func (s *steps) hurry() { clear(s.tries) }

// forgetUntried forgets the failures of steps that were not tried in this round. They belong to the other state, on air or
// off, in which nobody will try them again.
func (s *steps) forgetUntried() {
	for _, failed := range []iter.Seq[problem.Code]{maps.Keys(s.tries), maps.Keys(s.problems)} {
		for code := range failed {
			if !s.tried[code] {
				s.clear(code)
			}
		}
	}
	clear(s.tried)
}

func (s *steps) clear(code problem.Code) {
	delete(s.tries, code)
	delete(s.problems, code)
}

// nextTry fires when a step that failed may be tried again.
func (s *steps) nextTry() <-chan time.Time {
	var next time.Time
	for _, a := range s.tries {
		if next.IsZero() || a.next.Before(next) {
			next = a.next
		}
	}
	if next.IsZero() {
		return nil
	}
	return time.After(time.Until(next))
}

// waits returns the step that waits without being a problem, or nil if a step's failure is a problem already. If no step
// waits it returns otherwise.
func (s *steps) waits(otherwise error) error {
	waits := otherwise
	for _, code := range slices.Backward(slices.Sorted(maps.Keys(s.tries))) {
		if s.problems[code] != nil {
			return nil
		}
		waits = fmt.Errorf("the step %q waits: %w", problem.Of(code).Name, s.tries[code].err)
	}
	return waits
}
