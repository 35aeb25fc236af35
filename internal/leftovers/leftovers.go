// SPDX-License-Identifier: Apache-2.0

// Package leftovers removes what costream-obs added to a scene collection from its file. It is for collections that no
// running OBS can clean: the user switched to another collection on air, or OBS ended on air.
//
// Note stores what must be removed, while OBS runs. Carry removes it once OBS is closed. Tell stores in OBS what is left to
// remember, when OBS runs again. The package works only on files of the same user, through package collection. It decides
// nothing about the scenes: package scenes does, which works on a file here as it does on OBS.
package leftovers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// Entry is what is ours in one collection. It is plain JSON.
type Entry struct {
	// Scenes is the memory of this collection, and Canvas the size of OBS's.
	Scenes scenes.Memory `json:"scenes"`
	Canvas scenes.Size   `json:"canvas"`
	// Feed are the scenes for the peer, as cleanfeed.Made has them.
	Feed map[string]string `json:"feed,omitempty"`
	// Voice is the input with the peer's voice, which captures the device VoiceDevice.
	Voice       string `json:"voice,omitempty"`
	VoiceDevice string `json:"voiceDevice,omitempty"`
	// Monitor is how inputs were monitored before we changed it. With MuteButton this OBS's mute button has them
	// monitored only.
	Monitor    map[string]obsctl.MonitorType `json:"monitor,omitempty"`
	MuteButton bool                          `json:"muteButton,omitempty"`
	// Done: the file is clean, and the entry is what OBS is to remember.
	Done bool `json:"done,omitempty"`
}

// empty says that there is nothing of ours in a collection.
func (e Entry) empty(name string) bool {
	return !e.Scenes.Leaves(name) && len(e.Feed) == 0 && e.Voice == "" && len(e.Monitor) == 0
}

// Store is the file that notes what is ours: leftovers.json in the state directory.
type Store struct{ path string }

// NewStore keeps its file in a directory, which is made when there is something to keep.
func NewStore(dir string) Store { return Store{filepath.Join(dir, "leftovers.json")} }

// notes are the entries by the obs-studio directory and the collection's name.
type notes map[string]map[string]Entry

// load reads the notes. What cannot be decoded counts as nothing: OBS cleans what it loads itself.
func (s Store) load() (notes, error) {
	n := notes{}
	damaged := (*atomicfile.DamagedError)(nil)
	switch _, err := atomicfile.ReadJSON(s.path, &n); {
	case errors.As(err, &damaged):
		return notes{}, nil
	case err != nil:
		return nil, fmt.Errorf("what is left in OBS's scene collections: %w", err)
	}
	return n, nil
}

