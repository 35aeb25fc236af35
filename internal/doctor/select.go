// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/nearest"
)

// Only returns the ids of the checks that the names select. A name is an id, or the beginning of ids up to a dot: "audio"
// selects all of audio.*. No names select all checks, except those on request, which must be named by id. An unknown name is
// an error.
func Only(checks []Check, names []string) ([]string, error) {
	var all, usual, chosen []string
	for _, c := range checks {
		all = append(all, c.ID)
		if !c.OnRequest {
			usual = append(usual, c.ID)
		}
	}
	if len(names) == 0 {
		return usual, nil
	}
	for _, name := range names {
		found := false
		for _, c := range checks {
			if c.ID == name || !c.OnRequest && strings.HasPrefix(c.ID, name+".") {
				chosen, found = append(chosen, c.ID), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no check %q%s (costream-obs doctor --list shows all)", name, nearest.Hint(name, all))
		}
	}
	return chosen, nil
}

// withNeeds is the part of the table with the chosen checks and those that they need.
func withNeeds(checks []Check, chosen []string) []Check {
	wanted := make(map[string]bool)
	for _, id := range chosen {
		wanted[id] = true
	}
	// A check's needs are above it, so one pass from the bottom finds all.
	var kept []Check
	for _, c := range slices.Backward(checks) {
		if !wanted[c.ID] {
			continue
		}
		for _, need := range c.Needs {
			wanted[need] = true
		}
		kept = append(kept, c)
	}
	slices.Reverse(kept)
	return kept
}
