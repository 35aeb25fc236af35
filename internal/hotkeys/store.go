// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/collection"
)

// Store is the file that remembers the last order: hotkeys.json in the state directory.
type Store struct{ path string }

// NewStore keeps its file in a directory, which is made when there is something to keep.
func NewStore(dir string) Store { return Store{filepath.Join(dir, "hotkeys.json")} }

// Entry is the last order, and what became of it.
type Entry struct {
	Order Order `json:"order"`
	// Waiting says that OBS has to be closed before it can be carried out.
	Waiting bool `json:"waiting,omitempty"`
	// Problem is why it could not be carried out after all.
	Problem string `json:"problem,omitempty"`
}

// Load returns the entry, nil when there is none.
func (s Store) Load() (*Entry, error) {
	var e Entry
	found, err := atomicfile.ReadJSON(s.path, &e)
	if err != nil {
		return nil, fmt.Errorf("OBS's hotkeys: %w; run costream-obs setup hotkeys again", err)
	}
	if !found {
		return nil, nil
	}
	return &e, nil
}

// Save keeps an entry in the place of the one before.
func (s Store) Save(e Entry) error {
	if err := atomicfile.WriteJSON(s.path, e); err != nil {
		return fmt.Errorf("OBS's hotkeys: %w", err)
	}
	return nil
}

// Forget drops the entry.
func (s Store) Forget() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("OBS's hotkeys: %w", err)
	}
	return nil
}

// Finish carries out an order that waits, if OBS is closed by now. It returns nil while nothing was done: no order waits,
// or OBS is open. An order that cannot be carried out waits no longer, and the entry tells why.
func (s Store) Finish(find func() (collection.Dir, error)) (*Entry, error) {
	e, err := s.Load()
	if err != nil || e == nil || !e.Waiting {
		return nil, err
	}
	done, err := collection.WhileClosed(find, func(d collection.Dir) error {
		_, err := e.Order.Carry(d)
		return err
	})
	switch {
	case done && err != nil:
		e.Waiting, e.Problem = false, err.Error()
		return e, s.Save(*e)
	case !done:
		return nil, err
	}
	e.Waiting = false
	switch {
	case e.Order.Undo && e.Order.CleanFeed:
		return e, s.Save(Entry{Order: e.Order.AfterUndo()})
	case e.Order.Undo:
		if e.Order.Script != "" {
			err = Uninstall(filepath.Dir(e.Order.Script))
		}
		return e, errors.Join(err, s.Forget())
	}
	return e, s.Save(*e)
}
