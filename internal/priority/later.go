// SPDX-License-Identifier: Apache-2.0

package priority

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Later asks for real-time priority for threads, and asks again for those for which rtkit was busy. Its methods may be called
// from any goroutine.
type Later struct {
	ask    func(tid int) error
	told   func(tid int, err error)
	pauses []time.Duration

	mu   sync.Mutex
	busy []refusal
	wake chan struct{} // holds one, so that Run looks again
}

// refusal is a thread for which rtkit was busy.
type refusal struct {
	tid, times int
	due        time.Time // when to ask again
}

// NewLater returns a Later that asks with a function such as RealTime, and again after each of the pauses. It calls told with
// each answer, which wraps ErrBusy while the thread waits, and at the end where rtkit stays busy.
func NewLater(ask func(tid int) error, told func(tid int, err error), pauses []time.Duration) *Later {
	return &Later{ask: ask, told: told, pauses: pauses, wake: make(chan struct{}, 1)}
}

// Pauses are those for rtkit. In the first the 20 seconds end in which it has granted all that it may. The others are for a user
// who has too many threads with real-time priority: when that ends depends on other programs.
func Pauses() []time.Duration {
	return []time.Duration{21 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second}
}

// RealTime asks for a thread.
func (l *Later) RealTime(tid int) { l.askFor(refusal{tid: tid}) }

// Run asks again, a few times for each thread, until ctx ends. The threads must live until then.
func (l *Later) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
			for _, r := range l.takeDue(time.Now()) {
				if ctx.Err() != nil {
					return
				}
				l.askFor(r)
			}
		}
		if due, ok := l.next(); ok {
			timer.Reset(time.Until(due))
		}
	}
}

func (l *Later) askFor(r refusal) {
	err := l.ask(r.tid)
	if errors.Is(err, ErrBusy) && r.times < len(l.pauses) {
		l.wait(refusal{tid: r.tid, times: r.times + 1, due: time.Now().Add(l.pauses[r.times])})
	}
	l.told(r.tid, err)
}

func (l *Later) wait(r refusal) {
	l.mu.Lock()
	l.busy = append(l.busy, r)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// takeDue returns the threads for which it is time to ask, which no longer wait then.
func (l *Later) takeDue(now time.Time) (due []refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var rest []refusal
	for _, r := range l.busy {
		if r.due.After(now) {
			rest = append(rest, r)
		} else {
			due = append(due, r)
		}
	}
	l.busy = rest
	return due
}

// next is when it is time to ask for the first of the threads that wait.
func (l *Later) next() (due time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.busy {
		if !ok || r.due.Before(due) {
			due, ok = r.due, true
		}
	}
	return due, ok
}
