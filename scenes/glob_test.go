// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatching(t *testing.T) {
	names := []string{"Game", "Game 2", "Talk/Chat", "Cam [1]", "Cam 1", "Überblick", "*"}
	for _, tt := range []struct {
		patterns []string
		want     []string
	}{
		{nil, nil},
		{[]string{"Game"}, []string{"Game"}},
		{[]string{"game"}, nil},
		{[]string{"Game*"}, []string{"Game", "Game 2"}},
		{[]string{"*"}, names},
		{[]string{`\*`}, []string{"*"}},
		{[]string{"*Chat", "Game"}, []string{"Game", "Talk/Chat"}},
		{[]string{"Talk/*"}, []string{"Talk/Chat"}},
		{[]string{"Cam [1]"}, []string{"Cam [1]", "Cam 1"}},
		{[]string{"?berblick"}, []string{"Überblick"}},
		{[]string{"Game [0-9]"}, []string{"Game 2"}},
		{[]string{"Cam ["}, nil},
	} {
		if diff := cmp.Diff(tt.want, matching(tt.patterns, names)); diff != "" {
			t.Errorf("matching %q differs (-want +got):\n%s", tt.patterns, diff)
		}
	}
}

func TestCheckPatterns(t *testing.T) {
	if err := CheckPatterns([]string{"a*", "[b]", `\*`}); err != nil {
		t.Errorf("good patterns: got %v, want none", err)
	}
	for _, bad := range []string{"[a", `a\`, "a[]"} {
		if CheckPatterns([]string{bad}) == nil {
			t.Errorf("CheckPatterns(%q): got no error, want one", bad)
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
