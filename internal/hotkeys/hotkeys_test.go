// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
)

// A machine is a home directory with an OBS that is closed until it is started.
type machine struct {
	*testing.T
	home string
}

const (
	mainFile  = "basic/scenes/Main.json"
	otherFile = "basic/scenes/Other.json"

	mainText  = `{"name":"Main","sources":[{"name":"Mic/Aux","hotkeys":{"libobs.mute":[{"key":"OBS_KEY_M","control":true}]}}],"modules":{"scripts-tool":[]}}`
	otherText = `{"name":"Other","modules":{"scripts-tool":[{"path":"/x/clock.lua","settings":{}}]}}`
)

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	m.put("global.ini", "[General]\nLastVersion=486539266\n\n[Basic]\nProfileDir=P\nSceneCollection=Main\nSceneCollectionFile=Main\n")
	m.put("basic/profiles/P/basic.ini", "[Hotkeys]\nOBSBasic.StartStreaming={\"bindings\":[{\"key\":\"OBS_KEY_F5\"}]}\n")
	m.put(mainFile, mainText)
	m.put(otherFile, otherText)
	return m
}

func (m machine) path(name string) string { return filepath.Join(m.home, ".config/obs-studio", name) }

func (m machine) write(path, text string) {
	m.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		m.Fatal(err)
	}
}

func (m machine) put(name, text string) { m.Helper(); m.write(m.path(name), text) }

func (m machine) get(name string) string {
	m.Helper()
	text, err := os.ReadFile(m.path(name))
	if err != nil {
		m.Fatal(err)
	}
	return string(text)
}

func (m machine) find() (collection.Dir, error) {
	return collection.Find(obsctl.FindOptions{Home: m.home, ProcRoot: filepath.Join(m.home, "proc")})
}

func (m machine) dir() collection.Dir {
	m.Helper()
	d, err := m.find()
	if err != nil {
		m.Fatal(err)
	}
	return d
}

// startOBS makes it look as if an OBS ran, until the returned function is called.
func (m machine) startOBS() (stop func()) {
	m.Helper()
	dir := filepath.Join(m.home, "proc/321")
	for name, text := range map[string]string{"cmdline": "/usr/bin/obs\x00", "comm": "obs\n", "environ": "HOME=" + m.home + "\x00"} {
		m.write(filepath.Join(dir, name), text)
	}
	return func() { _ = os.RemoveAll(dir) }
}

func order(keys map[Action]string) Order {
	o := Order{Keys: map[Action]collection.Key{}, Script: "/data/costream-obs.lua", Device: "/dev/video11"}
	for action, text := range keys {
		key, err := ParseKey(text)
		if err != nil {
			panic(err)
		}
		o.Keys[action] = key
	}
	return o
}

