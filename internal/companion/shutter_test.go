// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// closing reports whether the shutter takes no new pictures.
func (s *shutter) closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened != nil
}

// TestShutterWaits: a shutter that closes waits for the picture that is being taken.
func TestShutterWaits(t *testing.T) {
	var s shutter
	began, finish := make(chan struct{}), make(chan struct{})
	order := make(chan string, 2)
	go func() {
		_, _ = s.shoot(t.Context(), func() ([]byte, error) {
			close(began)
			<-finish
			order <- "taken"
			return []byte("first"), nil
		})
	}()
	<-began
	go func() {
		s.hold(true)
		order <- "closed"
	}()
	for !s.closing() {
		runtime.Gosched()
	}
	close(finish)
	if diff := cmp.Diff([]string{"taken", "closed"}, []string{<-order, <-order}); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestShutter: while the shutter is closed no picture is taken, and the last one of this time on air is returned again.
func TestShutter(t *testing.T) {
	var s shutter
	n := 0
	names := []string{"first", "second"}
	take := func() ([]byte, error) {
		n++
		return []byte(names[n-1]), nil
	}
	want := func(what, picture string) {
		t.Helper()
		got, err := s.shoot(t.Context(), take)
		if err != nil || string(got) != picture {
			t.Errorf("%s: got picture %q, error %v, want %q", what, got, err, picture)
		}
	}
	want("open", "first")
	s.hold(true)
	s.hold(true)
	want("closed", "first")
	s.begin()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if picture, err := s.shoot(ended, take); !errors.Is(err, context.Canceled) {
		t.Errorf("closed, and no picture yet: got picture %q, error %v, want it to wait for the end of the context", picture, err)
	}
	s.hold(false)
	want("open again", "second")
	s.hold(false)
	failure := errors.New("OBS is gone")
	if _, err := s.shoot(t.Context(), func() ([]byte, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("got error %v, want %v", err, failure)
	}
	s.hold(true)
	want("closed after a failure", "second")
}
