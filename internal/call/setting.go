// SPDX-License-Identifier: Apache-2.0

package call

import "sync"

// setting is a value that a part always has: it gets each change, and a part that replaces another gets the current value.
// The methods may be called from any goroutine; the last call wins.
type setting[T any] struct {
	mu    sync.Mutex
	value T
	apply func(T) // nil without a part
}

// set changes the value.
func (s *setting[T]) set(value T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = value
	if s.apply != nil {
		s.apply(value)
	}
}

// attach passes the value to a new part, now and after each change.
func (s *setting[T]) attach(apply func(T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply = apply
	apply(s.value)
}

// detach ends that.
func (s *setting[T]) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apply = nil
}

// get returns the value.
func (s *setting[T]) get() T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}
