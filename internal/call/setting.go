// SPDX-License-Identifier: Apache-2.0

package call

import "sync"

// setting is a value that a part must have at all times: when it changes, and when a new part takes the place of an old
// one. Its methods may be called from any goroutine; the part always has the value of the last call.
type setting[T any] struct {
	mu    sync.Mutex
	value T
	apply func(T) // nil while there is no part
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

// attach gives the value to a new part.
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
