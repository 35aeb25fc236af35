// SPDX-License-Identifier: Apache-2.0

package dock

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

const (
	pagePath = "/home/a b/state/panel-dock.html"
	ourDock  = `{"title":"costream-obs","url":"file:///home/a%20b/state/panel-dock.html","uuid":"` + uuid + `"}`
	chat     = `{"title": "Chat \u00e9", "url": "https://example.org/?a=b&c", "uuid": "1234"}`
)

func TestEdit(t *testing.T) {
	stale := strings.Replace(ourDock, "/home/a%20b", "/old", 1)
	renamed := strings.Replace(ourDock, `"costream-obs"`, `"My friend"`, 1)
	retyped := strings.Replace(strings.Replace(ourDock, uuid, "5678", 1), "costream-obs", "C", 1)
	for _, test := range []struct{ name, old, set, undone string }{
		{"none", "", "[" + ourDock + "]", ""},
		{"an empty list", "[]", "[" + ourDock + "]", "[]"},
		{"the user's own", "[" + chat + "]", "[" + chat + ", " + ourDock + "]", "[" + chat + "]"},
		{"ours", "[" + ourDock + ", " + chat + "]", "[" + ourDock + ", " + chat + "]", "[" + chat + "]"},
		{"stale", "[" + stale + ", " + chat + "]", "[" + ourDock + ", " + chat + "]", "[" + chat + "]"},
		{"renamed by the user", "[" + renamed + "]", "[" + renamed + "]", ""},
		{"address edited by the user", "[" + retyped + "]", "[" + retyped + "]", ""},
		{"twice", "[" + ourDock + ", " + retyped + "]", "[" + ourDock + ", " + retyped + "]", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			set, err := Order{Page: pagePath}.edit(test.old)
			if set != test.set || err != nil {
				t.Errorf("set: got %s, %v\nwant %s", set, err, test.set)
			}
			if again, err := (Order{Page: pagePath}).edit(set); again != set || err != nil {
				t.Errorf("set again: got %s, %v\nwant %s", again, err, set)
			}
			undone, err := Order{Page: pagePath, Undo: true}.edit(test.old)
			if undone != test.undone || err != nil {
				t.Errorf("undone: got %s, %v\nwant %s", undone, err, test.undone)
			}
		})
	}
	for _, broken := range []string{"[", `{"title":"x"}`, `[{"title":1}]`} {
		if got, err := (Order{Page: pagePath}).edit(broken); !errors.Is(err, collection.ErrInvalid) {
			t.Errorf("%s: got %s, %v; want an error", broken, got, err)
		}
	}
}

// closedOBS is an OBS that is closed, with its settings.
func closedOBS(t *testing.T, settings string) (find func() (collection.Dir, error), path, proc string) {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, ".config", "obs-studio")
	path, proc = filepath.Join(dir, "global.ini"), filepath.Join(home, "proc")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Mkdir(proc, 0o700), os.WriteFile(path, []byte(settings), 0o644)); err != nil {
		t.Fatal(err)
	}
	places := obsctl.FindOptions{Home: home, XDGConfigHome: filepath.Dir(dir), ProcRoot: proc}
	return func() (collection.Dir, error) { return collection.Find(places) }, path, proc
}

// TestFinish carries out what waited, and back.
func TestFinish(t *testing.T) {
	const before = "[General]\nLastVersion=486539266\n\n[BasicWindow]\ngeometry=abc\n"
	find, path, _ := closedOBS(t, before)
	state := t.TempDir()
	store := NewStore(state)
	if o, err := store.Finish(find); o != nil || err != nil {
		t.Fatalf("nothing waits: got %v, %v", o, err)
	}
	order := Order{Page: PagePath(state), Waiting: true}
	if err := errors.Join(WritePage(state, ""), store.Save(order)); err != nil {
		t.Fatal(err)
	}
	order.Waiting = false
	if o, err := store.Finish(find); err != nil || cmp.Diff(&order, o) != "" {
		t.Fatalf("got %v, %v", o, err)
	}
	d, err := find()
	if err != nil {
		t.Fatal(err)
	}
	address, err := Address(d)
	if err != nil || !Leads(address, order.Page) || Leads(address, "/elsewhere/panel-dock.html") {
		t.Errorf("address: got %q, %v", address, err)
	}
	order.Undo, order.Waiting = true, true
	if err := store.Save(order); err != nil {
		t.Fatal(err)
	}
	if o, err := store.Finish(find); err != nil || o == nil || !o.Undo {
		t.Fatalf("undo: got %v, %v", o, err)
	}
	if text, _ := os.ReadFile(path); string(text) != before {
		t.Errorf("undone: got %q, want the file of before", text)
	}
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("the undo left %v", left)
	}
	if address, err := Address(d); address != "" || err != nil {
		t.Errorf("address: got %q, %v", address, err)
	}
}

