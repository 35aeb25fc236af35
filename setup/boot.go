// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"path/filepath"
	"slices"
	"strings"
)

// Boot is what the system's files say about v4l2loopback for the machine's start.
type Boot struct {
	// LoadedBy is the file of modules-load.d(5) that names the module; empty when none does.
	LoadedBy string
	// Options are the files of modprobe.d(5) with options for it, in the order in which they are read.
	Options []OptionsFile
	// Initramfs is the file that adds the module to the initramfs, which has its own copy of the options, or empty.
	Initramfs string
}

// OptionsFile is a file of modprobe.d with options for v4l2loopback.
type OptionsFile struct {
	Path    string
	Options map[string]string // the last value of each
}

// Option returns the effective value of an option, which is the last one, and its file. Both are empty if there is none.
func (b Boot) Option(name string) (value, path string) {
	for _, f := range slices.Backward(b.Options) {
		if value, found := f.Options[name]; found {
			return value, f.Path
		}
	}
	return "", ""
}

// Boot reads modules-load.d and modprobe.d, and the configuration of initramfs-tools.
func (m Machine) Boot() Boot {
	var b Boot
	for _, path := range m.dropIns("modules-load.d") {
		for _, words := range configLines(m.text(path)) {
			if len(words) == 1 && words[0] == "v4l2loopback" {
				b.LoadedBy = path
			}
		}
	}
	const initramfs = "/etc/initramfs-tools/modules"
	for _, words := range configLines(m.text(initramfs)) {
		if words[0] == "v4l2loopback" {
			b.Initramfs = initramfs
		}
	}
	for _, path := range m.dropIns("modprobe.d") {
		if options := loopbackOptions(m.text(path)); options != nil {
			b.Options = append(b.Options, OptionsFile{Path: path, Options: options})
		}
	}
	return b
}

// dropIns are the effective files of such a directory, sorted by name over all directories. A file in an earlier directory
// hides those of the same name.
func (m Machine) dropIns(name string) []string {
	byName := make(map[string]string)
	for _, dir := range []string{"etc", "run", "usr/local/lib", "usr/lib", "lib"} {
		files, _ := filepath.Glob(m.path(dir, name, "*.conf")) // The pattern is valid.
		for _, f := range files {
			if base := filepath.Base(f); byName[base] == "" {
				byName[base] = filepath.Join("/", dir, name, base)
			}
		}
	}
	var paths []string
	for _, path := range byName {
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return paths
}

// loopbackOptions returns nil if the text has no options for v4l2loopback.
func loopbackOptions(text string) map[string]string {
	var options map[string]string
	for _, words := range configLines(text) {
		if len(words) < 3 || words[0] != "options" || words[1] != "v4l2loopback" {
			continue
		}
		if options == nil {
			options = make(map[string]string)
		}
		for _, word := range words[2:] {
			if name, value, ok := strings.Cut(word, "="); ok {
				options[name] = strings.Trim(value, `"`)
			}
		}
	}
	return options
}

// configLines are the words of each line that is not a comment. A quoted value is one word.
func configLines(text string) [][]string {
	var lines [][]string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
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
