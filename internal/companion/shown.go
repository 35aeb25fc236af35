// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

// shown knows whether the peer is in the programme: whether OBS says that an input that shows the peer is active. OBS counts a
// source as active while the programme has it, also within groups and nested scenes, and during a transition; not in the
// preview of studio mode, in a projector, or in a scene that only the virtual camera or a screenshot shows.
type shown struct {
	obs interface {
		SourceActive(ctx context.Context, source string) (bool, error)
	}
	peers func(context.Context) ([]string, error) // the inputs that show the peer
	tell  func(shown bool)

	// For the session's goroutine.
	inputs []obsctl.Input // for which peers was asked
	source string         // the peer source then
	looked time.Time      // when OBS was last asked for what is active

	mu     sync.Mutex
	names  []string        // the inputs that show the peer
	active map[string]bool // which inputs are active, as far as events and answers tell
	events int             // about active
}

// lookEvery is how often OBS is asked, because events can be lost.
const lookEvery = slowTick - 100*time.Millisecond

// begin is for a time on air.
func (s *shown) begin() { s.looked = time.Time{} }

// note takes an event in at once; from the listener's goroutine.
func (s *shown) note(ev obsctl.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := ev.(type) {
	case obsctl.InputActive:
		s.set(e.Input, e.Active)
	case obsctl.InputRenamed:
		if i := slices.Index(s.names, e.Old); i >= 0 {
			s.names[i] = e.New
		}
		active := s.active[e.Old]
		delete(s.active, e.Old)
		s.set(e.New, active)
	case obsctl.InputRemoved:
		s.set(e.Input, false)
		delete(s.active, e.Input)
	}
}

// set notes whether an input is active. The mutex is held.
func (s *shown) set(input string, active bool) {
	if s.active == nil {
		s.active = make(map[string]bool)
	}
	s.active[input] = active
	s.events++
	s.pass()
}

// pass passes on whether the peer is shown. The mutex is held, so that the last call is about the last change.
func (s *shown) pass() {
	s.tell(slices.ContainsFunc(s.names, func(name string) bool { return s.active[name] }))
}

// look asks OBS, where that is due, while on air. Source is the peer source and inputs are all of OBS.
func (s *shown) look(ctx context.Context, source string, inputs []obsctl.Input) error {
	if source != s.source || !slices.Equal(inputs, s.inputs) {
		names, err := s.peers(ctx)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.names = names
		s.pass()
		s.mu.Unlock()
		s.source, s.inputs, s.looked = source, slices.Clone(inputs), time.Time{}
	}
	if time.Since(s.looked) < lookEvery {
		return nil
	}
	s.mu.Lock()
	names := slices.Clone(s.names)
	s.mu.Unlock()
	for _, name := range names {
		if err := s.ask(ctx, name); err != nil {
			return err
		}
	}
	s.looked = time.Now()
	return nil
}

// ask asks OBS whether an input is active. An event that comes meanwhile is newer than the answer may be.
func (s *shown) ask(ctx context.Context, name string) error {
	s.mu.Lock()
	before := s.events
	s.mu.Unlock()
	active, err := s.obs.SourceActive(ctx, name)
	if obsctl.IsCode(err, obsctl.CodeNotFound) {
		active, err = false, nil
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == before {
		s.set(name, active)
	}
	return nil
}
