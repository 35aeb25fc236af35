// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"os"
	"strings"
)

// ini is a settings file of OBS in the form that libobs writes (util/config-file.c).
type ini struct {
	path     string
	sections map[string]map[string]string
}

func readINI(path string) (ini, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return ini{}, err
	}
	file := parseINI(string(data))
	file.path = path
	return file, nil
}

func parseINI(text string) ini {
	file := ini{sections: map[string]map[string]string{}}
	var section map[string]string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimLeft(strings.TrimRight(line, "\r\n"), " \t")
		if strings.HasPrefix(line, "[") {
			name := strings.Trim(strings.TrimSpace(line), "[]")
			if section = file.sections[name]; section == nil {
				section = map[string]string{}
				file.sections[name] = section
			}
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && section != nil {
			section[strings.TrimSpace(key)] = unescapeINI.Replace(value) // with its blanks, as libobs takes it
		}
	}
	return file
}

var unescapeINI = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

func (f ini) get(section, key string) string { return f.sections[section][key] }
