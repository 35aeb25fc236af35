// SPDX-License-Identifier: Apache-2.0

// Package hotkeys gives OBS hotkeys for the peer: a script of ours, which OBS runs, and its entry with the keys in a
// scene collection. What a key does happens inside OBS, with or without a running costream-obs.
//
// The package edits files, through package collection, while OBS is closed. While OBS is open an [Order] waits in a [Store],
// until a program that sees OBS end carries it out.
package hotkeys

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/collection"
)

// Action is what a hotkey does to the peer.
type Action string

// The actions. The script keeps its keys under these names.
const (
	Toggle Action = "toggle"
	Show   Action = "show"
	Hide   Action = "hide"
	Mute   Action = "mute"
)

// Actions are all of them, in the order in which people are told of them.
var Actions = []Action{Toggle, Show, Hide, Mute}

// scriptName is the script's file, by which its entry is known wherever the file lies.
const scriptName = "costream-obs.lua"

//go:embed costream-obs.lua
var script []byte

// BoundError says that a key belongs to something else already.
type BoundError struct {
	Key collection.Key
	// To is what the key does now, in OBS's words.
	To collection.Binding
}

func (e *BoundError) Error() string {
	of := ""
	if owner := e.To.Owner; owner != "" {
		if filepath.IsAbs(owner) { // A script.
			owner = filepath.Base(owner)
		}
		of = fmt.Sprintf(" of %q", owner)
	}
	return fmt.Sprintf("%s is already the key of the hotkey %q%s: choose another key, or remove that one in OBS, Settings, Hotkeys", KeyText(e.Key), e.To.Hotkey, of)
}

// Order is what is to be done to OBS's scene collections. It is plain JSON.
type Order struct {
	// Keys are the keys to set; hotkeys that are not named keep theirs.
	Keys map[Action]collection.Key `json:"keys,omitempty"`
	// Script is where the script lies, for OBS.
	Script string `json:"script,omitempty"`
	// Device is what the peer's source reads.
	Device string `json:"device,omitempty"`
	// All asks for all scene collections, and not the current one alone.
	All bool `json:"all,omitempty"`
	// Undo takes our hotkeys out of all scene collections.
	Undo bool `json:"undo,omitempty"`
	// CleanFeed says that the clean feed needs the script: Undo removes the keys alone.
	CleanFeed bool `json:"cleanFeed,omitempty"`
}

// Done is what an order came to.
type Done struct {
	Collections []string // names of those that were changed or are as wanted already
	Backups     []string // where they are kept as they were
}

// Carry carries the order out, in all of its collections or, when one of them does not allow it, in none. Its error
// matches *BoundError, collection.ErrRunning and what else File.Edit returns. Beside an open OBS only an order that could
// be carried out gives ErrRunning, as far as OBS has written its files.
func (o Order) Carry(d collection.Dir) (Done, error) {
	var done Done
	files, err := o.files(d)
	if err != nil {
		return done, err
	}
	profile, err := o.profile(d)
	if err != nil {
		return done, err
	}
	for _, f := range files {
		doc, err := f.Read()
		if err == nil {
			err = o.edit(doc, profile)
		}
		if err != nil {
			return done, fmt.Errorf("scene collection %q: %w", f.Name(), err)
		}
	}
	for _, f := range files {
		if err := f.Edit(func(doc *collection.Doc) error { return o.edit(doc, profile) }); err != nil {
			return done, err
		}
		done.Collections = append(done.Collections, f.Name())
		done.Backups = append(done.Backups, f.Backup())
	}
	return done, nil
}

// files are the collections that the order is about.
func (o Order) files(d collection.Dir) ([]*collection.File, error) {
	if !o.All && !o.Undo {
		f, err := d.Open("")
		return []*collection.File{f}, err
	}
	all, err := d.All()
	if !o.Undo || err != nil {
		return all, err
	}
	return slices.DeleteFunc(all, func(f *collection.File) bool {
		doc, err := f.Read()
		if err != nil {
			return false
		}
		keys, path := Bound(doc)
		return path == "" || o.CleanFeed && len(keys) == 0
	}), nil
}

// profile lists the keys of the current profile, where they matter.
func (o Order) profile(d collection.Dir) ([]collection.Binding, error) {
	if o.Undo {
		return nil, nil
	}
	path, err := d.Profile()
	if err != nil {
		return nil, err
	}
	return collection.ProfileBindings(path)
}

