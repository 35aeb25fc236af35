// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/obsctl"
)

const obs31 = "[General]\nLastVersion=520093696\n" // 31 << 24

func TestOpenCurrent(t *testing.T) {
	for _, test := range []struct {
		name    string
		files   map[string]string
		want    string
		profile string
	}{
		{"OBS 29", nil, "main_file.json", "Pro_file"},
		{"OBS 29 after a newer one", map[string]string{"user.ini": "[Basic]\nSceneCollection=Other one\nSceneCollectionFile=Other.json\nProfileDir=P\n"}, "main_file.json", "Pro_file"},
		{"OBS 31", map[string]string{"global.ini": obs31, "user.ini": "[Basic]\nSceneCollection=Other one\nSceneCollectionFile=Other.json\nProfileDir=P\n"}, "Other.json", "P"},
		{"OBS 31 before its first exit", map[string]string{"global.ini": "[General]\n", "user.ini": "[Basic]\nSceneCollection=Other one\nSceneCollectionFile=Other.json\nProfileDir=P\n"}, "Other.json", "P"},
		{"by name alone", map[string]string{"global.ini": obs31, "user.ini": "[Basic]\nSceneCollection=Other one\nProfileDir=P\n"}, "Other.json", "P"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			for name, text := range test.files {
				m.put(t, name, text)
			}
			if got := filepath.Base(m.open(t).Path()); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got, err := m.dir(t).Profile(); got != m.path("basic/profiles/"+test.profile+"/basic.ini") || err != nil {
				t.Errorf("profile: got %s, %v; want that of %s", got, err, test.profile)
			}
		})
	}
}

// TestRecorded opens what each version of OBS wrote, in the directories of a package, a Flatpak and a Snap, and when an
// older version followed a newer one whose files had been moved.
func TestRecorded(t *testing.T) {
	for _, test := range []struct{ name, moved string }{
		{"29.0.2", ""}, {"30.2.3", ""}, {"32.2.2", ""}, {"32.2.2", "elsewhere"}, {"29.0.2-after-32.2.2", "elsewhere"},
	} {
		for _, home := range []string{".config", ".var/app/com.obsproject.Studio/config", "snap/obs-studio/current/.config"} {
			t.Run(test.name+" "+test.moved+" in "+home, func(t *testing.T) {
				user := t.TempDir()
				m := machine{user, filepath.Join(user, home), filepath.Join(user, "proc")}
				where := m
				if test.moved != "" {
					where.config = filepath.Join(user, test.moved)
				}
				recorded := os.DirFS(filepath.Join("../../obsctl/testdata/recorded", test.name))
				err := fs.WalkDir(recorded, ".", func(name string, entry fs.DirEntry, err error) error {
					if err != nil || entry.IsDir() {
						return err
					}
					text, err := fs.ReadFile(recorded, name)
					target := m
					if name == "user.ini" || strings.HasPrefix(name, "basic/") {
						target = where
					}
					target.put(t, name, strings.ReplaceAll(string(text), "@CONFIG@", where.config))
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(test.name, "29") { // It knows nothing of other places.
					where = m
					m.put(t, "basic/scenes/Untitled.json", `{"name":"Untitled"}`)
				}
				d, err := Find(obsctl.FindOptions{Home: user, ProcRoot: m.proc})
				if err != nil {
					t.Fatal(err)
				}
				f, err := d.Open("")
				if err != nil || f.Path() != where.path("basic/scenes/Untitled.json") || f.Name() != "Untitled" {
					t.Errorf("collection: got %+v, %v; want that in %s", f, err, where.config)
				}
				if got, err := d.Profile(); got != where.path("basic/profiles/Untitled/basic.ini") || err != nil {
					t.Errorf("profile: got %s, %v; want that in %s", got, err, where.config)
				}
				if d.Flatpak() != strings.HasPrefix(home, ".var") || d.Snap() != strings.HasPrefix(home, "snap") {
					t.Errorf("got Flatpak %t, Snap %t", d.Flatpak(), d.Snap())
				}
			})
		}
	}
}

func TestOpenMoved(t *testing.T) {
	m := newMachine(t)
	moved := filepath.Join(m.home, "elsewhere")
	m.put(t, "global.ini", obs31+"[Locations]\nConfiguration="+moved+"\nSceneCollections="+moved+"\nProfiles="+moved+"\n")
	there := machine{config: moved}
	there.put(t, "user.ini", "[Basic]\nSceneCollection=Far\nSceneCollectionFile=Far.json\nProfileDir=P\n")
	there.put(t, "basic/scenes/Far.json", `{"name":"Far"}`)
	if got, want := m.open(t).Path(), there.path("basic/scenes/Far.json"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, err := m.dir(t).Profile(); got != there.path("basic/profiles/P/basic.ini") || err != nil {
		t.Errorf("profile: got %s, %v", got, err)
	}
	if got, want := m.dir(t).ProfileRoots(), []string{m.path("basic/profiles"), there.path("basic/profiles")}; !slices.Equal(got, want) {
		t.Errorf("directories of profiles: got %q, want %q", got, want)
	}
}

func TestOpenByName(t *testing.T) {
	m := newMachine(t)
	f, err := m.dir(t).Open("Other one")
	if err != nil || filepath.Base(f.Path()) != "Other.json" || f.Name() != "Other one" {
		t.Errorf("got %+v, %v", f, err)
	}
	if _, err := m.dir(t).Open("Nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	all, err := m.dir(t).All()
	if err != nil || len(all) != 2 || all[0].Name() != "Other one" || all[1].Name() != "Main" {
		t.Errorf("All: got %v, %v", all, err)
	}
}

func TestFindNothing(t *testing.T) {
	home := t.TempDir()
	if _, err := Find(obsctl.FindOptions{Home: home, ProcRoot: home}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestFindFlatpak(t *testing.T) {
	m := newMachine(t)
	m.config = filepath.Join(m.home, ".var/app/com.obsproject.Studio/config")
	m.put(t, "global.ini", "[Basic]\n")
	native, err := Find(obsctl.FindOptions{Home: m.home, ProcRoot: m.proc})
	if err != nil || native.Flatpak() {
		t.Errorf("both there, none runs: got %+v, %v", native, err)
	}
	m.startOBS(t)
	flatpak, err := Find(obsctl.FindOptions{Home: m.home, ProcRoot: m.proc})
	if err != nil || !flatpak.Flatpak() || flatpak.Running() != 321 || native.Running() != 0 {
		t.Errorf("the Flatpak runs: got %+v, %v, running %d and %d", flatpak, err, flatpak.Running(), native.Running())
	}
}
