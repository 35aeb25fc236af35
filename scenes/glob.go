// SPDX-License-Identifier: Apache-2.0

package scenes

import (
	"fmt"
	"path"
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
	if strings.ContainsAny(e.Pattern, `*?[\`) {
		what = fmt.Sprintf("no scene matches %q", e.Pattern)
	}
	if e.Collection != "" {
		what += fmt.Sprintf(" in OBS's scene collection %q", e.Collection)
	}
	if len(e.Existing) == 0 {
		return what + ", which has no scenes"
	}
	quoted := make([]string, len(e.Existing))
	for i, name := range e.Existing {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return what + "; there are " + strings.Join(quoted, ", ")
}

// CheckPatterns returns an error for the first pattern that can never match because its
// syntax is wrong, and nil otherwise. It needs no OBS.
func CheckPatterns(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("scene pattern %q: a [ without its ], or a \\ at the end; put \\ before a character to mean just that character", p)
		}
	}
	return nil
}

// CheckScenes returns an *UnknownSceneError for the first pattern that matches none of the
// existing scenes, and nil otherwise.
func CheckScenes(patterns []string, collection string, existing []string) error {
	for _, p := range patterns {
		if len(matching([]string{p}, existing)) == 0 {
			return &UnknownSceneError{Pattern: p, Collection: collection, Existing: existing}
		}
	}
	return nil
}

// matching returns those names that at least one pattern matches, in the order of names.
func matching(patterns, names []string) []string {
	var out []string
	for _, name := range names {
		for _, p := range patterns {
			if match(p, name) {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// match is path.Match without its special treatment of slashes, which scene names may well
// contain. A name always matches itself, so that a scene called "Cam [1]" can be named.
func match(pattern, name string) bool {
	if pattern == name {
		return true
	}
	plain := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(plain.Replace(pattern), plain.Replace(name))
	return err == nil && ok
}
