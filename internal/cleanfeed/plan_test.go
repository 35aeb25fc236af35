// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/obsctl"
)

// it is an item: shown, where OBS puts new ones.
func it(id int, source string) obsctl.SceneItem {
	return obsctl.SceneItem{ID: id, Source: source, Enabled: true, BlendMode: noBlend, Transform: whole}
}

func group(id int, source string, w, h float64) obsctl.SceneItem {
	i := it(id, source)
	i.IsGroup, i.Transform.SourceW, i.Transform.SourceH = true, w, h
	return i
}

func hidden(i obsctl.SceneItem) obsctl.SceneItem {
	i.Enabled = false
	return i
}

func at(i obsctl.SceneItem, x float64) obsctl.SceneItem {
	i.Transform.X = x
	return i
}

func items(list ...obsctl.SceneItem) scene { return scene{items: list} }

// stageOf is a snapshot of an OBS with a canvas of 640x360, in which "Peer" is the peer and Main the programme.
func stageOf(scenes, ours map[string]scene) snapshot {
	s := snapshot{scene: Scene, program: "Main", scenes: scenes, ours: ours, barred: map[string]bool{"Peer": true}, taken: map[string]bool{}, width: 640, height: 360}
	for _, of := range []map[string]scene{scenes, ours} {
		for name := range of {
			s.taken[name] = true
		}
	}
	return s
}

// shown are our scenes when the peer sees the named one.
func shown(source string, mirrors map[string]scene) map[string]scene {
	out := map[string]scene{Scene: items(it(1, source))}
	for name, sc := range mirrors {
		out[name] = sc
	}
	return out
}

const mainMirror = mirrorPrefix + "Main"