func TestCarry(t *testing.T) {
	m := newMachine(t)
	entry := func(settings string) string {
		return `{"path":"/data/costream-obs.lua","settings":{"device":"/dev/video11",` + settings + `}}`
	}
	carry := func(o Order) {
		t.Helper()
		if _, err := o.Carry(m.dir()); err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
	}
	with := func(text, entry string) string {
		if strings.Contains(text, "[]}}") {
			return strings.Replace(text, `"scripts-tool":[]`, `"scripts-tool":[`+entry+`]`, 1)
		}
		return strings.Replace(text, `}]}}`, `},`+entry+`]}}`, 1)
	}
	check := func(what, main, other string) {
		t.Helper()
		if diff := cmp.Diff([]string{main, other}, []string{m.get(mainFile), m.get(otherFile)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	toggle := entry(`"toggle":[{"key":"OBS_KEY_F9"}]`)
	both := entry(`"mute":[{"alt":true,"key":"OBS_KEY_M"}],"toggle":[{"key":"OBS_KEY_F9"}]`)
	for range 2 {
		carry(order(map[Action]string{Toggle: "F9"}))
		check("toggle in the current collection", with(mainText, toggle), otherText)
	}
	all := order(map[Action]string{Mute: "Alt+M"})
	all.All = true
	carry(all)
	check("mute in all", with(mainText, both), with(otherText, entry(`"mute":[{"alt":true,"key":"OBS_KEY_M"}]`)))

	moved := order(map[Action]string{Toggle: "F9"})
	moved.Script = "/elsewhere/costream-obs.lua"
	carry(moved)
	check("a script that has moved keeps its keys", with(mainText, strings.Replace(both, "/data/", "/elsewhere/", 1)),
		with(otherText, entry(`"mute":[{"alt":true,"key":"OBS_KEY_M"}]`)))

	carry(Order{Undo: true, Script: "/elsewhere/costream-obs.lua"})
	check("undo", mainText, otherText)
}

func TestCarryRefuses(t *testing.T) {
	for _, test := range []struct {
		keys map[Action]string
		want string
	}{
		{map[Action]string{Toggle: "Ctrl+M"}, `Ctrl+M is already the key of the hotkey "libobs.mute" of "Mic/Aux"`},
		{map[Action]string{Show: "F5"}, `F5 is already the key of the hotkey "OBSBasic.StartStreaming"`},
		{map[Action]string{Toggle: "F9", Hide: "F9"}, `F9 is already the key of the hotkey "hide" of "costream-obs.lua"`},
	} {
		m := newMachine(t)
		o := order(test.keys)
		_, err := o.Carry(m.dir())
		m.startOBS()
		_, beside := o.Carry(m.dir())
		for _, err := range []error{err, beside} {
			if !errors.As(err, new(*BoundError)) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: got %v, want %s", test.keys, err, test.want)
			}
		}
		if got := m.get(mainFile); got != mainText {
			t.Errorf("%v: the collection became %s", test.keys, got)
		}
	}
	m := newMachine(t)
	if _, err := order(map[Action]string{Toggle: "F9"}).Carry(m.dir()); err != nil {
		t.Fatal(err)
	}
	if _, err := order(map[Action]string{Hide: "F9"}).Carry(m.dir()); !errors.As(err, new(*BoundError)) {
		t.Errorf("a key of another hotkey of ours: got %v, want a BoundError", err)
	}
}

// What cannot be done in one collection is done in none.
func TestCarryAllOrNone(t *testing.T) {
	m := newMachine(t)
	m.put("basic/scenes/Zoo.json", `{"name":"Zoo","sources":[{"name":"Cam","hotkeys":{"libobs.mute":[{"key":"OBS_KEY_F9"}]}}]}`)
	o := order(map[Action]string{Toggle: "F9"})
	o.All = true
	if _, err := o.Carry(m.dir()); !errors.As(err, new(*BoundError)) || !strings.Contains(err.Error(), `"Zoo"`) {
		t.Errorf("got %v, want a BoundError in Zoo", err)
	}
	if got := m.get(mainFile); got != mainText {
		t.Errorf("the first collection became %s", got)
	}
}

func TestFinish(t *testing.T) {
	m := newMachine(t)
	store := NewStore(filepath.Join(m.home, "state"))
	data := filepath.Join(m.home, ".local/share/costream-obs")
	finish := func(what string, want *Entry) {
		t.Helper()
		got, err := store.Finish(m.find)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	finish("nothing was ever asked for", nil)

	script, err := Install(m.dir(), data, m.home)
	if err != nil {
		t.Fatal(err)
	}
	o := order(map[Action]string{Toggle: "F9"})
	o.Script = script
	stop := m.startOBS()
	if _, err := o.Carry(m.dir()); !errors.Is(err, collection.ErrRunning) {
		t.Fatalf("beside an OBS: got %v, want ErrRunning", err)
	}
	save := func(e Entry) {
		t.Helper()
		if err := store.Save(e); err != nil {
			t.Fatal(err)
		}
	}
	save(Entry{Order: o, Waiting: true})
	finish("OBS is open", nil)
	stop()
	finish("OBS ended", &Entry{Order: o})
	if got := m.get(mainFile); !strings.Contains(got, script) {
		t.Errorf("the collection is %s", got)
	}
	finish("it is done", nil)
	if e, err := store.Load(); err != nil || e == nil || e.Waiting {
		t.Errorf("the entry is %+v, %v; want one that waits no longer", e, err)
	}

	// What was free when it was asked for may be taken when OBS ends.
	bad := order(map[Action]string{Toggle: "F5"})
	save(Entry{Order: bad, Waiting: true})
	got, err := store.Finish(m.find)
	if err != nil || got == nil || got.Waiting || !strings.Contains(got.Problem, "OBSBasic.StartStreaming") {
		t.Errorf("a key that is taken: got %+v, %v; want a problem", got, err)
	}
	finish("a problem is told once", nil)

	kept := Order{Undo: true, Script: script, CleanFeed: true}
	save(Entry{Order: kept, Waiting: true})
	finish("undo of the keys", &Entry{Order: kept})
	if got := m.get(mainFile); !strings.Contains(got, script) || strings.Contains(got, `"toggle"`) {
		t.Errorf("after the undo of the keys the collection is %s", got)
	}
	if e, err := store.Load(); err != nil || e == nil || e.Waiting || e.Order.Undo || !e.Order.CleanFeed {
		t.Errorf("after the undo of the keys the entry is %+v, %v", e, err)
	}

	undo := Order{Undo: true, Script: script}
	save(Entry{Order: undo, Waiting: true})
	finish("undo", &Entry{Order: undo})
	if got := m.get(mainFile); got != mainText {
		t.Errorf("after the undo the collection is %s", got)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the script's directory is still there: %v", err)
	}
	if e, err := store.Load(); e != nil || err != nil {
		t.Errorf("after the undo the entry is %+v, %v", e, err)
	}
}

func TestInstall(t *testing.T) {
	m := newMachine(t)
	native := m.dir()
	outside := filepath.Join(t.TempDir(), "data")
	for _, test := range []struct {
		name string
		obs  string
		dir  string
		want string // what the refusal says
	}{
		{"native", "", outside, ""},
		{"Flatpak", ".var/app/com.obsproject.Studio/config/obs-studio", filepath.Join(m.home, ".local/share/costream-obs"), ""},
		{"Flatpak that cannot see it", ".var/app/com.obsproject.Studio/config/obs-studio", outside, "XDG_DATA_HOME"},
		{"Snap", "snap/obs-studio/current/.config/obs-studio", filepath.Join(m.home, ".local/share/costream-obs"), "peer toggle"},
	} {
		d := native
		if test.obs != "" {
			d.Path = filepath.Join(m.home, test.obs)
		}
		path, err := Install(d, test.dir, m.home)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "":
			if same, err := Current(path); !same || err != nil {
				t.Errorf("%s: the script is not ours: %v", test.name, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: got %v, want a refusal about %s", test.name, err, test.want)
		}
	}
}
