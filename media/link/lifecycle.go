// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"sync"
)

// lifecycle is the beginning and the end of a link, which runs only once.
type lifecycle struct {
	mu      sync.RWMutex // held for reading by those whom the end must wait for
	started bool
	closed  bool
}

// startOnce notes that the link runs.
func (l *lifecycle) startOnce() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started || l.closed {
		return ErrClosed
	}
	l.started = true
	return nil
}

// end keeps others out from now on.
func (l *lifecycle) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// abandon ends a link that was never run, and releases what it holds.
func (l *lifecycle) abandon(release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started && !l.closed {
		l.closed = true
		release()
	}
}

// worker is a part of a link's Run. It works until ctx ends.
type worker func(ctx context.Context) error

// withoutError wraps a function that cannot fail as a worker.
func withoutError(work func(context.Context)) worker {
	return func(ctx context.Context) error {
		work(ctx)
		return nil
	}
}

// runAll runs workers until ctx ends, then returns nil, or until one of them fails, then returns why. Wake is called
// before their end is awaited.
func runAll(ctx context.Context, wake func(), workers []worker) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for _, work := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := work(running); err != nil {
				stop(err)
			}
		}()
	}
	<-running.Done()
	wake()
	all.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}
