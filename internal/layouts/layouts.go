// SPDX-License-Identifier: Apache-2.0

// Package layouts keeps the layouts that the user made with the mouse and gave a name, for `peer layout use`.
//
// They are in a file of the user's configuration, not in OBS's store: they belong to the user and not to one OBS,
// profile or scene collection, can be copied to another machine and listed without OBS, and OBS empties its store
// when it is killed while it writes it (seen on 29.0.2).
package layouts

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/nearest"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/scenes"
)

// DefaultFile is where they are kept: $XDG_CONFIG_HOME/costream-obs/layouts.json.
func DefaultFile() (string, error) {
	dir, err := xdg.ConfigHome()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "costream-obs", "layouts.json"), nil
}

// Layouts are saved looks of the peer's picture by name.
type Layouts map[string]scenes.Saved

// UnknownError says that there is no layout of that name.
type UnknownError struct {
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("there is no saved layout %q", e.Name)
	switch hint := nearest.Hint(e.Name, e.Known); {
	case len(e.Known) == 0:
		return text + "; place the peer in OBS as you like it, then: costream-obs peer layout save NAME"
	case hint != "":
		return text + hint
	}
	return text + "; there are " + strings.Join(e.Known, ", ")
}

// CheckName returns an error for a name that none can have.
func CheckName(name string) error {
	if strings.TrimSpace(name) != name || name == "" || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%q cannot be the name of a layout", name)
	}
	return nil
}

// Load reads the layouts of a file. One that is not there has none.
func Load(path string) (Layouts, error) {
	l := Layouts{}
	if _, err := atomicfile.ReadJSON(path, &l); err != nil {
		return nil, fmt.Errorf("saved layouts: %w; fix the file or move it away", err)
	}
	return l, nil
}

// Names are all names in order.
func (l Layouts) Names() []string { return slices.Sorted(maps.Keys(l)) }

// Get returns the layout of that name. Its error is an *UnknownError.
func (l Layouts) Get(name string) (scenes.Saved, error) {
	saved, ok := l[name]
	if !ok {
		return scenes.Saved{}, &UnknownError{Name: name, Known: l.Names()}
	}
	return saved, nil
}

// Save writes the layouts to a file, in one step.
func (l Layouts) Save(path string) error {
	if err := atomicfile.WriteJSON(path, l); err != nil {
		return fmt.Errorf("save the layouts: %w", err)
	}
	return nil
}
