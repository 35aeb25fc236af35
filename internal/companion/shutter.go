// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"sync"
)

// shutter keeps screenshots from being taken while that could stop OBS for good, see obsctl.Version.UndrawnScreenshotHangs.
// It is open at first. Its methods may be called from any goroutine.
type shutter struct {
	mu     sync.Mutex
	opened chan struct{} // closed when the shutter opens; nil while it is open

	taking sync.Mutex
	last   []byte // the last picture of this time on air
}

// hold closes the shutter, and returns when no picture is being taken; or opens it.
func (s *shutter) hold(closed bool) {
	s.mu.Lock()
	switch {
	case closed && s.opened == nil:
		s.opened = make(chan struct{})
	case !closed && s.opened != nil:
		close(s.opened)
		s.opened = nil
	}
	s.mu.Unlock()
	if closed {
		s.taking.Lock()
		defer s.taking.Unlock()
	}
}

// begin is for a time on air: no picture was taken yet.
func (s *shutter) begin() {
	s.taking.Lock()
	defer s.taking.Unlock()
	s.last = nil
}

// shoot returns a new picture. While the shutter is closed it returns the last one, or waits if there is none.
func (s *shutter) shoot(ctx context.Context, take func() ([]byte, error)) ([]byte, error) {
	for {
		picture, closed, err := s.try(take)
		if picture != nil || closed == nil {
			return picture, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-closed:
		}
	}
}

// try is shoot, but does not wait: instead it returns what is closed when the shutter opens.
func (s *shutter) try(take func() ([]byte, error)) (picture []byte, closed <-chan struct{}, err error) {
	s.taking.Lock()
	defer s.taking.Unlock()
	s.mu.Lock()
	closed = s.opened
	s.mu.Unlock()
	if closed != nil {
		return s.last, closed, nil
	}
	picture, err = take()
	if err == nil {
		s.last = picture
	}
	return picture, nil, err
}
