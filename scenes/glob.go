// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// UnknownSceneError says that a scene which the user named is not in OBS.
type UnknownSceneError struct {
	Pattern    string
	Collection string
	Existing   []string // the scenes that there are
}

func (e *UnknownSceneError) Error() string {
	what := fmt.Sprintf("no scene is called %q", e.Pattern)
	wrong := ""
	switch {
	case broken(e.Pattern):
		wrong = `; it is not a valid pattern either: it has a [ without its ], or a \ at the end`
	case strings.ContainsAny(e.Pattern, `*?[\`):
		what = fmt.Sprintf("no scene matches %q", e.Pattern)
	}
	if e.Collection != "" {
		what += fmt.Sprintf(" in OBS's scene collection %q", e.Collection)
	}
	if len(e.Existing) == 0 {
		return what + ", which has no scenes" + wrong
	}
	quoted := make([]string, len(e.Existing))
	for i, name := range e.Existing {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return what + "; there are " + strings.Join(quoted, ", ") + wrong
}

// CheckScenes returns an *UnknownSceneError for the first pattern that matches none of the
// existing scenes, and nil otherwise.
func CheckScenes(patterns []string, collection string, existing []string) error {
	for _, p := range patterns {
		if len(Matching([]string{p}, existing)) == 0 {
			return &UnknownSceneError{Pattern: p, Collection: collection, Existing: existing}
		}
	}
	return nil
}

// Check returns an *UnknownSceneError for the first rule whose pattern can never match because its syntax is wrong, and
// is not the name of a scene either. Rules may be for scenes that are not there.
func (l Layouts) Check(collection string, existing []string) error {
	for _, r := range l.Rules {
		if broken(r.Scenes) && !slices.Contains(existing, r.Scenes) {
			return &UnknownSceneError{Pattern: r.Scenes, Collection: collection, Existing: existing}
		}
	}
	return nil
}

// Matching returns those names that at least one pattern matches, in the order of names. A pattern that is itself one of
// the names means that one alone, so that a scene called "Cam [1]" can be named.
func Matching(patterns, names []string) []string {
	wanted := make(map[string]bool)
	for _, p := range patterns {
		if slices.Contains(names, p) {
			wanted[p] = true
			continue
		}
		for _, name := range names {
			if match(p, name) {
				wanted[name] = true
			}
		}
	}
	var out []string
	for _, name := range names {
		if wanted[name] {
			out = append(out, name)
		}
	}
	return out
}

// match is path.Match without its special treatment of slashes, which scene names may well contain.
func match(pattern, name string) bool {
	plain := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(plain.Replace(pattern), plain.Replace(name))
	return err == nil && ok
}

// broken tells that a pattern can match nothing because its syntax is wrong.
func broken(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err != nil
}
