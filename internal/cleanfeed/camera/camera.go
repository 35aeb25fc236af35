// SPDX-License-Identifier: Apache-2.0

// Package camera makes OBS's virtual camera output the scene for the peer, for which obs-websocket has no request
// (obs-websocket #1307, #1321), and restores what it was set to before.
//
// It edits scene collections, through package collection, while OBS is closed. While OBS is open an Order waits in its Store,
// until a program that sees OBS end carries it out. The package does not start the camera.
package camera

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
)

// Shows returns the scene for the peer that the virtual camera of a collection shows, "" if it shows something else.
func Shows(doc *collection.Doc) (string, error) {
	v, err := doc.VirtualCamera()
	if err != nil || v.Type != collection.CameraScene || !cleanfeed.MayBeOurs(v.Scene) {
		return "", err
	}
	return v.Scene, nil
}

// usersNames are the names in a collection that something of the user's has: while OBS is closed a scene for the peer is
// empty, or not there.
func usersNames(doc *collection.Doc) (map[string]bool, error) {
	users := make(map[string]bool)
	for _, key := range []string{"sources", "groups"} {
		var sources []struct {
			ID, Name string
			Settings struct{ Items []json.RawMessage }
		}
		if raw := doc.Get(key); raw != nil {
			if err := json.Unmarshal(raw, &sources); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", collection.ErrInvalid, key, err)
			}
		}
		for _, source := range sources {
			users[source.Name] = source.ID != "scene" || len(source.Settings.Items) > 0
		}
	}
	return users, nil
}

// freeName is the first name for the scene for the peer that nothing of the user's has.
func freeName(users map[string]bool) string {
	name := cleanfeed.Scene
	for n := 2; users[name]; n++ {
		name = fmt.Sprintf("%s %d", cleanfeed.Scene, n)
	}
	return name
}

// Order is what is to be done to OBS's scene collections. It is plain JSON.
type Order struct {
	// All asks for all scene collections, and not the current one alone.
	All bool `json:"all,omitempty"`
	// Undo gives the virtual camera of all collections back what it showed before.
	Undo bool `json:"undo,omitempty"`
	// Waiting says that OBS has to be closed before it can be carried out.
	Waiting bool `json:"waiting,omitempty"`
	// Before is the JSON that OBS's files had of the virtual camera, by their paths; empty where they had none.
	Before map[string]string `json:"before,omitempty"`
}

// Store is the file that remembers the last order: camera.json in the state directory.
type Store struct{ path string }

// NewStore keeps its file in a directory, which is made when there is something to keep.
func NewStore(dir string) Store { return Store{filepath.Join(dir, "camera.json")} }

// Load returns the last order, an empty one when there was none.
func (s Store) Load() (Order, error) {
	var o Order
	if _, err := atomicfile.ReadJSON(s.path, &o); err != nil {
		return Order{}, fmt.Errorf("OBS's virtual camera: %w; remove %s and run costream-obs setup clean-feed again", err, s.path)
	}
	return o, nil
}

// Save keeps an order in the place of the one before.
func (s Store) Save(o Order) error {
	if err := atomicfile.WriteJSON(s.path, o); err != nil {
		return fmt.Errorf("OBS's virtual camera: %w", err)
	}
	return nil
}

// Carry carries an order out and returns the names of the collections that are now as wanted. Its error matches what
// File.Edit returns, collection.ErrRunning above all: then the order waits in the store.
func (s Store) Carry(o Order, d collection.Dir) (done []string, err error) {
	last, err := s.Load()
	if err != nil {
		return nil, err
	}
	o.Before, o.Waiting = last.Before, true
	if o.Before == nil {
		o.Before = make(map[string]string)
	}
	files, err := o.files(d)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		doc, err := f.Read()
		if err != nil {
			return done, err
		}
		shows, err := o.shows(doc, f.Path())
		if err != nil {
			return done, err
		}
		// What was before is written down before it is changed.
		if !o.Undo && !shows {
			o.Before[f.Path()] = string(doc.Get(collection.CameraPath))
		}
		if err := s.Save(o); err != nil {
			return done, err
		}
		if err := f.Edit(func(doc *collection.Doc) error { return o.edit(doc, f.Path(), shows) }); err != nil {
			return done, fmt.Errorf("scene collection %q: %w", f.Name(), err)
		}
		done = append(done, f.Name())
	}
	o.Waiting = false
	if o.Undo {
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, fmt.Errorf("OBS's virtual camera: %w", err)
		}
		return done, nil
	}
	return done, s.Save(o)
}

// files are the collections that the order is about.
func (o Order) files(d collection.Dir) ([]*collection.File, error) {
	if !o.All && !o.Undo {
		f, err := d.Open("")
		if err != nil {
			return nil, err
		}
		return []*collection.File{f}, nil
	}
	all, err := d.All()
	if !o.Undo || err != nil {
		return all, err
	}
	var ours []*collection.File
	for _, f := range all {
		if doc, err := f.Read(); err == nil {
			if shows, err := o.shows(doc, f.Path()); err == nil && shows {
				ours = append(ours, f)
			}
		}
	}
	return ours, nil
}

// shows says whether the virtual camera of a collection shows the scene for the peer, and not one of the user's that has
// its name.
func (o Order) shows(doc *collection.Doc, path string) (bool, error) {
	scene, err := Shows(doc)
	if err != nil || scene == "" {
		return false, err
	}
	if _, set := o.Before[path]; set {
		return true, nil
	}
	users, err := usersNames(doc)
	return !users[scene], err
}

// edit does what the order asks for in one collection.
func (o Order) edit(doc *collection.Doc, path string, shows bool) error {
	if shows == !o.Undo {
		return nil
	}
	if !o.Undo {
		v, err := doc.VirtualCamera()
		if err != nil {
			return err
		}
		users, err := usersNames(doc)
		if err != nil {
			return err
		}
		v.Type, v.Scene = collection.CameraScene, freeName(users)
		return doc.SetVirtualCamera(v)
	}
	if before := o.Before[path]; before != "" {
		return doc.Set(json.RawMessage(before), collection.CameraPath)
	}
	doc.Delete(collection.CameraPath)
	return nil
}

// Finish carries out an order that waits, if OBS is closed by now; finished is false while there was nothing to do, or
// OBS was open. An order that cannot be carried out waits no longer.
//
// An OBS that finds no v4l2loopback at its start has no virtual camera, and its file none of these settings once it has
// ended. So an order waits on until hasCamera says that it will have one, but for one that takes back.
func (s Store) Finish(find func() (collection.Dir, error), hasCamera func() bool) (o Order, finished bool, err error) {
	o, err = s.Load()
	if err != nil || !o.Waiting || !o.Undo && !hasCamera() {
		return o, false, err
	}
	done, err := collection.WhileClosed(find, func(d collection.Dir) error {
		_, err := s.Carry(o, d)
		return err
	})
	if done && err != nil {
		o.Waiting = false
		return o, false, errors.Join(err, s.Save(o))
	}
	return o, done, err
}
