// SPDX-License-Identifier: Apache-2.0

package pulse

import (
	"strconv"
	"strings"
)

// lostValue is what pactl 16.1 prints in its JSON for any text that is not
// ASCII (measured): an OBS input named "Büro" has the media name "(null)".
// Its plain listing has the text, in every locale.
const lostValue = "(null)"

func hasLost(properties map[string]string) bool {
	for _, value := range properties {
		if value == lostValue {
			return true
		}
	}
	return false
}

// parseProperties reads the properties of each object from pactl's plain
// listing in the C locale. Title is what the line before each index begins
// with, for example "Sink Input #".
func parseProperties(text, title string) map[int]map[string]string {
	objects := make(map[int]map[string]string)
	var current map[string]string
	for _, line := range strings.Split(text, "\n") {
		if number, ok := strings.CutPrefix(line, title); ok {
			index, err := strconv.Atoi(number)
			if err != nil {
				current = nil
				continue
			}
			current = make(map[string]string)
			objects[index] = current
			continue
		}
		// Properties, and nothing else, have the depth of two tabs and this form.
		entry, ok := strings.CutPrefix(line, "\t\t")
		if !ok || current == nil {
			continue
		}
		key, value, ok := strings.Cut(entry, ` = "`)
		if !ok {
			continue
		}
		value = strings.TrimSuffix(value, `"`)
		current[key] = strings.ReplaceAll(value, `\"`, `"`)
	}
	return objects
}
