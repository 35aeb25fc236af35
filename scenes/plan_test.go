// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var hd = Size{W: 1920, H: 1080}

// device is the peer source of these tests.
func device() Source {
	return Source{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "buffering": false}}
}

func deviceInput(name string) Input {
	return Input{Name: name, Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "buffering": false, MarkKey: markMade}}
}

// show and hide are items of a source.
func show(id int, source string) Item {
	return Item{ID: id, Source: source, Enabled: true, Transform: Layout{}.Place(hd, Picture{})}
}

func hide(id int, source string) Item {
	it := show(id, source)
	it.Enabled = false
	return it
}

func inScene(name string, items ...Item) Scene { return Scene{Name: name, Items: items} }

func group(id int, name string) Item { return Item{ID: id, Source: name, Enabled: true, Group: true} }

// snap is a snapshot of a session "1" whose first scene is the programme.
func snap(inputs []Input, list ...Scene) Snapshot {
	return Snapshot{Session: "1", Collection: "C", Canvas: hd, Program: list[0].Name, Inputs: inputs, Scenes: list}
}

// remembering is the memory of session "1" of collection "C".
func remembering(c CollectionMemory) Memory {
	if c.Session == "" {
		c.Session = "1"
	}
	return Memory{Collections: map[string]*CollectionMemory{"C": &c}}
}

func items(im ...*ItemMemory) *SceneMemory {
	sm := &SceneMemory{}
	for i, m := range im {
		if m != nil {
			sm.set(i+1, m)
		}
	}
	return sm
}

// ourItem is an item that we added and that nobody touched.
func ourItem(enabled bool) *ItemMemory {
	placed := Layout{}.Place(hd, Picture{})
	return &ItemMemory{Ours: true, Live: true, Enabled: enabled, Placed: &placed, Look: Look{Transform: placed, Canvas: hd}}
}

// untouched is an item as OBS makes it.
func untouched(it Item) Item {
	it.Transform = Transform{ScaleX: 1, ScaleY: 1, Alignment: alignLeft | alignTop, BoundsType: boundsNone}
	return it
}

