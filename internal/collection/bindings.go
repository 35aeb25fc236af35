// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
)

// Key is a key with its modifiers, as OBS keeps it: Key is the name of OBS's enum, OBS_KEY_F9; Command is the key that
// keyboards call Super, Meta or Windows.
type Key struct {
	Shift   bool   `json:"shift,omitempty"`
	Control bool   `json:"control,omitempty"`
	Alt     bool   `json:"alt,omitempty"`
	Command bool   `json:"command,omitempty"`
	Key     string `json:"key"`
}

// Binding is a hotkey that has a key.
type Binding struct {
	Key Key
	// Hotkey is OBS's name for what the key does: libobs.mute, OBSBasic.StartStreaming.
	Hotkey string
	// Owner is the source, the scene or the path of the script that it belongs to, "" for OBS itself.
	Owner string
}

// Bindings lists the keys that the collection binds: those of its scenes, sources, filters, transitions and scripts, and
// what plugins keep in it.
func (d *Doc) Bindings() []Binding {
	var root map[string]any
	if err := json.Unmarshal(d.text, &root); err != nil {
		return nil // Cannot be: the text was parsed.
	}
	delete(root, "name") // The collection's own name says nothing.
	return bindings(root, "", "")
}

// ProfileBindings lists the keys of a profile's basic.ini: those of OBS itself and of its outputs. A file that is not
// there has none.
func ProfileBindings(path string) ([]Binding, error) {
	file, err := readINI(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Binding
	hotkeys := file.sections["Hotkeys"]
	for _, name := range slices.Sorted(maps.Keys(hotkeys)) {
		var value any
		if json.Unmarshal([]byte(hotkeys[name]), &value) == nil {
			all = append(all, bindings(value, name, "")...)
		}
	}
	return all, nil
}

// bindings finds the lists of keys in any JSON: in the profile {"bindings":[...]} below the hotkey's name, elsewhere
// "name of the hotkey":[...].
func bindings(value any, hotkey, owner string) []Binding {
	var all []Binding
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if key, ok := boundKey(element); ok {
				all = append(all, Binding{key, hotkey, owner})
			} else {
				all = append(all, bindings(element, hotkey, owner)...)
			}
		}
	case map[string]any:
		for _, key := range []string{"path", "name"} {
			if name, ok := value[key].(string); ok {
				owner = name
			}
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			name := key
			if (key == "bindings" || key == "hotkeys") && hotkey != "" {
				name = hotkey
			}
			all = append(all, bindings(value[key], name, owner)...)
		}
	}
	return all
}

func boundKey(value any) (Key, bool) {
	object, _ := value.(map[string]any)
	name, _ := object["key"].(string)
	is := func(modifier string) bool { on, _ := object[modifier].(bool); return on }
	return Key{is("shift"), is("control"), is("alt"), is("command"), name}, strings.HasPrefix(name, "OBS_KEY_") && name != "OBS_KEY_NONE"
}
