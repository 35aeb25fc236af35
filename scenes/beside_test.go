// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestAddBesideReconcile: the user deletes the peer source on air and has it added again by a command, while the companion
// looks as well. Whatever order their requests come in, the item is the user's and shown while the peer's picture arrives.
func TestAddBesideReconcile(t *testing.T) {
	for _, tt := range []struct {
		name              string
		before, meanwhile bool // the peer's picture arrives
	}{
		{"the peer is there", true, true},
		{"the peer is away", false, false},
		{"the peer comes", false, true},
		{"the peer goes", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range calls {
				for j := i % 2; j < calls; j += 2 { // all of them take seconds more and found nothing more
					for _, looksFirst := range []bool{false, true} {
						if err := addBeside(t, tt.before, tt.meanwhile, looksFirst, i, j); err != nil {
							t.Errorf("%d calls of the command, %d of the companion, companion first %t: %v", i, j, looksFirst, err)
						}
					}
				}
			}
		})
	}
}

// calls is more than either of them makes.
const calls = 20

func addBeside(t *testing.T, before, meanwhile, looksFirst bool, i, j int) error {
	f := newFakeOBS("A", "B")
	look := func(ctx context.Context, present, visible bool) error {
		_, err := Reconcile(ctx, f, "1", Desired{Source: device(), Present: present, Visible: visible, Over: !present})
		return err
	}
	for _, visible := range []bool{true, before} {
		if err := look(t.Context(), true, visible); err != nil {
			return err
		}
	}
	f.remove("A", f.scene("A").Items[0].ID)

	var added, looked error
	command := newLane(t.Context(), func(ctx context.Context) { _, added = Add(ctx, f, device(), nil, Layouts{}) })
	companion := newLane(t.Context(), func(ctx context.Context) { looked = look(ctx, true, meanwhile) })
	first, n, second, m := command, i, companion, j
	if looksFirst {
		first, n, second, m = companion, j, command, i
	}
	first.step(n)
	second.step(m)
	first.step(-1)
	second.step(-1)
	if err := errors.Join(added, looked); err != nil {
		return err
	}
	over := false
	for _, step := range []struct {
		name                   string
		present, visible, want bool
	}{
		{"at the next look", true, meanwhile, meanwhile},
		{"when the peer goes", true, false, false},
		{"when the peer comes", true, true, true},
		{"off air", false, false, false},
		{"on air again", true, true, true},
	} {
		if err := look(t.Context(), step.present, step.visible); err != nil {
			return err
		}
		// Where the peer goes in the middle of it, the companion may take what the command shows for a click on the eye,
		// or its own hiding for one, until the time on air is over.
		mayErr := before && !meanwhile && step.present && !over
		over = over || !step.present
		items := f.scene("A").Items
		if len(items) != 1 || items[0].Enabled != step.want && !mayErr {
			return fmt.Errorf("%s: got %+v, want one item that is shown: %t", step.name, items, step.want)
		}
	}
	return nil
}
