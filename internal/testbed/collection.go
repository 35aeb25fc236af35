// SPDX-License-Identifier: Apache-2.0

package testbed

import (
	"encoding/json"
	"slices"
	"strings"
)

// ParseCollection reads the text of a scene collection and leaves out what OBS
// itself rewrites at every run (measured, 29.0.2, 30.2.3 and 32.2.2), so that
// two of them can be compared:
//   - the order of "sources", which is random;
//   - "id_counter" of a scene, which counts the items it has ever had;
//   - "scaling_level", which follows the size of OBS's window;
//   - "resolution", which OBS writes from 30.2 on.
func ParseCollection(text []byte) (map[string]any, error) {
	var collection map[string]any
	if err := json.Unmarshal(text, &collection); err != nil {
		return nil, err
	}
	delete(collection, "scaling_level")
	delete(collection, "resolution")
	sources, _ := collection["sources"].([]any)
	field := func(source any, key string) any {
		s, _ := source.(map[string]any)
		return s[key]
	}
	slices.SortFunc(sources, func(a, b any) int {
		nameA, _ := field(a, "name").(string)
		nameB, _ := field(b, "name").(string)
		return strings.Compare(nameA, nameB)
	})
	for _, source := range sources {
		if settings, ok := field(source, "settings").(map[string]any); ok {
			delete(settings, "id_counter")
		}
	}
	return collection, nil
}
