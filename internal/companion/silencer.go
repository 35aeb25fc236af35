// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"sync"
	"time"
)

// silencer passes decisions about silence to a call, for as long as it is attached to one. gate and desktopAudio decide. Its
// mutex guards the state of the one who decides as well.
type silencer[T any] struct {
	mu      sync.Mutex
	silence func(T) // nil off air
	recheck *time.Timer
}

// attach passes this decision and later ones to silence.
func (s *silencer[T]) attach(silence func(T), decide func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silence = silence
	decide()
}

// detach ends that.
func (s *silencer[T]) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silence = nil
	if s.recheck != nil {
		s.recheck.Stop()
	}
}

// later decides again after a while, and replaces an earlier later. The caller holds the mutex; decide is called with it held.
func (s *silencer[T]) later(wait time.Duration, decide func()) {
	if s.recheck != nil {
		s.recheck.Stop()
	}
	s.recheck = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.silence != nil {
			decide()
		}
	})
}