func TestPlan(t *testing.T) {
	mirrors := map[string]string{"Main": mainMirror, "Inner": mirrorPrefix + "Inner"}
	grey := obsctl.Filter{Name: "grey", Kind: "color_filter_v2", Enabled: true, Settings: map[string]any{"saturation": -1.0}}
	brighter := grey
	brighter.Settings = map[string]any{"brightness": 1.0}
	for _, test := range []struct {
		name  string
		s     snapshot
		twins twins
		names map[string]string
		want  []string
	}{
		{
			name: "a programme without the peer is shown itself",
			s:    stageOf(map[string]scene{"Main": items(it(1, "Cam"))}, nil),
			want: []string{`make scene "To peer"`, `show the peer "Main"`},
		},
		{
			name: "and nothing is left to do",
			s:    stageOf(map[string]scene{"Main": items(it(1, "Cam"))}, shown("Main", nil)),
		},
		{
			name: "with the peer it is mirrored, and shown when that is done",
			s:    stageOf(map[string]scene{"Main": items(it(1, "Cam"), it(2, "Peer"), hidden(it(3, "Text")))}, shown("Main", nil)),
			want: []string{
				`make scene "To peer: Main"`,
				`put "Cam" into "To peer: Main"`, `put "Text" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
		{
			name: "a mirror that was made ahead is taken, and one is made when there are no more",
			s: func() snapshot {
				s := stageOf(map[string]scene{
					"Main": items(it(1, "Inner"), it(2, "Peer")), "Inner": items(it(1, "Peer"), it(2, "Cam")),
				}, shown("Main", map[string]scene{spareName: {}}))
				s.spares = []string{spareName}
				return s
			}(),
			want: []string{
				`mirror "Inner" in "To peer: mirror"`, `put "Cam" into "To peer: mirror"`, `show item 2 in "To peer: mirror": true`,
				`make scene "To peer: Main"`, `put "To peer: mirror" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
		{
			name:  "a peer who is hidden counts as well, and nothing is left to do",
			s:     stageOf(map[string]scene{"Main": items(it(1, "Cam"), hidden(it(2, "Peer")))}, shown(mainMirror, map[string]scene{mainMirror: items(it(7, "Cam"))})),
			twins: twins{mainMirror: {7: 1}}, names: mirrors,
		},
		{
			name: "items that were moved, hidden, blended and put into another order",
			s: stageOf(
				map[string]scene{"Main": items(it(3, "C"), at(it(1, "A"), 5), hidden(it(2, "B")), it(9, "Peer"))},
				shown(mainMirror, map[string]scene{mainMirror: items(it(4, "A"), it(5, "B"), func() obsctl.SceneItem { i := it(6, "C"); i.BlendMode = "OBS_BLEND_SCREEN"; return i }())})),
			twins: twins{mainMirror: {4: 1, 5: 2, 6: 3}}, names: mirrors,
			want: []string{
				`move item 3 in "To peer: Main" to place 0`, `place item 1 in "To peer: Main"`,
				`show item 2 in "To peer: Main": false`, `blend item 3 in "To peer: Main" by OBS_BLEND_NORMAL`,
			},
		},
		{
			name: "what is no copy, or a second one, or of what is gone, or of what is the peer now, is removed",
			s: stageOf(
				map[string]scene{"Main": items(it(1, "A"), it(2, "Peer"))},
				shown(mainMirror, map[string]scene{mainMirror: items(it(3, "A"), it(4, "A"), it(5, "Stranger"), it(6, "Gone"), it(7, "Peer"))})),
			twins: twins{mainMirror: {3: 1, 4: 1, 6: 8, 7: 2}}, names: mirrors,
			want: []string{
				`remove "A" from "To peer: Main"`, `remove "Stranger" from "To peer: Main"`,
				`remove "Gone" from "To peer: Main"`, `remove "Peer" from "To peer: Main"`,
			},
		},
		{
			name: "after a crash nothing is known of the copies, and they are made anew",
			s: stageOf(map[string]scene{"Main": items(it(1, "A"), it(2, "Peer"))},
				shown(mainMirror, map[string]scene{mainMirror: items(it(3, "A"))})),
			names: mirrors,
			want:  []string{`remove "A" from "To peer: Main"`, `put "A" into "To peer: Main"`, `show item 1 in "To peer: Main": true`},
		},
		{
			name: "a scene in a scene is mirrored only where it shows the peer",
			s: stageOf(map[string]scene{
				"Main":  items(it(1, "Inner"), it(2, "Clean")),
				"Inner": items(it(1, "Peer"), it(2, "Cam")), "Clean": items(it(1, "Cam")),
			}, nil),
			want: []string{
				`make scene "To peer: Inner"`, `put "Cam" into "To peer: Inner"`, `show item 2 in "To peer: Inner": true`,
				`make scene "To peer: Main"`, `put "To peer: Inner" into "To peer: Main"`, `put "Clean" into "To peer: Main"`,
				`show item 1 in "To peer: Main": true`, `show item 2 in "To peer: Main": true`,
				`make scene "To peer"`, `show the peer "To peer: Main"`,
			},
		},
		{
			name: "a scene that comes to show the peer gives way to its mirror",
			s: stageOf(
				map[string]scene{"Main": items(it(1, "Inner"), it(2, "Peer")), "Inner": items(it(1, "Peer"))},
				shown(mainMirror, map[string]scene{mainMirror: items(it(3, "Inner"))})),
			twins: twins{mainMirror: {3: 1}}, names: map[string]string{"Main": mainMirror},
			want: []string{
				`make scene "To peer: Inner"`, `remove "Inner" from "To peer: Main"`,
				`put "To peer: Inner" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
			},
		},
		{
			name: "a group is mirrored although it does not show the peer",
			s:    stageOf(map[string]scene{"Main": items(group(1, "Group", 100, 50), it(2, "Peer")), "Group": {group: true, items: []obsctl.SceneItem{it(1, "Cam")}}}, shown("Main", nil)),
			want: []string{
				`make scene "To peer: Group"`, `put "Cam" into "To peer: Group"`, `show item 1 in "To peer: Group": true`,
				`make scene "To peer: Main"`, `put "To peer: Group" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
		{
			name: "filters: made again when they are others, set when they are not",
			s: stageOf(
				map[string]scene{"Main": {items: []obsctl.SceneItem{it(1, "Peer")}, filters: []obsctl.Filter{brighter}}},
				shown(mainMirror, map[string]scene{mainMirror: {filters: []obsctl.Filter{grey}}})),
			names: mirrors,
			want:  []string{`set filter "grey" of "To peer: Main"`},
		},
		{
			name: "filters that do more than change the picture are not taken over",
			s: stageOf(
				map[string]scene{"Main": {items: []obsctl.SceneItem{it(1, "Peer")}, filters: []obsctl.Filter{{Name: "record", Kind: "source_record_filter", Enabled: true}, grey}}},
				shown(mainMirror, map[string]scene{mainMirror: {filters: []obsctl.Filter{{Name: "old", Kind: "crop_filter"}}}})),
			names: mirrors,
			want:  []string{`remove filter "old" from "To peer: Main"`, `give "To peer: Main" the filter "grey"`},
		},
		{
			name: "a name that is taken",
			s: func() snapshot {
				s := stageOf(map[string]scene{"Main": items(it(1, "Peer"))}, shown("Main", nil))
				s.taken[mainMirror] = true
				return s
			}(),
			want: []string{`make scene "To peer: Main 2"`, `show the peer "To peer: Main 2"`, `remove "Main" from "To peer"`},
		},
		{
			name: "in studio mode the programme is a copy, which has to be mirrored even without the peer",
			s: func() snapshot {
				s := stageOf(map[string]scene{"Main": items(it(1, "Cam"))}, shown("Main", nil))
				s.frozen = true
				return s
			}(),
			want: []string{
				`make scene "To peer: Main"`, `put "Cam" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
		{
			name: "a private scene as the programme: the peer sees nothing",
			s:    private(stageOf(map[string]scene{"Main": items(it(1, "Cam"), it(2, "Peer"))}, shown("Other", nil)), "Main"),
			want: []string{`remove "Other" from "To peer"`},
		},
		{
			name: "and nothing is left to do",
			s:    private(stageOf(map[string]scene{"Main": items(it(1, "Cam"))}, map[string]scene{Scene: {}}), "Main"),
		},
		{
			name: "a private scene within: the peer sees nothing, and its mirror does not have it",
			s: private(stageOf(map[string]scene{"Main": items(it(1, "Cam"), it(2, "Secret"))},
				shown(mainMirror, map[string]scene{mainMirror: items(it(7, "Cam"))})), "Secret"),
			twins: twins{mainMirror: {7: 1}}, names: mirrors,
			want: []string{`remove "To peer: Main" from "To peer"`},
		},
		{
			name: "a private scene that is hidden: the peer sees a mirror without it, so that showing it shows the peer nothing",
			s:    private(stageOf(map[string]scene{"Main": items(it(1, "Cam"), hidden(it(2, "Secret")))}, shown("Main", nil)), "Secret"),
			want: []string{
				`make scene "To peer: Main"`, `put "Cam" into "To peer: Main"`, `show item 1 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
		{
			name: "our own scene in the user's is left out",
			s: func() snapshot {
				s := stageOf(map[string]scene{"Main": items(it(1, Scene), it(2, "Cam"))}, shown("Main", nil))
				s.barred[Scene] = true
				return s
			}(),
			want: []string{
				`make scene "To peer: Main"`, `put "Cam" into "To peer: Main"`, `show item 2 in "To peer: Main": true`,
				`show the peer "To peer: Main"`, `remove "Main" from "To peer"`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			mirrors, shown := plan(test.s, test.twins, test.names)
			for _, e := range slices.Concat(mirrors, shown) {
				got = append(got, e.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("edits (-want +got):\n%s", diff)
			}
		})
	}
}

// private is a snapshot in which a scene is private.
func private(s snapshot, secret string) snapshot {
	s.private = map[string]bool{secret: true}
	s.barred[secret] = true
	s.hidden = s.shownPrivate(s.program)
	return s
}

// TestShownPrivate: which private scene the programme shows.
func TestShownPrivate(t *testing.T) {
	for _, test := range []struct {
		name   string
		scenes map[string]scene
		want   string
	}{
		{"none", map[string]scene{"Main": items(it(1, "Cam"))}, ""},
		{"within", map[string]scene{"Main": items(it(1, "Cam"), it(2, "Secret"))}, "Secret"},
		{"within, hidden", map[string]scene{"Main": items(hidden(it(2, "Secret")))}, ""},
		{"deep within", map[string]scene{"Main": items(group(1, "G", 1, 1)), "G": {group: true, items: []obsctl.SceneItem{it(1, "Inner")}}, "Inner": items(it(1, "Secret"))}, "Secret"},
		{"deep within, in what is hidden", map[string]scene{"Main": items(hidden(group(1, "G", 1, 1))), "G": {group: true, items: []obsctl.SceneItem{it(1, "Secret")}}}, ""},
		{"twice", map[string]scene{"Main": items(hidden(it(1, "Secret")), it(2, "Secret"))}, "Secret"},
	} {
		if got := private(stageOf(test.scenes, nil), "Secret").hidden; got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	s := private(stageOf(map[string]scene{"Main": items(it(1, "Cam"))}, nil), "Main")
	if s.hidden != "Main" {
		t.Errorf("the programme itself: got %q", s.hidden)
	}
	if bare := s.bare(); len(bare) > 0 {
		t.Errorf("the peer may see %v as it is, want nothing", bare)
	}
}

// The order of each permutation comes out, whatever the mirror had.
func TestOrder(t *testing.T) {
	sources := []string{"A", "B", "C", "D"}
	for _, want := range permutations(sources) {
		s := stageOf(map[string]scene{"Main": {}}, map[string]scene{mainMirror: {}})
		from, has := []obsctl.SceneItem{it(9, "Peer")}, []obsctl.SceneItem{}
		for _, name := range want {
			from = append(from, it(slices.Index(sources, name), name))
		}
		copies := twins{mainMirror: {}}
		for i, name := range sources {
			has = append(has, it(10+i, name))
			copies[mainMirror][10+i] = i
		}
		s.scenes["Main"], s.ours[mainMirror] = items(from...), items(has...)
		got := slices.Clone(sources)
		mirrors, _ := plan(s, copies, map[string]string{"Main": mainMirror})
		for _, e := range mirrors {
			if m, is := e.(moveItem); is {
				at := slices.Index(got, sources[m.Origin])
				got = slices.Insert(slices.Delete(got, at, at+1), m.Index, sources[m.Origin])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("order: got %v, want %v", got, want)
		}
	}
}

func permutations(of []string) [][]string {
	if len(of) == 0 {
		return [][]string{nil}
	}
	var out [][]string
	for i, first := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, p := range permutations(rest) {
			out = append(out, append([]string{first}, p...))
		}
	}
	return out
}

func TestLikeGroup(t *testing.T) {
	s := stageOf(nil, nil)
	for _, test := range []struct {
		name          string
		change        func(*obsctl.Transform)
		right, bottom int // crops
	}{
		{"as new", func(*obsctl.Transform) {}, 0, 0},
		{"moved, scaled and turned", func(t *obsctl.Transform) { t.X, t.ScaleX, t.Rotation = 5, 2, 30 }, 0, 0},
		{"held at its centre", func(t *obsctl.Transform) { t.Alignment = 0 }, 540, 310},
		{"in bounds", func(t *obsctl.Transform) { t.BoundsType, t.BoundsW, t.BoundsH = "OBS_BOUNDS_STRETCH", 10, 10 }, 540, 310},
		{"cropped", func(t *obsctl.Transform) { t.CropRight = 7 }, 547, 310},
		{"larger than the canvas", func(t *obsctl.Transform) { t.Alignment, t.SourceW = 0, 1000 }, 0, 310},
	} {
		tr := group(1, "Group", 100, 50).Transform
		test.change(&tr)
		want := tr
		want.CropRight, want.CropBottom = test.right, test.bottom
		if diff := cmp.Diff(want, s.likeGroup(tr)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMayBeOurs(t *testing.T) {
	for name, want := range map[string]bool{
		"To peer": true, "To peer: Main": true, spareName: true, "To peer 2": true, "To peer 1": false, "To peer x": false, "To peers": false, "Main": false, "": false,
	} {
		if got := MayBeOurs(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
}
