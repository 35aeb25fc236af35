// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"fmt"
)

// Scenes lists the names of the scenes in the order of the file, without groups.
func (d *Doc) Scenes() ([]string, error) {
	var sources []struct{ Name, ID string }
	if raw := d.Get("sources"); raw != nil {
		if err := json.Unmarshal(raw, &sources); err != nil {
			return nil, fmt.Errorf("%w: sources: %w", ErrInvalid, err)
		}
	}
	var names []string
	for _, s := range sources {
		if s.ID == "scene" {
			names = append(names, s.Name)
		}
	}
	return names, nil
}
