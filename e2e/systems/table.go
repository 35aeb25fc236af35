// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// result is what one run of e2e/systems/test has left.
type result struct {
	facts map[string]string // system, date, machine, versions
	steps []line
	tests []line // sorted by name
}

type line struct {
	verdict string // PASS, FAIL, SKIP
	seconds string
	name    string // of a test after that of its package
	why     string // it was skipped
}

// parse reads lines of fields between tabs: a fact's name and value; step, verdict, seconds and name; test, verdict,
// seconds, name and why it was skipped.
func parse(text string) (result, error) {
	r := result{facts: make(map[string]string)}
	for row := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		switch {
		case f[0] == "step" && len(f) == 4:
			r.steps = append(r.steps, line{verdict: f[1], seconds: f[2], name: f[3]})
		case f[0] == "test" && len(f) == 5:
			r.tests = append(r.tests, line{verdict: f[1], seconds: f[2], name: f[3], why: f[4]})
		case len(f) == 2:
			r.facts[f[0]] = f[1]
		default:
			return result{}, fmt.Errorf("cannot read %q", row)
		}
	}
	slices.SortFunc(r.tests, func(a, b line) int { return strings.Compare(a.name, b.name) })
	return r, nil
}

// markdown has a column for each result.
func markdown(all []result) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "- Debian %s, %s, %s: %s\n", r.facts["system"], r.facts["date"], r.facts["machine"], r.facts["versions"])
	}
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	b.WriteString("\n")
	head, rule := []string{""}, []string{"---"}
	for _, r := range all {
		head, rule = append(head, r.facts["system"]), append(rule, "---")
	}
	row(head...)
	row(rule...)
	why := make(map[string]bool)
	for _, kind := range []func(result) []line{func(r result) []line { return r.steps }, func(r result) []line { return r.tests }} {
		for _, name := range names(all, kind) {
			cells := []string{name}
			for _, r := range all {
				cells = append(cells, cell(kind(r), name))
			}
			row(cells...)
		}
	}
	total := []string{"**all tests**"}
	for _, r := range all {
		count := make(map[string]int)
		for _, t := range r.tests {
			count[t.verdict]++
			if t.why != "" {
				why[fmt.Sprintf("%s: %s", t.name, t.why)] = true
			}
		}
		text := fmt.Sprintf("%d passed", count["PASS"])
		if n := count["FAIL"]; n > 0 {
			text += fmt.Sprintf(", **%d failed**", n)
		}
		if n := count["SKIP"]; n > 0 {
			text += fmt.Sprintf(", %d skipped", n)
		}
		total = append(total, text)
	}
	row(total...)
	if len(why) > 0 {
		b.WriteString("\nSkipped:\n\n")
		for _, text := range slices.Sorted(maps.Keys(why)) {
			fmt.Fprintf(&b, "- %s\n", text)
		}
	}
	return b.String()
}

// names are those of all results, in the order of the first that has them.
func names(all []result, kind func(result) []line) []string {
	var out []string
	for _, r := range all {
		for _, l := range kind(r) {
			if !slices.Contains(out, l.name) {
				out = append(out, l.name)
			}
		}
	}
	return out
}

func cell(lines []line, name string) string {
	i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
	switch {
	case i < 0:
		return ""
	case lines[i].verdict == "SKIP":
		return "skipped"
	case lines[i].verdict == "FAIL":
		return "**FAILED** after " + lines[i].seconds + " s"
	}
	return lines[i].seconds + " s"
}

func replaceSection(document, text string) (string, error) {
	const first, last = "<!-- systems -->\n", "<!-- end systems -->"
	before, rest, ok := strings.Cut(document, first)
	_, after, also := strings.Cut(rest, last)
	if !ok || !also {
		return "", fmt.Errorf("there is no section between %q and %q", strings.TrimSpace(first), last)
	}
	return before + first + "\n" + text + "\n" + last + after, nil
}
