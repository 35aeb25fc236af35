// SPDX-License-Identifier: Apache-2.0

package obsctl_test

import (
	"fmt"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// A batch of several messages makes items and places them, asks for them and takes them out again.
func TestRealBatch(t *testing.T) {
	testbed.Need(t)
	obs := testbed.StartOBS(t, testbed.OBSOptions{})
	c, ctx := findAndDial(t, obs), t.Context()
	check(t, c.CreateScene(ctx, "Second"))
	if _, err := c.CreateInput(ctx, testbed.Scene, "Green", "color_source_v3", map[string]any{"width": 100, "height": 50}, true); err != nil {
		t.Fatal(err)
	}
	const count = 150
	b := c.Batch()
	var made []*obsctl.NewItem
	for range count {
		made = append(made, b.CreateSceneItem("Second", "Green", false))
	}
	var told []*obsctl.Answer[obsctl.Nothing]
	for i, m := range made {
		told = append(told, b.SetItemTransform("Second", m.ItemRef, obsctl.Transform{X: float64(i), Alignment: 5}), b.SetItemEnabled("Second", m.ItemRef, true))
	}
	lost := b.CreateSceneItem("Second", "Nothing", true)
	after := b.SetItemLocked("Second", lost.ItemRef, true)
	holds, holdsNot := b.Holds("Second", "Green"), b.Holds(testbed.Scene, "Blue")
	lowest, topmost, none := b.LowestItem("Second", "Green"), b.TopmostItem("Second", "Green"), b.LowestItem(testbed.Scene, "Blue")
	first, gone := obsctl.ItemID(1), b.ItemEnabled("Second", 9999)
	hidden := b.SetItemEnabled("Second", first, false)
	shown := b.ItemEnabled("Second", 1)
	told = append(told, hidden, b.SetItemEnabled("Second", first, true))
	list := b.SceneList()
	items := b.SceneItems("Second")
	check(t, b.Do(ctx))
	for _, a := range told {
		check(t, a.Err)
	}
	if len(items.Value) != count {
		t.Fatalf("got %d items and error %v, want %d", len(items.Value), items.Err, count)
	}
	for i, it := range items.Value {
		if it.ID != made[i].Value || !it.Enabled || it.Transform.X != float64(i) {
			t.Fatalf("item %d: got %+v, want it shown at %[1]d", i, it)
		}
	}
	if !obsctl.IsCode(lost.Err, obsctl.CodeNotFound) || after.Err == nil {
		t.Errorf("an item of what is not there: got errors %v and %v", lost.Err, after.Err)
	}
	if !holds.Value || holdsNot.Value || holdsNot.Err != nil {
		t.Errorf("which scene holds what: got %+v and %+v, want true and false", *holds, *holdsNot)
	}
	if lowest.Value != made[0].Value || topmost.Value != made[count-1].Value || !obsctl.IsCode(none.Err, obsctl.CodeNotFound) {
		t.Errorf("the lowest, the topmost and no item: got %+v, %+v and %+v, want %d, %d and an error", *lowest, *topmost, *none, made[0].Value, made[count-1].Value)
	}
	if shown.Value || shown.Err != nil || !obsctl.IsCode(gone.Err, obsctl.CodeNotFound) {
		t.Errorf("whether items are shown: got %+v and %+v, want false and an error", *shown, *gone)
	}
	if got := fmt.Sprint(list.Value); got != fmt.Sprint(obsctl.SceneList{Names: []string{testbed.Scene, "Second"}, Program: testbed.Scene}) {
		t.Errorf("scenes: got %s", got)
	}

	b = c.Batch()
	for _, m := range made {
		told = append(told, b.RemoveSceneItem("Second", m.Value))
	}
	check(t, b.Do(ctx))
	for _, a := range told {
		check(t, a.Err)
	}
	if left := must[[]obsctl.SceneItem](t)(c.SceneItems(ctx, "Second")); len(left) > 0 {
		t.Errorf("got %d items left, want none", len(left))
	}
}