func TestFinishProblem(t *testing.T) {
	find, path, _ := closedOBS(t, "[BasicWindow]\nExtraBrowserDocks=[broken\n")
	store := NewStore(t.TempDir())
	if err := store.Save(Order{Page: pagePath, Waiting: true}); err != nil {
		t.Fatal(err)
	}
	o, err := store.Finish(find)
	if err != nil || o == nil || !strings.Contains(o.Problem, "OBS's list of docks is not in the form that OBS writes") {
		t.Fatalf("got %+v, %v", o, err)
	}
	if o, err := store.Finish(find); o != nil || err != nil {
		t.Errorf("it still waits: %v, %v", o, err)
	}
	if text, _ := os.ReadFile(path); string(text) != "[BasicWindow]\nExtraBrowserDocks=[broken\n" {
		t.Errorf("got %q", text)
	}
}

func TestPage(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	const address = "http://127.0.0.1:4466/</script>secret/"
	if err := UpdatePage(state, address); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(PagePath(state)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a page without a dock: %v", err)
	}
	if err := errors.Join(WritePage(state, ""), UpdatePage(state, address)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(PagePath(state))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `const address = "http://127.0.0.1:4466/\u003c/script\u003esecret/";`) {
		t.Errorf("got %s", text)
	}
	if info, err := os.Stat(PagePath(state)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %v, %v; the page contains the panel's secret", info.Mode(), err)
	}
}

func TestFindBrowser(t *testing.T) {
	const (
		x11   = "7f00-7f01 r--p 0 0:0 0 /usr/lib/x86_64-linux-gnu/obs-plugins/linux-capture.so\n"
		cef   = "7f02-7f03 r--p 0 0:0 0 /usr/lib/x86_64-linux-gnu/obs-plugins/obs-browser.so\n"
		early = "7f00-7f01 r--p 0 0:0 0 /usr/bin/obs\n"
	)
	flatpak := "var/lib/flatpak/app/com.obsproject.Studio/current/active/files/lib/obs-plugins/obs-browser.so"
	for _, test := range []struct {
		name    string
		maps    string // of OBS's process
		plugins []string
		config  string
		want    Browser
	}{
		{"nothing is known", "", nil, ".config", Unknown},
		{"Debian's", "", []string{"usr/lib/x86_64-linux-gnu/obs-plugins/linux-capture.so"}, ".config", NoDocks},
		{"Ubuntu's PPA", "", []string{"usr/lib/x86_64-linux-gnu/obs-plugins/obs-browser.so"}, ".config", HasDocks},
		{"Arch Linux's", "", []string{"usr/lib/obs-plugins/obs-browser.so"}, ".config", HasDocks},
		{"an own build beside Debian's", "", []string{"usr/lib/x86_64-linux-gnu/obs-plugins/linux-capture.so", "usr/local/lib/obs-plugins/obs-browser.so"}, ".config", HasDocks},
		{"a Flatpak", "", []string{flatpak, "usr/lib/obs-plugins/linux-capture.so"}, ".var/app/com.obsproject.Studio/config", HasDocks},
		{"a Snap", "", []string{"snap/obs-studio/current/usr/lib/obs-plugins/linux-capture.so"}, "snap/obs-studio/current/.config", NoDocks},
		{"runs with a browser", x11 + cef, nil, ".config", HasDocks},
		{"runs without", x11, []string{"usr/lib/obs-plugins/obs-browser.so"}, ".config", NoDocks},
		{"has begun to run", early, []string{"usr/lib/obs-plugins/obs-browser.so"}, ".config", HasDocks},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			home := filepath.Join(root, "home")
			proc := filepath.Join(root, "proc")
			files := map[string]string{filepath.Join(home, test.config, "obs-studio/global.ini"): ""}
			for _, plugin := range test.plugins {
				files[filepath.Join(root, plugin)] = ""
			}
			if test.maps != "" {
				files[filepath.Join(proc, "77/maps")] = test.maps
				files[filepath.Join(proc, "77/comm")] = "obs\n"
				files[filepath.Join(proc, "77/cmdline")] = "obs\x00"
				files[filepath.Join(proc, "77/environ")] = "HOME=" + home + "\x00XDG_CONFIG_HOME=" + filepath.Join(home, test.config) + "\x00"
			}
			for path, text := range files {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			d, err := collection.Find(obsctl.FindOptions{Home: home, XDGConfigHome: filepath.Join(home, ".config"), ProcRoot: proc})
			if err != nil {
				t.Fatal(err)
			}
			if running := d.Running() != 0; running != (test.maps != "") {
				t.Fatalf("OBS runs: %v", running)
			}
			if got := FindBrowser(d, Places{Root: root, Proc: proc, Home: home}); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