func (s Store) save(n notes) error {
	maps.DeleteFunc(n, func(_ string, of map[string]Entry) bool { return len(of) == 0 })
	var err error
	if len(n) == 0 {
		if err = os.Remove(s.path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	} else {
		err = atomicfile.WriteJSON(s.path, n)
	}
	if err != nil {
		return fmt.Errorf("what is left in OBS's scene collections: %w", err)
	}
	return nil
}

// Note notes what is ours in the collections of an OBS, instead of what was noted of that OBS before.
func (s Store) Note(d collection.Dir, entries map[string]Entry) error {
	n, err := s.load()
	if err != nil {
		return err
	}
	kept := maps.Clone(entries)
	maps.DeleteFunc(kept, func(name string, e Entry) bool { return e.empty(name) })
	if len(kept) == 0 && len(n[d.Path]) == 0 {
		return nil
	}
	n[d.Path] = kept
	return s.save(n)
}

// Tell hands what OBS is to remember of the collections that were cleaned to told, and forgets it.
func (s Store) Tell(d collection.Dir, told func(name string, e Entry) error) error {
	n, err := s.load()
	if err != nil || len(n[d.Path]) == 0 {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(n[d.Path])) {
		e := n[d.Path][name]
		if !e.Done {
			continue
		}
		if err := told(name, e); err != nil {
			return err
		}
		delete(n[d.Path], name)
	}
	return s.save(n)
}

// Carry cleans the collections that wait for it and whose OBS is closed, and returns their names. What cannot be cleaned
// waits no longer, and is an error: OBS, told by us, cleans it when it loads it.
func (s Store) Carry(ctx context.Context) (cleaned []string, err error) {
	n, err := s.load()
	if err != nil {
		return nil, err
	}
	var errs []error
	changed := false
	for _, path := range slices.Sorted(maps.Keys(n)) {
		d := collection.Dir{Path: path}
		if d.Running() != 0 {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(n[path])) {
			e := n[path][name]
			if e.Done {
				continue
			}
			after, err := e.carry(ctx, d, name)
			switch {
			case errors.Is(err, collection.ErrRunning), errors.Is(err, collection.ErrBusy), errors.Is(err, collection.ErrChanged):
				continue
			case err != nil:
				errs = append(errs, err)
				delete(n[path], name)
			default:
				cleaned = append(cleaned, name)
				n[path][name] = after
			}
			changed = true
		}
	}
	if changed {
		errs = append(errs, s.save(n))
	}
	return cleaned, errors.Join(errs...)
}

// carry cleans one collection and returns what is to be remembered of it.
func (e Entry) carry(ctx context.Context, d collection.Dir, name string) (Entry, error) {
	file, err := d.Open(name)
	if err != nil {
		return e, err
	}
	after := Entry{Done: true}
	err = file.Edit(func(doc *collection.Doc) error {
		obs := &docOBS{doc: doc, name: name, entry: e, memory: e.Scenes}
		if err := obs.check(); err != nil {
			return err
		}
		// What else is ours goes first: where the user has put the peer is told by what the user has beside it.
		left, err := obs.removeFeed()
		if err != nil {
			return err
		}
		after.Feed = left
		obs.removeVoice()
		obs.removeProbe()
		// The session is that of no OBS: what the file has otherwise than the memory is no deed of the user's.
		if _, err := scenes.Reconcile(ctx, obs, "file", scenes.Desired{Over: true}); err != nil {
			return err
		}
		after.Scenes = obs.memory
		return obs.resetMonitoring()
	})
	return after, err
}

// removeFeed takes the scenes for the peer out. The one that OBS's virtual camera shows stays, but empty, and is returned.
func (o *docOBS) removeFeed() (left map[string]string, err error) {
	shown, err := camera.Shows(o.doc)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(o.entry.Feed)) {
		i := o.index(name)
		if i < 0 || o.sources()[i].ID != sceneKind {
			continue
		}
		if name == shown {
			left = map[string]string{name: o.entry.Feed[name]}
			if len(o.sources()[i].items) > 0 {
				if err := o.set([]any{}, listed, i, "settings", "items"); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := o.removeScene(name); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// removeVoice takes our input with the peer's voice out of all scenes.
func (o *docOBS) removeVoice() {
	if i := o.index(o.entry.Voice); i >= 0 && o.sources()[i].device == o.entry.VoiceDevice {
		o.removeSource(o.entry.Voice)
	}
}

// removeProbe takes the input out that StopDeduplication made, which is there where the collection was left meanwhile.
func (o *docOBS) removeProbe() {
	if i := o.index(obsctl.ProbeInput); i >= 0 && o.sources()[i].ID == obsctl.OutputCaptureKind {
		o.removeSource(obsctl.ProbeInput)
	}
}

// resetMonitoring has inputs monitored as they were before, where they still are as we had them.
func (o *docOBS) resetMonitoring() error {
	types := []obsctl.MonitorType{obsctl.MonitorOff, obsctl.MonitorOnly, obsctl.MonitorAndOutput}
	for _, input := range slices.Sorted(maps.Keys(o.entry.Monitor)) {
		path := o.input(input)
		was := slices.Index(types, o.entry.Monitor[input])
		if path == nil || was < 0 {
			continue
		}
		var now int
		_ = json.Unmarshal(o.doc.Get(append(slices.Clone(path), "monitoring_type")...), &now)
		byButton := o.entry.MuteButton && now == slices.Index(types, obsctl.MonitorOnly) && now != was
		if now != slices.Index(types, obsctl.MonitorAndOutput) && !byButton {
			continue
		}
		if byButton {
			if err := o.set(true, append(slices.Clone(path), "muted")...); err != nil {
				return err
			}
		}
		if err := o.set(was, append(slices.Clone(path), "monitoring_type")...); err != nil {
			return err
		}
	}
	return nil
}
