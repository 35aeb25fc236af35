// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"log/slog"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/pulse"
	"github.com/costream-obs/costream-obs/internal/supervisor"
)

// TestSoundChangesGoToAllFollowers: one subscription serves everyone, one that does not read holds up nobody, and one that has
// ended gets nothing more.
func TestSoundChangesGoToAllFollowers(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	s := newSound(supervisor.New(log, func() {}), func() {}, log)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	asleep, one, other := s.follow(t.Context()), s.follow(t.Context()), s.follow(ctx)
	first, second := pulse.Change{Event: "new", Object: "source-output", Index: 1}, pulse.Change{Event: "remove", Object: "source-output", Index: 1}
	s.noteChange(first)
	for i, changes := range []<-chan pulse.Change{one, other} {
		if diff := cmp.Diff(first, <-changes); diff != "" {
			t.Errorf("follower %d (-want +got):\n%s", i, diff)
		}
	}
	for range 2 * cap(asleep) {
		s.noteChange(second)
		<-one
		<-other
	}
	end()
	for gone := false; !gone; runtime.Gosched() { // AfterFunc has a goroutine of its own.
		s.mu.Lock()
		gone = len(s.follows) == 2
		s.mu.Unlock()
	}
	s.noteChange(first)
	if diff := cmp.Diff(first, <-one); diff != "" || len(other) > 0 {
		t.Errorf("after one has ended it got %d changes; the other (-want +got):\n%s", len(other), diff)
	}
}

// TestSoundWakesTheSession: for each stream that comes or is moved, because what OBS records decides what is shared.
func TestSoundWakesTheSession(t *testing.T) {
	for _, tt := range []struct {
		change pulse.Change
		want   int
	}{
		{pulse.Change{Event: "change", Object: "server"}, 1},
		{pulse.Change{Event: "new", Object: "sink-input"}, 1},
		{pulse.Change{Event: "change", Object: "sink-input"}, 1},
		{pulse.Change{Event: "remove", Object: "sink-input"}, 0},
		{pulse.Change{Event: "new", Object: "source-output"}, 1},
		{pulse.Change{Event: "change", Object: "source-output"}, 1},
		{pulse.Change{Event: "remove", Object: "source-output"}, 0},
		{pulse.Change{Event: "change", Object: "source"}, 0},
		{pulse.Change{Event: "new", Object: "client"}, 0},
	} {
		t.Run(tt.change.Object+" "+tt.change.Event, func(t *testing.T) {
			woken, log := 0, slog.New(slog.DiscardHandler)
			newSound(supervisor.New(log, func() {}), func() { woken++ }, log).noteChange(tt.change)
			if woken != tt.want {
				t.Errorf("woken %d times, want %d", woken, tt.want)
			}
		})
	}
}

// TestGuardSuspectsWhatCanBeMoved: the guard looks when a stream has come or changed, and silences our voice at once when
// that is ours; a stream that goes moves nothing.
func TestGuardSuspectsWhatCanBeMoved(t *testing.T) {
	const ours = 7
	for _, tt := range []struct {
		name    string
		changes []pulse.Change
		moved   bool
		silent  bool
	}{
		{"another stream comes", []pulse.Change{{Event: "new", Object: "sink-input", Index: 3}}, true, false},
		{"ours changes", []pulse.Change{{Event: "change", Object: "source-output", Index: ours}}, true, true},
		{"a playing stream of the same number", []pulse.Change{{Event: "change", Object: "sink-input", Index: ours}}, true, false},
		{"a stream goes", []pulse.Change{{Event: "remove", Object: "sink-input", Index: 3}}, false, false},
		{"one goes, ours changes", []pulse.Change{{Event: "remove", Object: "sink-input", Index: 3}, {Event: "change", Object: "source-output", Index: ours}}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changes := make(chan pulse.Change, len(tt.changes))
			for _, c := range tt.changes {
				changes <- c
			}
			silent := false
			g := guard{changes: changes, voice: ours, placed: func(placed bool) { silent = !placed }}
			if moved := g.suspect(<-changes); moved != tt.moved || silent != tt.silent {
				t.Errorf("got moved %t and silent %t, want %t and %t", moved, silent, tt.moved, tt.silent)
			}
			if len(changes) > 0 {
				t.Errorf("%d changes were left to wait", len(changes))
			}
		})
	}
}
