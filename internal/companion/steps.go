// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"iter"
	"maps"
	"time"

	"github.com/costream-obs/costream-obs/scenes"
)

const (
	minBackoff = 250 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// attempt is the back-off of one step.
type attempt struct {
	next  time.Time
	pause time.Duration
	err   error // of the last try
}

// try takes a step unless it failed too short a time ago.
func (s *session) try(ctx context.Context, name string, step func(context.Context) error) {
	s.tried[name] = true
	if a := s.tries[name]; a != nil && time.Now().Before(a.next) {
		return
	}
	err := step(ctx)
	if err == nil {
		s.clear(name)
		return
	}
	if s.obs.Err() != nil || ctx.Err() != nil {
		return
	}
	a := s.tries[name]
	if a == nil {
		a = &attempt{pause: minBackoff}
		s.tries[name] = a
	}
	a.err = err
	a.next = time.Now().Add(a.pause)
	a.pause = min(2*a.pause, maxBackoff)
	if errors.Is(err, scenes.ErrChanging) {
		return
	}
	if before := s.problems[name]; before == nil || before.Error() != err.Error() {
		s.log.Warn("a step failed and will be tried again", "step", name, "error", err)
	}
	s.problems[name] = err
}

// forgetUntried forgets the failures of steps that were not tried in this round: they are of the other
// state, on air or off, and nobody would try them again when they are due.
func (s *session) forgetUntried() {
	for _, failed := range []iter.Seq[string]{maps.Keys(s.tries), maps.Keys(s.problems)} {
		for name := range failed {
			if !s.tried[name] {
				s.clear(name)
			}
		}
	}
	clear(s.tried)
}

func (s *session) clear(name string) {
	delete(s.tries, name)
	delete(s.problems, name)
}

// nextTry fires when a step that failed may be tried again.
func (s *session) nextTry() <-chan time.Time {
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
