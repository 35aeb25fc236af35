// SPDX-License-Identifier: Apache-2.0

// Package dock puts the panel among OBS's custom browser docks, for which obs-websocket has no request, and takes it out again.
//
// OBS keeps its docks in its settings, which other users may be able to read, and writes them with a new file each time. So the
// dock's address there is a page of ours on the disk, for its user alone, and that page leads to the panel's secret address.
//
// The package edits a file of OBS, through package collection, while OBS is closed. While OBS is open an [Order] waits in a
// [Store], until a program that sees OBS end carries it out. It serves no panel and does not look at the page's address.
package dock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/collection"
)

// Title is what OBS calls the dock in its menu Docks, unless the user renames it.
const Title = "costream-obs"

// Where OBS keeps its docks (frontend/widgets/OBSBasic_Browser.cpp; window-extra-browsers.cpp up to OBS 30).
const (
	section = "BasicWindow"
	key     = "ExtraBrowserDocks"
)

// uuid is our dock's, by which OBS finds its place in the window.
const uuid = "c0574ea3d0c84b7f9a1de2b64f0b5d11"

// entry is a dock as OBS writes it.
type entry struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	UUID  string `json:"uuid"`
}

// ours says whether a dock is ours. OBS gives it another uuid when the user edits its address.
func (e entry) ours() bool {
	return e.UUID == uuid || strings.HasPrefix(e.URL, "file://") && path.Base(e.URL) == pageName
}

// parse reads the docks from what OBS keeps, each as it is there.
func parse(text string) (docks []json.RawMessage, entries []entry, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil, nil
	}
	if err = json.Unmarshal([]byte(text), &docks); err == nil {
		err = json.Unmarshal([]byte(text), &entries)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("OBS's list of docks is %w: %w; start OBS and close it, then repeat this command", collection.ErrInvalid, err)
	}
	return docks, entries, nil
}

// print is the text of some docks for OBS, "" for none.
func print(docks []json.RawMessage) string {
	if len(docks) == 0 {
		return ""
	}
	texts := make([]string, len(docks))
	for i, dock := range docks {
		texts[i] = string(dock)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// Address returns the address of our dock in an OBS, "" if it has none.
func Address(d collection.Dir) (string, error) {
	settings, err := d.Settings()
	if err != nil {
		return "", err
	}
	text, err := settings.Get(section, key)
	if err != nil {
		return "", err
	}
	_, entries, err := parse(text)
	if i := slices.IndexFunc(entries, entry.ours); i >= 0 {
		return entries[i].URL, err
	}
	return "", err
}

// Leads says whether the dock's address in OBS leads to a page.
func Leads(address, page string) bool { return address == pageURL(page) }

// Order is what is to be done to OBS's docks. It is plain JSON.
type Order struct {
	// Page is the path of the page that the dock opens.
	Page string `json:"page"`
	// Undo takes our dock out.
	Undo bool `json:"undo,omitempty"`
	// Waiting says that OBS must be closed before it can be carried out.
	Waiting bool `json:"waiting,omitempty"`
	// Problem is why it could not be carried out after all.
	Problem string `json:"problem,omitempty"`
}

// Done is what an order came to.
type Done struct {
	// Changed are the files that were changed, Backups where they are kept as they were.
	Changed, Backups []string
}

// Carry carries the order out. Its error matches collection.ErrRunning and what else Settings.Edit returns.
func (o Order) Carry(d collection.Dir) (Done, error) {
	var done Done
	files, err := o.files(d)
	if err != nil {
		return done, err
	}
	for _, f := range files {
		changed := false
		err := f.Edit(section, key, func(old string) (string, error) {
			text, err := o.edit(old)
			changed = text != old
			return text, err
		})
		if err != nil {
			return done, err
		}
		if changed {
			done.Changed, done.Backups = append(done.Changed, f.Path()), append(done.Backups, f.Backup())
		}
	}
	return done, nil
}

// files are the settings that the order is about: those that OBS reads, or all from which our dock must go.
func (o Order) files(d collection.Dir) ([]*collection.Settings, error) {
	if o.Undo {
		return d.AllSettings()
	}
	f, err := d.Settings()
	return []*collection.Settings{f}, err
}

// edit does what the order asks for to the text that OBS keeps. A dock of ours that is right stays where and as it is.
func (o Order) edit(old string) (string, error) {
	docks, entries, err := parse(old)
	if err != nil {
		return "", err
	}
	ours := slices.IndexFunc(entries, entry.ours)
	switch {
	case o.Undo && ours < 0, !o.Undo && ours >= 0 && entries[ours].URL == pageURL(o.Page):
		return old, nil
	case o.Undo:
		var kept []json.RawMessage
		for i, e := range entries {
			if !e.ours() {
				kept = append(kept, docks[i])
			}
		}
		return print(kept), nil
	}
	dock := entry{Title: Title, URL: pageURL(o.Page), UUID: uuid}
	if ours >= 0 {
		dock.Title, dock.UUID = entries[ours].Title, entries[ours].UUID
	}
	raw, err := json.Marshal(dock)
	if err != nil {
		return "", err
	}
	if ours >= 0 {
		docks[ours] = raw
	} else {
		docks = append(docks, raw)
	}
	return print(docks), nil
}

// Store is the file that remembers the last order: dock.json in the state directory.
type Store struct{ path string }

// NewStore keeps its file in a directory, which is made when there is something to keep.
func NewStore(dir string) Store { return Store{filepath.Join(dir, "dock.json")} }

// Load returns the last order, nil when there was none.
func (s Store) Load() (*Order, error) {
	var o Order
	found, err := atomicfile.ReadJSON(s.path, &o)
	if err != nil {
		return nil, fmt.Errorf("OBS's dock: %w; type costream-obs setup dock again", err)
	}
	if !found {
		return nil, nil
	}
	return &o, nil
}

// Save keeps an order in the place of the one before.
func (s Store) Save(o Order) error {
	if err := atomicfile.WriteJSON(s.path, o); err != nil {
		return fmt.Errorf("OBS's dock: %w", err)
	}
	return nil
}

// Forget drops the last order and its page: our dock is gone.
func (s Store) Forget(page string) error {
	err := removePage(page)
	if gone := os.Remove(s.path); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("OBS's dock: %w", gone))
	}
	return err
}

// Finish carries out an order that waits, if OBS is closed by now. It returns nil while nothing was done. An order that
// cannot be carried out waits no longer, and tells why.
func (s Store) Finish(find func() (collection.Dir, error)) (*Order, error) {
	o, err := s.Load()
	if err != nil || o == nil || !o.Waiting {
		return nil, err
	}
	done, err := collection.WhileClosed(find, func(d collection.Dir) error {
		_, err := o.Carry(d)
		return err
	})
	switch {
	case done && err != nil:
		o.Waiting, o.Problem = false, err.Error()
		return o, s.Save(*o)
	case !done:
		return nil, err
	}
	o.Waiting = false
	if o.Undo {
		return o, s.Forget(o.Page)
	}
	return o, s.Save(*o)
}
