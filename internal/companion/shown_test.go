// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// programme is an OBS that knows which sources are active.
type programme struct {
	active map[string]bool
	asked  []string
	err    error
	during func() // happens while OBS works out the answer
}

func (p *programme) SourceActive(_ context.Context, source string) (bool, error) {
	p.asked = append(p.asked, source)
	active := p.active[source]
	if p.during != nil {
		p.during()
	}
	return active, p.err
}

// showing is a shown whose peer source has this name, and what it has told last.
func showing(obs *programme, names ...string) (s *shown, told *[]bool) {
	told = new([]bool)
	s = &shown{obs: obs, peers: func(context.Context) ([]string, error) { return names, nil }}
	s.tell = func(on bool) {
		if n := len(*told); n == 0 || (*told)[n-1] != on {
			*told = append(*told, on)
		}
	}
	return s, told
}

func TestShownFollowsEvents(t *testing.T) {
	obs := &programme{active: map[string]bool{}}
	s, told := showing(obs, "Peer", "Peer copy")
	inputs := []obsctl.Input{{Name: "Peer"}, {Name: "Peer copy"}, {Name: "Camera"}}
	if err := s.look(t.Context(), "Peer", inputs); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		ev   obsctl.Event
		want bool
	}{
		{"another input", obsctl.InputActive{Input: "Camera", Active: true}, false},
		{"the peer", obsctl.InputActive{Input: "Peer", Active: true}, true},
		{"a copy, too", obsctl.InputActive{Input: "Peer copy", Active: true}, true},
		{"the copy alone", obsctl.InputActive{Input: "Peer", Active: false}, true},
		{"renamed", obsctl.InputRenamed{Old: "Peer copy", New: "Friend"}, true},
		{"hidden under the new name", obsctl.InputActive{Input: "Friend", Active: false}, false},
		{"shown under the new name", obsctl.InputActive{Input: "Friend", Active: true}, true},
		{"removed", obsctl.InputRemoved{Input: "Friend"}, false},
	} {
		s.note(step.ev)
		if got := (*told)[len(*told)-1]; got != step.want {
			t.Errorf("%s: shown %t, want %t", step.name, got, step.want)
		}
	}
}

// TestShownBeforeItsNameIsKnown: the event about a source that was just made comes before anybody knows that it is the peer's.
func TestShownBeforeItsNameIsKnown(t *testing.T) {
	obs := &programme{active: map[string]bool{"Peer": true}}
	s, told := showing(obs, "Peer")
	s.note(obsctl.InputActive{Input: "Peer", Active: true})
	if err := s.look(t.Context(), "Peer", []obsctl.Input{{Name: "Peer"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{false, true}, *told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestShownAsksForWhatEventsLost: OBS is asked now and then, and its answer does not undo what came meanwhile.
func TestShownAsksForWhatEventsLost(t *testing.T) {
	obs := &programme{active: map[string]bool{"Peer": true}}
	s, told := showing(obs, "Peer")
	inputs := []obsctl.Input{{Name: "Peer"}}
	look := func() {
		t.Helper()
		if err := s.look(t.Context(), "Peer", inputs); err != nil {
			t.Fatal(err)
		}
	}
	look()
	look()
	if len(obs.asked) != 1 {
		t.Errorf("OBS was asked %d times within moments, want once", len(obs.asked))
	}
	s.begin()
	obs.during = func() { s.note(obsctl.InputActive{Input: "Peer", Active: false}) }
	look()
	obs.during = nil
	if diff := cmp.Diff([]bool{false, true, false}, *told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	// The event was a mistake of somebody's: the next answer counts.
	s.begin()
	look()
	if diff := cmp.Diff([]bool{false, true, false, true}, *told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}

	obs.err = errors.New("busy")
	s.begin()
	if err := s.look(t.Context(), "Peer", inputs); err == nil {
		t.Error("an answer that does not come is no error")
	}
	obs.err = nil
	before := len(obs.asked)
	look()
	if len(obs.asked) == before {
		t.Error("OBS is not asked again after an error")
	}
	if got := slices.Compact(slices.Clone(obs.asked)); len(got) != 1 {
		t.Errorf("OBS was asked for %q, want the peer source alone", got)
	}
}
