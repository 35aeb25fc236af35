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
	// Then, behind an undo that waits, is an order that waits as well and is carried out after it.
	Then *Order `json:"then,omitempty"`
	// Waiting says that OBS must be closed before it can be carried out.
	Waiting bool `json:"waiting,omitempty"`
	// Problem is why it could not be carried out after all.
	Problem string `json:"problem,omitempty"`
}

// Prepared is the order that waits to give OBS something, or nil.
func (e *Entry) Prepared() *Order {
	switch {
	case e == nil || !e.Waiting:
		return nil
	case e.Order.Undo:
		return e.Then
	}
	return &e.Order
}

// Needs reports whether the clean feed needs the script, now or once what waits is carried out.
func (e *Entry) Needs() bool {
	if e != nil && e.Then != nil {
		return e.Then.CleanFeed
	}
	return e != nil && e.Order.CleanFeed
}

// With is the entry in which another order waits. An undo is for all scene collections and any other order for one, so none
// of the two replaces the other: an undo that waits is carried out first, and an undo of the keys leaves what was prepared for
// the clean feed.
func (e *Entry) With(o Order) Entry {
	switch prepared := e.Prepared(); {
	case !o.Undo && e != nil && e.Waiting && e.Order.Undo:
		return Entry{Order: e.Order, Then: &o, Waiting: true}
	case o.Undo && o.CleanFeed && prepared != nil:
		left := prepared.AfterUndo()
		return Entry{Order: o, Then: &left, Waiting: true}
	}
	return Entry{Order: o, Waiting: true}
}

// carry carries out what waits.
func (e *Entry) carry(d collection.Dir) error {
	if _, err := e.Order.Carry(d); err != nil || e.Then == nil {
		return err
	}
	_, err := e.Then.Carry(d)
	return err
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
	done, err := collection.WhileClosed(find, e.carry)
	switch {
	case done && err != nil:
		e.Waiting, e.Problem = false, err.Error()
		return e, s.Save(*e)
	case !done:
		return nil, err
	}
	e.Waiting = false
	switch {
	case e.Then != nil:
		return e, s.Save(Entry{Order: *e.Then})
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
