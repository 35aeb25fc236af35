// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Settings is a file in which OBS keeps the user's settings of its window: global.ini, and from OBS 31 on user.ini.
type Settings struct{ file File }

// Settings returns the file that the OBS of this directory reads. Its error is that of reading.
func (d Dir) Settings() (*Settings, error) {
	user, _, err := d.user()
	if err != nil {
		return nil, fmt.Errorf("OBS's configuration cannot be read: %w", err)
	}
	return &Settings{File{dir: d, path: user.path}}, nil
}

// AllSettings returns every such file: OBS leaves the one of another version where it is.
func (d Dir) AllSettings() ([]*Settings, error) {
	global, err := readINI(filepath.Join(d.Path, "global.ini"))
	if err != nil {
		return nil, fmt.Errorf("OBS's configuration cannot be read: %w", err)
	}
	all := []*Settings{{File{dir: d, path: global.path}}}
	for _, dir := range []string{d.Path, d.location(global, "Configuration")} {
		path := filepath.Join(dir, "user.ini")
		if _, err := os.Stat(path); err == nil && path != all[len(all)-1].Path() {
			all = append(all, &Settings{File{dir: d, path: path}})
		}
	}
	return all, nil
}

// Path is where the file is.
func (s *Settings) Path() string { return s.file.path }

// Backup is where the file is kept as it was before the last edit.
func (s *Settings) Backup() string { return s.file.Backup() }

// Get returns a value, "" where there is none.
func (s *Settings) Get(section, key string) (string, error) {
	file, err := readINI(s.file.path)
	if err != nil {
		return "", fmt.Errorf("OBS's settings cannot be read: %w", err)
	}
	return file.get(section, key), nil
}

// Edit gives one value the text that change returns for its old text. All else in the file stays as it is. Where change
// returns "", the key goes. Errors and promises are those of [File.Edit].
func (s *Settings) Edit(section, key string, change func(old string) (string, error)) error {
	err := s.file.editText(func(text []byte) ([]byte, error) {
		value, err := change(parseINI(string(text)).get(section, key))
		if err != nil {
			return nil, err
		}
		return setINI(text, section, key, value), nil
	})
	if err != nil {
		return fmt.Errorf("OBS's settings %s were not changed: %w", s.file.path, err)
	}
	return nil
}

// setINI returns the text with a value changed; "" takes it out. Of a key that is there twice, the last counts and is
// changed, as in readINI.
func setINI(text []byte, section, key, value string) []byte {
	var lines []string
	in, sectionEnd, at := false, -1, -1
	for line := range strings.Lines(string(text)) {
		bare := strings.TrimLeft(strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n"), " \t")
		if strings.HasPrefix(bare, "[") {
			in = strings.Trim(strings.TrimSpace(bare), "[]") == section
		}
		lines = append(lines, line)
		if !in {
			continue
		}
		if bare != "" {
			sectionEnd = len(lines)
		}
		if name, _, ok := strings.Cut(bare, "="); ok && strings.TrimSpace(name) == key {
			at = len(lines) - 1
		}
	}
	entry := key + "=" + escapeINI.Replace(value) + "\n"
	switch {
	case at >= 0 && value == "":
		lines = append(lines[:at], lines[at+1:]...)
	case at >= 0:
		lines[at] = entry
	case value == "":
	case sectionEnd >= 0:
		if last := lines[sectionEnd-1]; !strings.HasSuffix(last, "\n") {
			lines[sectionEnd-1] = last + "\n"
		}
		lines = append(lines[:sectionEnd], append([]string{entry}, lines[sectionEnd:]...)...)
	default:
		lines = append(lines, separator(text)+"["+section+"]\n"+entry)
	}
	return []byte(strings.Join(lines, ""))
}

// separator is what stands between the end of a text and a new section, as libobs writes it.
func separator(text []byte) string {
	switch {
	case len(text) == 0:
		return ""
	case bytes.HasSuffix(text, []byte("\n")):
		return "\n"
	}
	return "\n\n"
}

var escapeINI = strings.NewReplacer(`\`, `\\`, "\r", `\r`, "\n", `\n`)
