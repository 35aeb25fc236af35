// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world is what the user sees of a fake OBS: the scenes, without ids, and the inputs.
func world(f *fakeOBS) map[string][]Item {
	out := map[string][]Item{}
	for _, sc := range f.scenes {
		list := slices.Clone(sc.Items)
		for i := range list {
			list[i].ID = 0
		}
		out[sc.Name] = list
	}
	for _, name := range slices.Sorted(maps.Keys(f.inputs)) {
		out["inputs"] = append(out["inputs"], Item{Source: name})
	}
	return out
}

// fault is one request that fails.
type fault struct {
	step, call  int
	takes, dead bool // see fakeOBS
}

// play is one stream on a fake OBS with an overlay in scene A and an item of the user's in scene B. The
// step of the fault goes wrong and is then repeated. It returns the world after each step and,
// for the requests of the first try of each, whether they change something.
func play(t *testing.T, wrong fault) (seen []map[string][]Item, writes [][]bool) {
	t.Helper()
	f := newFakeOBS("A", "B", "C")
	f.inputs["Overlay"] = &Input{Name: "Overlay", Kind: "image_source"}
	f.put("A", "Overlay", true)
	f.inputs["Peer"] = &Input{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "own": 1.0}}
	f.put("B", "Peer", true)
	d := Desired{Source: device(), Scenes: []string{"A", "B", "C"}}
	for step, state := range []struct{ present, visible, user bool }{
		{}, {present: true}, {present: true, visible: true}, {present: true, visible: true, user: true},
		{present: true}, {}, {present: true, visible: true}, {},
	} {
		if state.user {
			// The user moves our item aside and under the overlay, and hides the one in C.
			a, c := f.scene("A"), f.scene("C")
			a.Items[1].Transform.X = 7
			slices.Reverse(a.Items)
			c.Items[0].Enabled = false
		}
		d.Present, d.Visible, d.Over = state.present, state.visible, !state.present
		f.writes, f.failAt = nil, 0
		if step == wrong.step {
			f.failAt, f.takes, f.dead = wrong.call, wrong.takes, wrong.dead
		}
		_, err := Reconcile(t.Context(), f, "1", d)
		writes = append(writes, f.writes)
		if failed := f.failAt > 0; failed != errors.Is(err, errFault) {
			t.Fatalf("%+v, step %d: got error %v", wrong, step, err)
		}
		f.failAt = 0
		if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
			t.Fatalf("%+v, step %d again: %v", wrong, step, err)
		}
		changes := f.changes
		if _, err := Reconcile(t.Context(), f, "1", d); err != nil || f.changes != changes {
			t.Fatalf("%+v, step %d when all is done: got %d changes and error %v, want none", wrong, step, f.changes-changes, err)
		}
		seen = append(seen, world(f))
	}
	return seen, writes
}

// Whichever request fails, with effect or without, alone or with all that follow, the next round
// mends it, and the user never notices.
func TestReconcileFaults(t *testing.T) {
	want, writes := play(t, fault{})
	hasPeer := func(scene string, f func(Item) bool) bool {
		return slices.ContainsFunc(want[6][scene], func(it Item) bool { return it.Source == "Peer" && f(it) })
	}
	if !hasPeer("A", func(it Item) bool { return it.Enabled && it.Transform.X == 7 }) || !hasPeer("C", func(it Item) bool { return it.Enabled }) {
		t.Fatalf("on air again: got %+v, want the user's place in A and the peer shown in C", want[6])
	}
	for step := range writes {
		for i, write := range writes[step] {
			ways := []fault{{}}
			if write {
				ways = []fault{{}, {takes: true}, {dead: true}, {takes: true, dead: true}}
			}
			for _, how := range ways {
				how.step, how.call = step, i+1
				got, _ := play(t, how)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%+v: the world differs (-want +got):\n%s", how, diff)
				}
			}
		}
	}
}

