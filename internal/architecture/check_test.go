// SPDX-License-Identifier: Apache-2.0

package architecture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// graph has, for each package of this module, what it imports: packages of this module without its path, and others.
type graph map[string][]string

// tables are what a graph is checked against.
type tables struct {
	floors []floor
	limits []limit
	bans   []ban
	owners []owner
}

// check returns a sentence for each import that the tables do not allow, and for each mistake in the tables.
func (g graph) check(t tables) []string {
	return slices.Concat(g.checkFloors(t.floors), g.checkLimits(t.limits), g.checkBans(t.bans), g.checkOwners(t.owners))
}

// matches tells whether a path is x, or for "x/..." x or below it.
func matches(pattern, path string) bool {
	if root, all := strings.CutSuffix(pattern, "/..."); all {
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return path == pattern
}

// match is the pattern of a list that fits the path, or "".
func match(list, path string) string {
	for _, pattern := range strings.Fields(list) {
		if matches(pattern, path) {
			return pattern
		}
	}
	return ""
}

func (g graph) packages() []string { return slices.Sorted(maps.Keys(g)) }

// unused has a sentence for each pattern that fits nothing: a rule about it would hold nothing.
func unused(where string, paths []string, lists ...string) []string {
	var wrong []string
	for _, pattern := range strings.Fields(strings.Join(lists, " ")) {
		if !slices.ContainsFunc(paths, func(path string) bool { return matches(pattern, path) }) {
			wrong = append(wrong, fmt.Sprintf("%s names %s, which does not exist", where, pattern))
		}
	}
	return wrong
}

func (g graph) checkFloors(floors []floor) []string {
	type place struct {
		floor   int
		pattern string
	}
	var wrong []string
	places := make(map[string]place)
	for i, f := range floors {
		wrong = append(wrong, unused(fmt.Sprintf("the floor %q", f.name), g.packages(), f.packages)...)
		for _, p := range g.packages() {
			pattern := match(f.packages, p)
			if pattern == "" {
				continue
			}
			if before, twice := places[p]; twice {
				wrong = append(wrong, fmt.Sprintf("%s is on two floors: %q and %q", p, floors[before.floor].name, f.name))
			}
			places[p] = place{i, pattern}
		}
	}
	for _, p := range g.packages() {
		here, known := places[p]
		if !known {
			wrong = append(wrong, p+" is on no floor: put it into the table, and into docs/architecture.md")
			continue
		}
		for _, imported := range g[p] {
			there, known := places[imported]
			if !known || there.floor > here.floor || there == here {
				continue
			}
			why := "a package imports those of lower floors only: state an interface and let a higher package pass the value"
			if there.floor == here.floor {
				why = "neighbours on a floor do not import each other: state an interface and let a higher package pass the value"
			}
			wrong = append(wrong, fmt.Sprintf("%s (%s) imports %s (%s): %s",
				p, floors[here.floor].name, imported, floors[there.floor].name, why))
		}
	}
	return wrong
}

func (g graph) checkLimits(limits []limit) []string {
	var wrong []string
	for _, l := range limits {
		wrong = append(wrong, unused("a limit", g.packages(), l.packages)...)
		var imports []string
		for _, p := range g.packages() {
			if match(l.packages, p) == "" {
				continue
			}
			imports = append(imports, g[p]...)
			for _, imported := range g[p] {
				if _, ours := g[imported]; ours && match(l.imports, imported) == "" {
					wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", p, imported, l.why))
				}
			}
		}
		for _, allowed := range strings.Fields(l.imports) {
			if !slices.Contains(imports, allowed) {
				wrong = append(wrong, fmt.Sprintf("the limit of %s allows %s, which is not imported: take it out", l.packages, allowed))
			}
		}
	}
	return wrong
}

func (g graph) checkBans(bans []ban) []string {
	var wrong []string
	for _, b := range bans {
		wrong = append(wrong, unused("a ban", g.packages(), b.packages, b.never)...)
		for _, p := range g.packages() {
			if match(b.packages, p) == "" {
				continue
			}
			ways := g.waysFrom(p)
			for _, reached := range slices.Sorted(maps.Keys(ways)) {
				if match(b.never, reached) != "" {
					wrong = append(wrong, fmt.Sprintf("%s reaches %s (%s): %s",
						p, reached, strings.Join(ways[reached], " -> "), b.why))
				}
			}
		}
	}
	return wrong
}

// waysFrom has a shortest way to each package of this module that p imports, directly or through others.
func (g graph) waysFrom(p string) map[string][]string {
	ways := make(map[string][]string)
	for next := [][]string{{p}}; len(next) > 0; next = next[1:] {
		way := next[0]
		for _, imported := range g[way[len(way)-1]] {
			if _, ours := g[imported]; !ours || ways[imported] != nil {
				continue
			}
			ways[imported] = append(slices.Clone(way), imported)
			next = append(next, ways[imported])
		}
	}
	return ways
}

func (g graph) checkOwners(owners []owner) []string {
	var wrong []string
	all := g.packages()
	for _, imports := range g {
		all = append(all, imports...)
	}
	for _, o := range owners {
		wrong = append(wrong, unused("an owner's row", all, o.what, o.importers)...)
		for _, p := range g.packages() {
			for _, imported := range g[p] {
				if match(o.what, imported) != "" && match(o.importers, p) == "" {
					wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", p, imported, o.why))
				}
			}
		}
	}
	return wrong
}
