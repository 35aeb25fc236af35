// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// markdown is for a document.
func (r Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.header())
	for _, t := range r.tables() {
		fmt.Fprintf(&b, "\n**%s**\n\n", t.title)
		for i, row := range t.rows {
			for len(row) < len(t.rows[0]) {
				row = append(row, "")
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
			if i == 0 {
				fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(row)))
			}
		}
	}
	return b.String()
}

// writeInto replaces what stands between the two marks of a section in a file.
func writeInto(path, section, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	updated, err := replaceSection(string(old), section, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(updated), 0o644)
}

func replaceSection(document, section, text string) (string, error) {
	first, last := "<!-- bench "+section+" -->\n", "<!-- end "+section+" -->"
	before, rest, ok := strings.Cut(document, first)
	_, after, also := strings.Cut(rest, last)
	if !ok || !also {
		return "", fmt.Errorf("there is no section between %q and %q", strings.TrimSpace(first), last)
	}
	return before + first + "\n" + text + "\n" + last + after, nil
}