// Whatever the user does between rounds, a second round has nothing left to do, nothing of the user's is
// ever removed, and off air nothing of ours is left.
func TestReconcileRandom(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			f := newFakeOBS("A", "B", "C")
			d := Desired{Source: device()}
			if random.IntN(2) == 0 {
				d.Scenes = []string{"A", "C"}
			}
			users := map[string]int{} // items that the user added and left
			total := func() (n int) {
				for _, sc := range f.scenes {
					n += len(sc.Items)
				}
				return n
			}
			for range 25 {
				sc := &f.scenes[random.IntN(len(f.scenes))]
				switch action := random.IntN(8); {
				case action == 0 && f.inputs["Peer"] != nil:
					f.put(sc.Name, "Peer", random.IntN(2) == 0)
					users[sc.Name]++
				case action == 1 && len(sc.Items) > 0:
					it := &sc.Items[random.IntN(len(sc.Items))]
					it.Enabled = !it.Enabled
				case action == 2 && len(sc.Items) > 0:
					sc.Items[random.IntN(len(sc.Items))].Transform.X += 10
				case action == 3:
					d.Visible = !d.Visible
				case action == 4:
					d.Present = !d.Present
				}
				if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
					t.Fatal(err)
				}
				before := f.changes
				if _, err := Reconcile(t.Context(), f, "1", d); err != nil || f.changes != before {
					t.Fatalf("second round: got %d changes and error %v, want none", f.changes-before, err)
				}
				want := users["A"] + users["B"] + users["C"]
				if got := total(); got < want || !d.Present && got != want {
					t.Fatalf("present %v: got %d items, %d of them the user's", d.Present, got, want)
				}
			}
		})
	}
}

func TestReconcileUnknownScene(t *testing.T) {
	f := newFakeOBS("A", "B")
	report, err := Reconcile(t.Context(), f, "1", Desired{Source: device(), Scenes: []string{"Z", "B"}, Present: true})
	var unknown *UnknownSceneError
	if !errors.As(err, &unknown) {
		t.Fatalf("error: got %v, want *UnknownSceneError", err)
	}
	want := &UnknownSceneError{Pattern: "Z", Collection: "C", Existing: []string{"A", "B"}}
	if diff := cmp.Diff(want, unknown); diff != "" {
		t.Errorf("error differs (-want +got):\n%s", diff)
	}
	if len(report.Done) != 1 || report.Done[0].String() != `add "Peer" to scene "B"` {
		t.Errorf("done: got %v, want the scene that is known", report.Done)
	}
}

// Off air and with nothing of ours in OBS, not even the memory is written.
func TestReconcileNothing(t *testing.T) {
	f := newFakeOBS("A")
	if _, err := Reconcile(t.Context(), f, "1", Desired{Source: device()}); err != nil || slices.Contains(f.writes, true) {
		t.Errorf("got error %v and writes %v, want none", err, f.writes)
	}
}

func TestReconcileCancelled(t *testing.T) {
	f := newFakeOBS("A")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Reconcile(ctx, f, "1", Desired{Source: device(), Present: true}); !errors.Is(err, context.Canceled) || f.changes != 0 {
		t.Errorf("got error %v and %d changes, want context.Canceled and none", err, f.changes)
	}
}

// What the user hides on air stays hidden until the user shows it or the next time on air; what was hidden before stays
// so, and a companion that leaves early takes nothing for an end.
func TestHiddenUntilTheNextTime(t *testing.T) {
	f := newFakeOBS("A", "B", "C")
	f.inputs["Peer"] = &Input{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11"}}
	f.put("A", "Peer", true)
	f.put("B", "Peer", false)
	d := Desired{Source: device(), Scenes: []string{"*"}}
	for _, step := range []struct {
		name    string
		user    func()
		present bool
		visible bool
		over    bool
		want    string // the scenes that show the peer
	}{
		{name: "on air", present: true, visible: true, want: "AC"},
		{name: "hidden by hand", user: func() { f.scene("A").Items[0].Enabled, f.scene("C").Items[0].Enabled = false, false }, present: true, visible: true},
		{name: "the peer goes", present: true},
		{name: "and comes back", present: true, visible: true},
		{name: "the companion leaves early"},
		{name: "and comes back, too", present: true, visible: true},
		{name: "shown by hand", user: func() { f.scene("A").Items[0].Enabled = true }, present: true, visible: true, want: "A"},
		{name: "the peer goes again", present: true},
		{name: "and comes back again", present: true, visible: true, want: "A"},
		{name: "hidden again", user: func() { f.scene("A").Items[0].Enabled = false }, present: true, visible: true},
		{name: "off air", over: true},
		{name: "the next time", present: true, visible: true, want: "AC"},
	} {
		if step.user != nil {
			step.user()
		}
		d.Present, d.Visible, d.Over = step.present, step.visible, step.over
		for range 2 {
			if _, err := Reconcile(t.Context(), f, "1", d); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		got := ""
		for _, name := range []string{"A", "B", "C"} {
			if items := f.scene(name).Items; len(items) > 0 && items[0].Enabled {
				got += name
			}
		}
		if got != step.want {
			t.Fatalf("%s: got the peer shown in %q, want %q", step.name, got, step.want)
		}
	}
}
