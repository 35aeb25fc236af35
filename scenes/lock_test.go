// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// A command that is typed while the companion works does not get lost, at whichever request of the companion's it comes,
// and the companion's work is not lost by it.
func TestCommandDuringReconcile(t *testing.T) {
	commands := map[string]func(context.Context, OBS) error{
		"layout": func(ctx context.Context, obs OBS) error {
			_, err := Arrange(ctx, obs, device(), nil, Layout{Shape: Full})
			return err
		},
		"hide": func(ctx context.Context, obs OBS) error {
			_, err := SetVisible(ctx, obs, device(), nil, Hide)
			return err
		},
	}
	for name, command := range commands {
		for call, last := 1, false; !last; call++ {
			t.Run(fmt.Sprintf("%s at request %d", name, call), func(t *testing.T) {
				f := newFakeOBS("A")
				var holder sync.Mutex
				f.lock = func(context.Context) (func(), error) {
					holder.Lock()
					return holder.Unlock, nil
				}
				on := Desired{Source: device(), Present: true}
				for _, d := range []Desired{on, {Source: device()}} {
					if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
						t.Fatal(err)
					}
				}
				n, came, ran := 0, false, make(chan error, 1)
				f.during = func() {
					if n++; n != call {
						return
					}
					came = true
					if !holder.TryLock() {
						go func() { ran <- command(t.Context(), f) }() // it waits
						return
					}
					holder.Unlock()
					ran <- command(t.Context(), f)
				}
				if _, err := Reconcile(t.Context(), f, "1", on); err != nil {
					t.Fatal(err)
				}
				if last = !came; last {
					return
				}
				if err := <-ran; err != nil {
					t.Fatal(err)
				}
				f.during = nil
				on.Visible = true
				if _, err := Reconcile(t.Context(), f, "1", on); err != nil {
					t.Fatal(err)
				}
				items := f.scene("A").Items
				if len(items) != 1 {
					t.Fatalf("got %+v, want one item", items)
				}
				if name == "hide" {
					if items[0].Enabled {
						t.Error("the peer is shown, want it hidden by the user")
					}
					return
				}
				if want := (Layout{Shape: Full}).Place(hd, Picture{}); !items[0].Transform.same(want) {
					t.Errorf("the peer's place: got %+v, want %+v", items[0].Transform, want)
				}
				if _, err := Restore(t.Context(), f, device(), nil, Layouts{}); err != nil {
					t.Errorf("restore: %v", err)
				}
			})
		}
	}
}

// Whoever cannot have the memory to themselves changes nothing and says so; whoever only looks does not ask.
func TestLockedOut(t *testing.T) {
	f := newFakeOBS("A")
	if _, err := Add(t.Context(), f, device(), nil, Layouts{}); err != nil {
		t.Fatal(err)
	}
	f.lock = func(context.Context) (func(), error) { return nil, ErrBusy }
	f.changes, f.writes = 0, nil
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"reconcile": func() error {
			_, err := Reconcile(ctx, f, "1", Desired{Source: device(), Present: true})
			return err
		},
		"show":    func() error { _, err := SetVisible(ctx, f, device(), nil, Hide); return err },
		"add":     func() error { _, err := Add(ctx, f, device(), nil, Layouts{}); return err },
		"remove":  func() error { _, err := Remove(ctx, f, device(), nil); return err },
		"layout":  func() error { _, err := Arrange(ctx, f, device(), nil, Layout{}); return err },
		"use":     func() error { _, err := Use(ctx, f, device(), nil, Saved{}); return err },
		"restore": func() error { _, err := Restore(ctx, f, device(), nil, Layouts{}); return err },
	} {
		if err := do(); !errors.Is(err, ErrBusy) || f.changes != 0 {
			t.Errorf("%s: got %v and %d changes, want ErrBusy and none", name, err, f.changes)
		}
	}
	if _, err := Status(ctx, f, device(), nil); err != nil {
		t.Errorf("status: %v", err)
	}
	if _, err := Save(ctx, f, device(), ""); err != nil {
		t.Errorf("save: %v", err)
	}
}