// edit does what the order asks for in one collection.
func (o Order) edit(doc *collection.Doc, profile []collection.Binding) error {
	if o.Undo && o.CleanFeed {
		return removeKeys(doc)
	}
	settings := map[string]json.RawMessage{}
	for _, old := range ours(doc) {
		maps.Copy(settings, old.Settings)
		if o.Undo || old.Path != o.Script {
			if err := doc.RemoveScript(old.Path); err != nil {
				return err
			}
		}
	}
	if o.Undo {
		return nil
	}
	for action, key := range o.Keys {
		settings[string(action)] = mustJSON([]collection.Key{key})
	}
	settings["device"] = mustJSON(o.Device)
	if err := doc.SetScript(collection.Script{Path: o.Script, Settings: settings}); err != nil {
		return err
	}
	return o.free(append(doc.Bindings(), profile...))
}

// removeKeys leaves the script in a collection without its keys.
func removeKeys(doc *collection.Doc) error {
	for _, script := range ours(doc) {
		for _, action := range Actions {
			delete(script.Settings, string(action))
		}
		if err := doc.SetScript(script); err != nil {
			return err
		}
	}
	return nil
}

// AfterUndo is the order that is left when an undo that keeps the script is done.
func (o Order) AfterUndo() Order {
	o.Undo, o.Keys = false, nil
	return o
}

// free returns a BoundError when one of the order's keys is bound to anything but what the order binds it to.
func (o Order) free(bound []collection.Binding) error {
	for _, action := range Actions {
		key, wanted := o.Keys[action]
		if !wanted {
			continue
		}
		for _, b := range bound {
			if b.Key == key && !(b.Owner == o.Script && b.Hotkey == string(action)) {
				return &BoundError{key, b}
			}
		}
	}
	return nil
}

// ours lists the entries of our script: more than one when its place has changed.
func ours(doc *collection.Doc) []collection.Script {
	all, err := doc.Scripts()
	if err != nil {
		return nil // SetScript tells.
	}
	return slices.DeleteFunc(all, func(s collection.Script) bool {
		return filepath.Base(s.Path) != scriptName
	})
}

// Bound returns the keys that our hotkeys have in a collection, as people write them, and whether our script is in it.
func Bound(doc *collection.Doc) (keys map[Action][]string, path string) {
	keys = map[Action][]string{}
	for _, s := range ours(doc) {
		path = s.Path
		for _, action := range Actions {
			var bound []collection.Key
			if json.Unmarshal(s.Settings[string(action)], &bound) == nil {
				for _, k := range bound {
					keys[action] = append(keys[action], KeyText(k))
				}
			}
		}
	}
	return keys, path
}

// Path is where Install puts the script in a directory.
func Path(dir string) string { return filepath.Join(dir, scriptName) }

// Install writes the script into a directory, such as $XDG_DATA_HOME/costream-obs, and returns its path. It refuses a
// place that the OBS of d cannot see: the Flatpak sees the home directory, the Snap nothing hidden.
func Install(d collection.Dir, dir, home string) (string, error) {
	path := Path(dir)
	switch below := strings.HasPrefix(path, filepath.Clean(home)+"/"); {
	case d.Snap():
		return "", errors.New("this OBS is a Snap, which cannot read scripts of other programs: " +
			"set a shortcut of your desktop to `costream-obs peer toggle` instead")
	case d.Flatpak() && !below:
		return "", fmt.Errorf("this OBS is a Flatpak, which sees only files in your home directory, and not %s: set XDG_DATA_HOME to a directory there", path)
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == string(script) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("OBS's script: %w", err)
	}
	if err := atomicfile.Replace(path, script, atomicfile.Options{Mode: 0o644}); err != nil {
		return "", fmt.Errorf("OBS's script: %w", err)
	}
	return path, nil
}

// Uninstall takes the script away again, and the directory if it is empty then.
func Uninstall(dir string) error {
	err := os.Remove(Path(dir))
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("OBS's script: %w", err)
	}
	_ = os.Remove(dir)
	return nil
}

// Current says whether the script at path is the one that this program carries. Its error is that of reading it.
func Current(path string) (bool, error) {
	text, err := os.ReadFile(path)
	return string(text) == string(script), err
}

// mustJSON is for values that always can be JSON.
func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
