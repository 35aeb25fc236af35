// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/obsctl"
)

// Dir is an obs-studio directory: everything that one OBS keeps.
type Dir struct {
	Path   string
	places obsctl.FindOptions
}

// Find returns the directory of the OBS that runs, or else of the one that is installed: native, Flatpak or Snap, in
// this order. It returns ErrNotFound when no OBS has run yet. Of the options only Home, XDGConfigHome and ProcRoot count.
func Find(o obsctl.FindOptions) (Dir, error) {
	homes := obsctl.ConfigHomes(o)
	for _, home := range homes {
		d := Dir{Path: filepath.Join(home.Dir, "obs-studio"), places: o}
		if _, err := os.Stat(filepath.Join(d.Path, "global.ini")); err == nil {
			return d, nil
		}
	}
	return Dir{}, fmt.Errorf("OBS's configuration is %w in %s: start OBS once, then close it",
		ErrNotFound, filepath.Join(homes[0].Dir, "obs-studio"))
}

// Of returns the directory of the OBS with a process id. Its error matches ErrNotFound.
func Of(pid int, o obsctl.FindOptions) (Dir, error) {
	for _, home := range obsctl.ConfigHomes(o) {
		if home.PID == pid && pid != 0 {
			return Dir{Path: filepath.Join(home.Dir, "obs-studio"), places: o}, nil
		}
	}
	return Dir{}, fmt.Errorf("the configuration of the OBS with process id %d is %w", pid, ErrNotFound)
}

// Flatpak says whether this is the directory of the Flatpak of OBS, which sees the user's home directory but a /tmp of
// its own.
func (d Dir) Flatpak() bool { return strings.Contains(d.Path, "/.var/app/com.obsproject.Studio/") }

// Snap says whether this is the directory of the Snap of OBS, which sees nothing hidden in the user's home directory.
func (d Dir) Snap() bool { return strings.Contains(d.Path, "/snap/obs-studio/") }

// Running returns the process id of an OBS that uses this directory, 0 if none does.
func (d Dir) Running() int {
	own, err := os.Stat(filepath.Dir(d.Path))
	if err != nil {
		return 0
	}
	for _, home := range obsctl.ConfigHomes(d.places) {
		if home.PID == 0 {
			continue
		}
		if other, err := os.Stat(home.Dir); err == nil && os.SameFile(own, other) {
			return home.PID
		}
	}
	return 0
}

// user returns the file that holds [Basic], and what global.ini tells of it. OBS 31 moved that section from global.ini
// to user.ini, and lets the user move directories (OBSApp.cpp). Both files stay when OBS goes back to an older version,
// which knows neither (measured, 29.0.2 after 32.2.2): the version that wrote global.ini last decides.
func (d Dir) user() (user, global ini, err error) {
	global, err = readINI(filepath.Join(d.Path, "global.ini"))
	if err != nil {
		return ini{}, ini{}, err
	}
	const obs31 = 31 << 24 // LIBOBS_API_VER is major<<24 | minor<<16 | patch
	last, _ := strconv.ParseInt(strings.TrimSpace(global.get("General", "LastVersion")), 10, 64)
	if last != 0 && last < obs31 {
		delete(global.sections, "Locations")
		return global, global, nil
	}
	user, err = readINI(filepath.Join(d.location(global, "Configuration"), "user.ini"))
	if errors.Is(err, fs.ErrNotExist) {
		return global, global, nil
	}
	return user, global, err
}

// location is the obs-studio directory for one kind of files.
func (d Dir) location(global ini, kind string) string {
	if dir := global.get("Locations", kind); filepath.IsAbs(dir) {
		return filepath.Join(dir, "obs-studio")
	}
	return d.Path
}

// Profile returns the settings file of the current profile.
func (d Dir) Profile() (string, error) {
	user, global, err := d.user()
	if err != nil {
		return "", fmt.Errorf("OBS's configuration cannot be read: %w", err)
	}
	profile := user.get("Basic", "ProfileDir")
	if profile == "" || profile != filepath.Base(profile) {
		return "", fmt.Errorf("OBS's current profile is %w in %s", ErrNotFound, user.path)
	}
	return filepath.Join(d.location(global, "Profiles"), "basic", "profiles", profile, "basic.ini"), nil
}

// ProfileRoots are the directories that hold profiles: OBS's own, and the one that the user moved them to.
func (d Dir) ProfileRoots() []string {
	roots := []string{filepath.Join(d.Path, "basic", "profiles")}
	if global, err := readINI(filepath.Join(d.Path, "global.ini")); err == nil {
		if moved := d.location(global, "Profiles"); moved != d.Path {
			roots = append(roots, filepath.Join(moved, "basic", "profiles"))
		}
	}
	return roots
}

// Open returns the collection of that name, or the current one when name is empty. Its error matches ErrNotFound,
// ErrInvalid, or is that of reading a file.
func (d Dir) Open(name string) (*File, error) {
	user, global, err := d.user()
	if err != nil {
		return nil, fmt.Errorf("OBS's configuration cannot be read: %w", err)
	}
	scenes := filepath.Join(d.location(global, "SceneCollections"), "basic", "scenes")
	current := user.get("Basic", "SceneCollection")
	if name == "" || name == current {
		// OBS 31 and later write the name of the file with its suffix, older ones without.
		file := strings.TrimSuffix(user.get("Basic", "SceneCollectionFile"), ".json") + ".json"
		if f := (&File{dir: d, path: filepath.Join(scenes, file), name: current}); file == filepath.Base(file) && f.exists() {
			_, err := f.Read()
			return f, err
		}
		name = current
	}
	all, err := d.in(scenes)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(f *File) bool { return f.name == name }); i >= 0 {
		return all[i], nil
	}
	return nil, fmt.Errorf("the scene collection %q is %w in %s: start OBS, then close it", name, ErrNotFound, scenes)
}

// All returns every collection that can be read, in the order of their files' names.
func (d Dir) All() ([]*File, error) {
	_, global, err := d.user()
	if err != nil {
		return nil, fmt.Errorf("OBS's configuration cannot be read: %w", err)
	}
	return d.in(filepath.Join(d.location(global, "SceneCollections"), "basic", "scenes"))
}

func (d Dir) in(scenes string) ([]*File, error) {
	entries, err := os.ReadDir(scenes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("OBS's scene collections cannot be read: %w", err)
	}
	var all []*File
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".json" || entry.IsDir() {
			continue
		}
		f := &File{dir: d, path: filepath.Join(scenes, entry.Name())}
		doc, err := f.Read()
		if err != nil {
			continue
		}
		// OBS, too, takes the file's name for a collection that tells none.
		if _ = json.Unmarshal(doc.Get("name"), &f.name); f.name == "" {
			f.name = strings.TrimSuffix(entry.Name(), ".json")
		}
		all = append(all, f)
	}
	return all, nil
}

// WhileClosed changes the scene collections of an OBS that is closed. done is false where it is open, or another program is in
// the way: then it is to be tried again later. Otherwise err is what change returned.
func WhileClosed(find func() (Dir, error), change func(Dir) error) (done bool, err error) {
	d, err := find()
	if err != nil || d.Running() != 0 {
		return false, err
	}
	err = change(d)
	if errors.Is(err, ErrRunning) || errors.Is(err, ErrBusy) || errors.Is(err, ErrChanged) {
		return false, nil
	}
	return true, err
}
