// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bootFiles say what happens with v4l2loopback when the machine starts.
type bootFiles struct {
	loadedBy string // the file of modules-load.d that names it
	files    []string
	options  map[string]bootOption
}

// bootOption is one option of the module, and the file that gives it.
type bootOption struct{ value, file string }

func (o bootOption) or(otherwise string) string {
	if o.file == "" {
		return otherwise
	}
	return o.file
}

// readBootFiles reads what modules-load.d(5) and modprobe.d(5) describe: files
// sorted by their names, whatever the directory; one in an earlier directory
// hides those of the same name. Where an option is given twice, the later holds.
func (m *Machine) readBootFiles() bootFiles {
	boot := bootFiles{options: make(map[string]bootOption)}
	for _, path := range m.dropIns("modules-load.d") {
		for _, fields := range configLines(path) {
			if len(fields) == 1 && moduleName(fields[0]) {
				boot.loadedBy = m.shown(path)
			}
		}
	}
	for _, path := range m.dropIns("modprobe.d") {
		for _, fields := range configLines(path) {
			if len(fields) < 3 || fields[0] != "options" || !moduleName(fields[1]) {
				continue
			}
			shown := m.shown(path)
			if !slices.Contains(boot.files, shown) {
				boot.files = append(boot.files, shown)
			}
			for _, option := range fields[2:] {
				name, value, _ := strings.Cut(option, "=")
				boot.options[name] = bootOption{strings.Trim(value, `"`), shown}
			}
		}
	}
	return boot
}

func moduleName(s string) bool { return s == "v4l2loopback" }

// dropIns are the files of such a directory that hold, in their order.
func (m *Machine) dropIns(name string) []string {
	byName := make(map[string]string)
	for _, dir := range []string{"etc", "run", "usr/local/lib", "usr/lib", "lib"} {
		files, _ := filepath.Glob(m.path(dir, name, "*.conf"))
		for _, f := range files {
			if base := filepath.Base(f); byName[base] == "" {
				byName[base] = f
			}
		}
	}
	var names, paths []string
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		paths = append(paths, byName[name])
	}
	return paths
}

// shown is a path as the user knows it.
func (m *Machine) shown(path string) string {
	return "/" + strings.TrimPrefix(strings.TrimPrefix(path, m.path()), "/")
}

// configLines are the words of each line that is no comment. A quoted value
// is one word.
func configLines(path string) [][]string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var lines [][]string
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		quoted := false
		lines = append(lines, strings.FieldsFunc(line, func(r rune) bool {
			if r == '"' {
				quoted = !quoted
			}
			return !quoted && (r == ' ' || r == '\t')
		}))
	}
	return lines
}

// containsBoth reports whether a list of numbers holds both of ours, "10,11".
func containsBoth(list, ours string) bool {
	numbers := strings.Split(list, ",")
	for _, n := range strings.Split(ours, ",") {
		if !slices.Contains(numbers, n) {
			return false
		}
	}
	return true
}

// bothExclusive reports whether exclusive_caps holds for two devices: the
// value is a list, and what it does not name is off (measured, 0.12.7).
func bothExclusive(value string) bool {
	on := 0
	for _, v := range strings.Split(value, ",") {
		if slices.Contains([]string{"1", "y", "Y"}, v) {
			on++
		}
	}
	return on >= 2
}
