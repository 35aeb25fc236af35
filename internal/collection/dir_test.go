// SPDX-License-Identifier: Apache-2.0

package collection

import (
	"errors"
	"path/filepath"
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
