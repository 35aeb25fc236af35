// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"
)

const (
	minBackoff = 250 * time.Millisecond
	maxBackoff = 5 * time.Second
	// A part that ran this long was sound: its next failure starts from minBackoff again.
	soundAfter = 10 * time.Second
)

// keeper runs parts that should always be running, and says which of them are not.
type keeper struct {
	log     *slog.Logger
	changed func()

	wg       sync.WaitGroup
	mu       sync.Mutex
	problems map[string]error
}

func newKeeper(log *slog.Logger, changed func()) *keeper {
	return &keeper{log: log, changed: changed, problems: make(map[string]error)}
}

// keep runs part until ctx ends, and again after each failure, no sooner than the back-off allows.
// started, if it is called by the part, tells that the part works.
func (k *keeper) keep(ctx context.Context, name string, part func(ctx context.Context, started func()) error) {
	k.keepThen(ctx, name, part, func() {})
}

// keepThen is keep, and calls ended when the part will not run again.
func (k *keeper) keepThen(ctx context.Context, name string, part func(ctx context.Context, started func()) error, ended func()) {
	k.wg.Add(1)
	go func() {
		defer k.wg.Done()
		defer ended()
		defer k.note(name, nil)
		backoff := minBackoff
		for {
			begin := time.Now()
			err := part(ctx, func() { k.note(name, nil) })
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				k.note(name, err)
			}
			if time.Since(begin) > soundAfter {
				backoff = minBackoff
			}
			k.log.Info("part ended, starting it again", "part", name, "error", err, "after", backoff)
			select {
			case <-ctx.Done():
				return
			case <-time.After(backoff):
			}
			backoff = min(2*backoff, maxBackoff)
		}
	}()
}

func (k *keeper) note(name string, err error) {
	k.mu.Lock()
	before := k.problems[name]
	if err == nil {
		delete(k.problems, name)
	} else {
		k.problems[name] = err
	}
	k.mu.Unlock()
	if (before == nil) != (err == nil) || (err != nil && before.Error() != err.Error()) {
		k.changed()
	}
}

// failing returns why parts are not running, by name.
func (k *keeper) failing() map[string]error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.problems)
}

// wait returns when all parts have ended.
func (k *keeper) wait() { k.wg.Wait() }