func TestPlan(t *testing.T) {
	peer := []Input{deviceInput("Peer")}
	studio := func(s Snapshot) Snapshot { s.Studio = true; return s }
	const offAir, waiting, onAir = "off air", "waiting", "on air"
	for _, tt := range []struct {
		name       string
		snapshot   Snapshot
		state      string
		patterns   []string
		held       string // a scene of Desired.Held
		wantHeld   bool
		memory     Memory
		want       []string
		transition string
	}{
		{name: "nothing off air", state: offAir, snapshot: snap(nil, inScene("A"))},
		{name: "the programme scene by default", state: onAir, snapshot: snap(nil, inScene("A"), inScene("B")),
			want: []string{`add "Peer" to scene "A"`}},
		{name: "the chosen scene stays when the programme changes", state: onAir,
			snapshot: snap(peer, inScene("B"), inScene("A", show(1, "Peer"))),
			memory:   remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}})},
		{name: "the scenes that have it", state: onAir,
			snapshot: snap(peer, inScene("A"), inScene("B", show(1, "Peer")), inScene("C", show(1, "Peer"))), want: nil},
		{name: "a scene that has it in a group", state: waiting,
			snapshot: snap(peer, inScene("A"), inScene("B", group(4, "G")), Scene{Name: "G", Group: true, Items: []Item{show(1, "Peer")}}),
			want:     []string{`hide "Peer" (item 1) in scene "G"`}},
		{name: "an item that the user hid before we came", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"), show(2, "Peer")))},
		{name: "held: added, but hidden", state: onAir, held: "A", wantHeld: true, snapshot: snap(nil, inScene("A")), want: []string{`add "Peer" to scene "A"`}},
		{name: "held: hidden as long as that", state: onAir, held: "A", wantHeld: true, snapshot: snap(peer, inScene("A", hide(1, "Peer")), inScene("B", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Scenes: map[string]*SceneMemory{"A": items(ourItem(false)), "B": items(ourItem(false))}, Chosen: []string{"A", "B"}}),
			want:   []string{`show "Peer" (item 1) in scene "B"`}},
		{name: "held: what is shown stays so", state: onAir, held: "A", snapshot: snap(peer, inScene("A", show(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}, Chosen: []string{"A"}})},
		{name: "held no more", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Scenes: map[string]*SceneMemory{"A": items(ourItem(false))}, Chosen: []string{"A"}}),
			want:   []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "peer away: all items hidden", state: waiting, snapshot: snap(peer, inScene("A", show(1, "Peer"), show(2, "Peer"))),
			want: []string{`hide "Peer" (item 1) in scene "A"`, `hide "Peer" (item 2) in scene "A"`}},
		{name: "peer comes", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(false))}}),
			want:   []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "off air: ours go, the user's hide, hidden ones stay", state: offAir,
			snapshot: snap(peer, inScene("A", show(1, "Peer"), show(2, "Peer"), hide(3, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(
				ourItem(true), &ItemMemory{Live: true, Enabled: true}, &ItemMemory{Live: true, Look: Look{Hidden: true}})}}),
			want: []string{`remove "Peer" (item 1) from scene "A"`, `hide "Peer" (item 2) in scene "A"`}},
		{name: "off air: what we never touched stays shown", state: offAir, snapshot: snap(peer, inScene("A", show(1, "Peer")))},
		{name: "off air: a removal that failed is tried again", state: offAir, snapshot: snap(peer, inScene("A", show(1, "Peer"))),
			memory: remembering(CollectionMemory{Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:   []string{`remove "Peer" (item 1) from scene "A"`}},

		{name: "hidden by hand", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}})},
		{name: "hidden because OBS crashed", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Session: "0", Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:   []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "back where OBS puts what is new, because it crashed", state: onAir, snapshot: snap(peer, inScene("A", untouched(show(1, "Peer")))),
			memory: remembering(CollectionMemory{Session: "0", Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:   []string{`place "Peer" (item 1) in scene "A"`}},
		{name: "put there by hand", state: onAir, snapshot: snap(peer, inScene("A", untouched(show(1, "Peer")))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}})},
		{name: "there, and OBS crashed while it wrote the memory", state: onAir, snapshot: snap(peer, inScene("A", untouched(show(1, "Peer")))),
			want: []string{`place "Peer" (item 1) in scene "A"`}},
		{name: "hidden, and OBS crashed while it wrote the memory", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			want: []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "hidden by the user before we came, in an input of theirs", state: onAir,
			snapshot: snap([]Input{{Name: "Cam", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", "buffering": false, MarkKey: markAdopted}}},
				inScene("A", hide(1, "Cam")))},
		{name: "deleted by hand", state: onAir, snapshot: snap(peer, inScene("A")),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}})},
		{name: "gone because OBS crashed", state: onAir, snapshot: snap(nil, inScene("A")),
			memory: remembering(CollectionMemory{Session: "0", Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:   []string{`add "Peer" to scene "A"`}},
		{name: "we crashed after adding: the item is ours", state: offAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Adding: true}}}),
			want:   []string{`remove "Peer" (item 1) from scene "A"`}},
		{name: "we crashed after adding: it is placed", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Adding: true}}}),
			want:   []string{`place "Peer" (item 1) in scene "A"`, `show "Peer" (item 1) in scene "A"`}},
		{name: "we crashed before adding", state: onAir, snapshot: snap(nil, inScene("A")),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Adding: true}}}),
			want:   []string{`add "Peer" to scene "A"`}},
		{name: "we crashed while showing: not the user's doing", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(func() *ItemMemory {
				im := ourItem(true)
				im.Pending = true
				return im
			}())}}),
			want: []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "we crashed while removing: it comes back next time", state: onAir, snapshot: snap(nil, inScene("A")),
			memory: remembering(CollectionMemory{Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(func() *ItemMemory {
				im := ourItem(true)
				im.Pending = true
				return im
			}())}}),
			want: []string{`add "Peer" to scene "A"`}},

		{name: "patterns", state: onAir, patterns: []string{"B*"}, snapshot: snap(nil, inScene("A"), inScene("B1"), inScene("B2")),
			want: []string{`add "Peer" to scene "B1"`, `add "Peer" to scene "B2"`}},
		{name: "patterns: not beside the user's own", state: onAir, patterns: []string{"*"},
			snapshot: snap(peer, inScene("A"), inScene("B", show(1, "Peer"))), want: []string{`add "Peer" to scene "A"`}},
		{name: "patterns: a scene that shows a chosen one needs none", state: onAir, patterns: []string{"*"},
			snapshot: snap(nil, inScene("A", Item{ID: 1, Source: "B", Enabled: true}), inScene("B")), want: []string{`add "Peer" to scene "B"`}},
		{name: "patterns: through a group as well", state: onAir, patterns: []string{"A"},
			snapshot: snap(peer, inScene("A", group(1, "G")), inScene("B", show(1, "Peer")),
				Scene{Name: "G", Group: true, Items: []Item{{ID: 1, Source: "B", Enabled: true}}})},
		{name: "patterns: a hidden nested scene does not count", state: onAir, patterns: []string{"A"},
			snapshot: snap(peer, inScene("A", Item{ID: 1, Source: "B"}), inScene("B", show(1, "Peer"))), want: []string{`add "Peer" to scene "A"`}},
		{name: "patterns: groups are no scenes", state: onAir, patterns: []string{"*"},
			snapshot: snap(nil, inScene("A", group(1, "G")), Scene{Name: "G", Group: true}), want: []string{`add "Peer" to scene "A"`}},
		{name: "patterns that changed: ours go from where they no longer belong", state: onAir, patterns: []string{"B"},
			snapshot: snap(peer, inScene("A", show(1, "Peer")), inScene("B")),
			memory:   remembering(CollectionMemory{Present: true, Visible: true, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:     []string{`remove "Peer" (item 1) from scene "A"`, `add "Peer" to scene "B"`}},

		{name: "the user's copy and the item that it was made of", state: onAir, snapshot: snap(peer, inScene("B"), inScene("A", hide(2, "Peer"))),
			memory: remembering(CollectionMemory{Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Again: true, Items: map[int]*ItemMemory{2: {Copy: true, Parked: true}}}}}),
			want:   []string{`add "Peer" to scene "A"`, `show "Peer" (item 2) in scene "A"`}},
		{name: "a copy in another scene", state: onAir, snapshot: snap(peer, inScene("A"), inScene("B", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Again: true}, "B": items(&ItemMemory{Copy: true, Parked: true})}}),
			want:   []string{`add "Peer" to scene "A"`, `show "Peer" (item 1) in scene "B"`}},
		{name: "a deletion undone while we hid the peer", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Deleted: true}, "B": items(&ItemMemory{})}}),
			want:   []string{`show "Peer" (item 1) in scene "A"`}},
		{name: "added hidden by the user", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": {Deleted: true}, "B": items(&ItemMemory{})}})},
		{name: "a hidden copy of what we hid is not hidden by the user", state: onAir, snapshot: snap(peer, inScene("A", hide(1, "Peer")), inScene("A copy", hide(1, "Peer"))),
			memory: remembering(CollectionMemory{Scenes: map[string]*SceneMemory{"A": items(&ItemMemory{Parked: true})}}),
			want:   []string{`show "Peer" (item 1) in scene "A"`, `show "Peer" (item 1) in scene "A copy"`}},

		{name: "a renamed scene", state: offAir, snapshot: snap(peer, inScene("B", show(1, "Peer"))),
			memory: remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:   []string{`remove "Peer" (item 1) from scene "B"`}},
		{name: "two scenes that may be the renamed one: left to the user", state: offAir,
			snapshot: snap(peer, inScene("B", show(1, "Peer")), inScene("D", show(1, "Peer"))),
			memory:   remembering(CollectionMemory{Present: true, Visible: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}})},
		{name: "another collection", state: offAir, snapshot: snap(peer, inScene("A", show(1, "Peer"))),
			memory: Memory{Collections: map[string]*CollectionMemory{"D": {Session: "1", Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}}}},

		{name: "an input of the user's on our device", state: onAir,
			snapshot: snap([]Input{{Name: "Cam", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11"}}}, inScene("A", show(1, "Cam"))),
			want:     []string{`set the settings of "Cam"`}},
		{name: "and its settings back", state: offAir,
			snapshot: snap([]Input{{Name: "Cam", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video11", MarkKey: markAdopted}}}, inScene("A", hide(1, "Cam"))),
			memory:   remembering(CollectionMemory{Was: map[string]map[string]any{"Cam": {"device_id": "/dev/video11"}}}),
			want:     []string{`give "Cam" its own settings back`}},
		{name: "an input of the same name and another kind", state: onAir, snapshot: snap([]Input{{Name: "Peer", Kind: "image_source"}}, inScene("A", show(1, "Peer"))),
			want: []string{`add "Peer 2" to scene "A"`}},
		{name: "left over from another route", state: onAir,
			snapshot: snap([]Input{{Name: "Peer", Kind: "ffmpeg_source", Settings: map[string]any{MarkKey: markMade}}}, inScene("A", show(1, "Peer"))),
			memory:   remembering(CollectionMemory{Present: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true))}}),
			want:     []string{`remove "Peer" (item 1) from scene "A"`, `add "Peer" to scene "A"`}},
		{name: "left over from another route, with a copy of the user's", state: onAir,
			snapshot: snap([]Input{{Name: "Peer", Kind: "ffmpeg_source", Settings: map[string]any{MarkKey: markMade}}}, inScene("A", show(1, "Peer"), hide(2, "Peer"))),
			memory:   remembering(CollectionMemory{Present: true, Chosen: []string{"A"}, Scenes: map[string]*SceneMemory{"A": items(ourItem(true), &ItemMemory{Copy: true})}}),
			want:     []string{`remove "Peer" (item 1) from scene "A"`, `add "Peer 2" to scene "A"`}},
		{name: "settings that changed", state: onAir,
			snapshot: snap([]Input{{Name: "Peer", Kind: "v4l2_input", Settings: map[string]any{"device_id": "/dev/video12", MarkKey: markMade}}}, inScene("A", show(1, "Peer"))),
			want:     []string{`set the settings of "Peer"`}},

		{name: "studio mode, programme scene", state: onAir, snapshot: studio(snap(nil, inScene("A"))), want: []string{`add "Peer" to scene "A"`}, transition: "A"},
		{name: "studio mode, nothing to be seen yet", state: waiting, snapshot: studio(snap(nil, inScene("A"))), want: []string{`add "Peer" to scene "A"`}},
		{name: "studio mode, another scene", state: onAir, patterns: []string{"B"}, snapshot: studio(snap(nil, inScene("A"), inScene("B"))), want: []string{`add "Peer" to scene "B"`}},
		{name: "studio mode, in a group of the programme scene", state: waiting,
			snapshot: studio(snap(peer, inScene("A", group(1, "G")), Scene{Name: "G", Group: true, Items: []Item{show(1, "Peer")}})),
			want:     []string{`hide "Peer" (item 1) in scene "G"`}, transition: "A"},
		{name: "studio mode, in a nested scene", state: waiting,
			snapshot: studio(snap(peer, inScene("A", Item{ID: 1, Source: "B", Enabled: true}), inScene("B", show(1, "Peer")))),
			want:     []string{`hide "Peer" (item 1) in scene "B"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := json.Marshal(tt.memory)
			if err != nil {
				t.Fatal(err)
			}
			d := Desired{Source: device(), Scenes: tt.patterns, Present: tt.state != offAir, Visible: tt.state == onAir}
			if tt.held != "" {
				d.Held = func(scene string) bool { return scene == tt.held }
			}
			out := Plan(tt.snapshot, d, tt.memory)
			var got []string
			for _, e := range out.Edits {
				got = append(got, e.String())
				if add, is := e.(AddItem); is && add.Enable != (tt.state == onAir && add.Scene != tt.held) {
					t.Errorf("%v: got it shown: %v", e, add.Enable)
				}
			}
			if out.Held != tt.wantHeld {
				t.Errorf("Held: got %v, want %v", out.Held, tt.wantHeld)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("edits differ (-want +got):\n%s", diff)
			}
			if out.NeedsTransition != tt.transition {
				t.Errorf("NeedsTransition: got %q, want %q", out.NeedsTransition, tt.transition)
			}
			after, err := json.Marshal(tt.memory)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("Plan changed the memory that it was given (-before +after):\n%s", diff)
			}
		})
	}
}

// What an added item looks like depends on how the last one did.
func TestPlanLook(t *testing.T) {
	moved := Transform{X: 10, Y: 20, ScaleX: 1, ScaleY: 1, Alignment: 5, BoundsType: boundsInner, BoundsW: 320, BoundsH: 180}
	half := Size{W: 960, H: 540}
	scene := inScene("A", show(3, "Low"), show(4, "Middle"), show(5, "High"))
	for _, tt := range []struct {
		name  string
		last  *Look
		want  Look
		index int
	}{
		{"first time", nil, Look{Transform: Layout{}.Place(hd, Picture{}), Canvas: hd}, -1},
		{"not moved, other canvas", &Look{Transform: moved, Canvas: half}, Look{Transform: Layout{}.Place(hd, Picture{}), Canvas: hd}, -1},
		{"moved", &Look{Moved: true, Transform: moved, Canvas: hd, Locked: true}, Look{Moved: true, Transform: moved, Canvas: hd, Locked: true}, -1},
		{"moved, other canvas", &Look{Moved: true, Transform: moved, Canvas: half},
			Look{Moved: true, Transform: moved.rescaled(half, hd), Canvas: hd}, -1},
		{"under an item", &Look{Under: 4, Above: 1}, Look{Transform: Layout{}.Place(hd, Picture{}), Canvas: hd, Under: 4, Above: 1}, 1},
		{"under an item that is gone", &Look{Under: 9, Above: 1}, Look{Transform: Layout{}.Place(hd, Picture{}), Canvas: hd, Under: 9, Above: 1}, 2},
		{"under more items than are left", &Look{Under: 9, Above: 7}, Look{Transform: Layout{}.Place(hd, Picture{}), Canvas: hd, Under: 9, Above: 7}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := remembering(CollectionMemory{Scenes: map[string]*SceneMemory{"A": {Last: tt.last}}})
			out := Plan(snap(nil, scene), Desired{Source: device(), Present: true}, m)
			want := []Edit{AddItem{Scene: "A", Input: "Peer", Create: &Source{Name: "Peer", Kind: "v4l2_input",
				Settings: map[string]any{"device_id": "/dev/video11", "buffering": false, MarkKey: markMade}}, Look: tt.want, Index: tt.index}}
			if diff := cmp.Diff(want, out.Edits); diff != "" {
				t.Errorf("edits differ (-want +got):\n%s", diff)
			}
		})
	}
}

// The memory is stored as JSON and must come back whole.
func TestMemoryJSON(t *testing.T) {
	m := remembering(CollectionMemory{Input: "Anna", Asked: "Peer", Present: true, Chosen: []string{"A"},
		Was:    map[string]map[string]any{"Cam": {"x": "y"}},
		Scenes: map[string]*SceneMemory{"A": items(ourItem(true), &ItemMemory{Copy: true, Look: Look{Moved: true, Under: 3, Above: 1}})}})
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got Memory
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("memory differs (-want +got):\n%s", diff)
	}
	var holes Memory
	if err := json.Unmarshal([]byte(`{"collections":{"C":{"scenes":{"A":{"items":{"1":null}},"B":null}},"D":null}}`), &holes); err != nil {
		t.Fatal(err)
	}
	Plan(snap(nil, inScene("A")), Desired{Source: device(), Present: true}, holes)
}
