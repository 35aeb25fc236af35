// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The peer's picture changes its shape while it is seen: its black borders are cropped, and nothing else of it.
func TestPlanFollowsPicture(t *testing.T) {
	wide := Picture{Size: hd}
	old := Picture{Size: hd, Border: Border{Left: 240, Right: 240}}
	layout := Layout{Shape: SideBySide}
	placed := func(l Layout, p Picture) ItemMemory {
		t := l.Place(hd, p)
		return ItemMemory{Ours: true, Live: true, Enabled: true, Placed: &t, Look: Look{Transform: t, Canvas: hd, Border: p.Border}}
	}
	byHand := Transform{X: 50, Y: 60, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsInner, BoundsW: 700, BoundsH: 500, CropLeft: 9}
	moved := func(t Transform, border Border, ours bool) ItemMemory {
		return ItemMemory{Ours: ours, Live: true, Enabled: true, Placed: &t, Look: Look{Moved: true, Transform: t, Canvas: hd, Border: border}}
	}
	arranged := placed(Layout{Shape: Full}, wide)
	arranged.Ours, arranged.Layout = false, "full"
	for _, tt := range []struct {
		name    string
		memory  ItemMemory
		picture Picture
		want    *Transform // nil: it is left alone
	}{
		{"as it was", placed(layout, wide), wide, nil},
		{"another shape", placed(layout, wide), old, ptr(layout.Place(hd, old))},
		{"the canvas's shape again", placed(layout, old), wide, ptr(layout.Place(hd, wide))},
		{"moved by the user", moved(byHand, Border{}, true), old, ptr(byHand.trimmed(old.Border))},
		{"moved by the user, again", moved(byHand.trimmed(old.Border), old.Border, true), wide, &byHand},
		{"moved by the user, as it was", moved(byHand.trimmed(old.Border), old.Border, true), old, nil},
		{"the user's own item", moved(byHand, Border{}, false), old, nil},
		{"the user's own item, laid out by command", arranged, old, ptr(Layout{Shape: Full}.Place(hd, old))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			item := show(1, "Peer")
			item.Transform = *tt.memory.Placed
			memory := remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"},
				Scenes: map[string]*SceneMemory{"A": items(&tt.memory)}})
			desired := Desired{Source: device(), Present: true, Visible: true, Layouts: Layouts{Default: layout}, Picture: tt.picture}
			out := Plan(snap([]Input{deviceInput("Peer")}, inScene("A", item)), desired, memory)
			var got *Transform
			if len(out.Edits) == 1 {
				got = ptr(out.Edits[0].(PlaceItem).Look.Transform)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || len(out.Edits) > 1 {
				t.Errorf("got edits %v; transform differs (-want +got):\n%s", out.Edits, diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }
