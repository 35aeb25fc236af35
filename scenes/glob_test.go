// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatching(t *testing.T) {
	names := []string{"Game", "Game 2", "Talk/Chat", "Cam [1]", "Cam 1", "Überblick", "*", "Cam [", `back\`, `a\b`, " Intro ", `say "hi", now`}
	for _, tt := range []struct {
		patterns []string
		want     []string
	}{
		{nil, nil},
		{[]string{"Game"}, []string{"Game"}},
		{[]string{"game"}, nil},
		{[]string{"Game*"}, []string{"Game", "Game 2"}},
		{[]string{"?*"}, names},
		// A scene's very name means that scene, and no pattern is tried.
		{[]string{"*"}, []string{"*"}},
		{[]string{"Cam ["}, []string{"Cam ["}},
		{[]string{`back\`, `a\b`}, []string{`back\`, `a\b`}},
		{[]string{" Intro "}, []string{" Intro "}},
		{[]string{`say "hi", now`}, []string{`say "hi", now`}},
		{[]string{`Cam \[`}, []string{"Cam ["}},
		{[]string{"Intro"}, nil},
		{[]string{`\*`}, []string{"*"}},
		{[]string{"*Chat", "Game"}, []string{"Game", "Talk/Chat"}},
		{[]string{"Talk/*"}, []string{"Talk/Chat"}},
		{[]string{"Cam [1]"}, []string{"Cam [1]"}},
		{[]string{"Cam [12]"}, []string{"Cam 1"}},
		{[]string{"?berblick"}, []string{"Überblick"}},
		{[]string{"Game [0-9]"}, []string{"Game 2"}},
		{[]string{"Game ["}, nil},
	} {
		if diff := cmp.Diff(tt.want, Matching(tt.patterns, names)); diff != "" {
			t.Errorf("matching %q differs (-want +got):\n%s", tt.patterns, diff)
		}
	}
}

func TestUnknownScene(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		existing []string
		want     string
	}{
		{"Game", []string{"Intro", "Talk"}, `no scene is called "Game" in OBS's scene collection "Main"; there are "Intro", "Talk"`},
		{"Gam*", []string{"Intro"}, `no scene matches "Gam*" in OBS's scene collection "Main"; there are "Intro"`},
		{"Gam[", []string{"Intro"}, `no scene is called "Gam[" in OBS's scene collection "Main"; there are "Intro"; it is not a valid pattern either: it has a [ without its ], or a \ at the end`},
		{`Gam\`, nil, `no scene is called "Gam\\" in OBS's scene collection "Main", which has no scenes; it is not a valid pattern either: it has a [ without its ], or a \ at the end`},
		{"Game", nil, `no scene is called "Game" in OBS's scene collection "Main", which has no scenes`},
	} {
		err := CheckScenes([]string{tt.pattern}, "Main", tt.existing)
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if err := CheckScenes([]string{"I*", "Talk"}, "Main", []string{"Intro", "Talk"}); err != nil {
		t.Errorf("known scenes: got %v, want no error", err)
	}
}

// A rule may be for a scene that is to come, unless it can never match.
func TestLayoutsCheck(t *testing.T) {
	existing := []string{"Intro", "Cam ["}
	for _, tt := range []struct {
		pattern string
		ok      bool
	}{{"Intro", true}, {"Later", true}, {"Game*", true}, {"Cam [", true}, {"[b]", true}, {`\*`, true}, {"[a", false}, {`a\`, false}, {"a[]", false}} {
		err := Layouts{Rules: []Rule{{Scenes: "Intro"}, {Scenes: tt.pattern}}}.Check("Main", existing)
		var unknown *UnknownSceneError
		if (err == nil) != tt.ok || err != nil && (!errors.As(err, &unknown) || unknown.Pattern != tt.pattern) {
			t.Errorf("%q: got %v, want it to be right: %v", tt.pattern, err, tt.ok)
		}
	}
}
