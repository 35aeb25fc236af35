// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"fmt"
)

// Script is a script of OBS's Tools → Scripts.
type Script struct {
	// Path is absolute, as OBS sees it.
	Path string `json:"path"`
	// Settings are the script's own; scripts keep their hotkeys there, too.
	Settings map[string]json.RawMessage `json:"settings"`
}

var scriptsPath = []any{"modules", "scripts-tool"}

// Scripts lists the scripts of the collection.
func (d *Doc) Scripts() ([]Script, error) {
	var scripts []Script
	if raw := d.Get(scriptsPath...); raw != nil {
		if err := json.Unmarshal(raw, &scripts); err != nil {
			return nil, fmt.Errorf("%w: scripts: %w", ErrInvalid, err)
		}
	}
	return scripts, nil
}

// SetScript puts a script in the place of the one with its path, or after all others.
func (d *Doc) SetScript(s Script) error {
	i, err := d.script(s.Path)
	switch {
	case err != nil:
		return err
	case i < 0:
		return d.Append(s, scriptsPath...)
	}
	return d.Set(s, append(scriptsPath, i)...)
}

// RemoveScript takes away the script with that path, if it is there.
func (d *Doc) RemoveScript(path string) error {
	i, err := d.script(path)
	if err == nil && i >= 0 {
		d.Delete(append(scriptsPath, i)...)
	}
	return err
}

func (d *Doc) script(path string) (int, error) {
	scripts, err := d.Scripts()
	for i, s := range scripts {
		if s.Path == path {
			return i, err
		}
	}
	return -1, err
}
