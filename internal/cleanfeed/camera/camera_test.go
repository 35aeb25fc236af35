// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/obsctl"
)

// obsDir is the directory of an OBS that is closed, with the collections A, the current one, and B.
func obsDir(t *testing.T, a, b string) (d collection.Dir, fileA, fileB string) {
	t.Helper()
	home := t.TempDir()
	root := filepath.Join(home, ".config", "obs-studio")
	scenes := filepath.Join(root, "basic", "scenes")
	if err := os.MkdirAll(scenes, 0o700); err != nil {
		t.Fatal(err)
	}
	fileA, fileB = filepath.Join(scenes, "A.json"), filepath.Join(scenes, "B.json")
	for path, text := range map[string]string{
		filepath.Join(root, "global.ini"): "[Basic]\nSceneCollection=A\nSceneCollectionFile=A\n",
		fileA:                             a,
		fileB:                             b,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := collection.Find(obsctl.FindOptions{Home: home, XDGConfigHome: filepath.Join(home, ".config"), ProcRoot: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return d, fileA, fileB
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func shows(t *testing.T, d collection.Dir, name string) bool {
	t.Helper()
	f, err := d.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Shows(doc)
	if err != nil {
		t.Fatal(err)
	}
	return got != ""
}

// A scene of the user's that has the name of ours is not shown to the peer, and the camera that shows it is not ours.
func TestUsersScene(t *testing.T) {
	const (
		users  = `{"name":"A","sources":[{"id":"scene","name":"To peer","settings":{"items":[{"name":"Cam"}]}},{"id":"image_source","name":"To peer 2"}]%s}`
		camera = `,"virtual-camera":{"internal":0,"scene":"To peer","source":"","type":1,"type2":1}`
	)
	for name, before := range map[string]string{"another camera": fmt.Sprintf(users, ""), "the user's camera": fmt.Sprintf(users, camera)} {
		t.Run(name, func(t *testing.T) {
			d, a, _ := obsDir(t, before, `{"name":"B"}`)
			store := NewStore(t.TempDir())
			if done, err := store.Carry(Order{Undo: true}, d); err != nil || len(done) > 0 || read(t, a) != before {
				t.Fatalf("undo before it was set: got %v, %v and %s, want nothing", done, err, read(t, a))
			}
			for range 2 {
				if _, err := store.Carry(Order{}, d); err != nil {
					t.Fatal(err)
				}
			}
			f, err := d.Open("A")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := f.Read()
			if err != nil {
				t.Fatal(err)
			}
			if scene, err := Shows(doc); scene != "To peer 3" || err != nil {
				t.Errorf("the camera shows %q, %v; want %q", scene, err, "To peer 3")
			}
			if _, err := store.Carry(Order{Undo: true}, d); err != nil {
				t.Fatal(err)
			}
			if got := read(t, a); got != before {
				t.Errorf("after the undo: got %s, want %s", got, before)
			}
		})
	}
}

// What the virtual camera showed comes back byte for byte, in each form of OBS.
func TestSetAndUndo(t *testing.T) {
	for name, before := range map[string]string{
		"nothing said":      `{"name": "A", "sources": []}`,
		"programme, OBS 29": `{"name": "A", "virtual-camera": {"internal": 0, "scene": "", "source": "", "type": 0}, "sources": []}`,
		"scene, OBS 29":     `{"name": "A", "virtual-camera": {"internal":0,"scene":"Game","source":"","type":1}}`,
		"preview, OBS 30":   `{"name": "A", "virtual-camera": {"type2": 4}, "x": 1}`,
		"source, OBS 30":    `{"name":"A","virtual-camera":{"source":"Cam","type2":2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			const other = `{"name": "B"}`
			d, a, b := obsDir(t, before, other)
			store := NewStore(t.TempDir())
			for range 2 { // the second time changes nothing
				done, err := store.Carry(Order{}, d)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"A"}, done); diff != "" {
					t.Errorf("collections (-want +got):\n%s", diff)
				}
			}
			if !shows(t, d, "A") || shows(t, d, "B") {
				t.Errorf("shown in A %t, in B %t, want true and false", shows(t, d, "A"), shows(t, d, "B"))
			}
			if _, err := store.Carry(Order{Undo: true}, d); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{before, other}, []string{read(t, a), read(t, b)}); diff != "" {
				t.Errorf("after the undo (-before +after):\n%s", diff)
			}
			if done, err := store.Carry(Order{Undo: true}, d); err != nil || len(done) > 0 {
				t.Errorf("undo again: got %v and %v, want nothing", done, err)
			}
		})
	}
}

// What the user chose since is kept.
func TestUndoKeepsTheUsersChoice(t *testing.T) {
	d, a, _ := obsDir(t, `{"name":"A"}`, `{"name":"B"}`)
	store := NewStore(t.TempDir())
	if _, err := store.Carry(Order{All: true}, d); err != nil {
		t.Fatal(err)
	}
	const chosen = `{"name":"A","virtual-camera":{"type2":4}}`
	if err := os.WriteFile(a, []byte(chosen), 0o600); err != nil {
		t.Fatal(err)
	}
	done, err := store.Carry(Order{Undo: true}, d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"B"}, done); diff != "" {
		t.Errorf("collections (-want +got):\n%s", diff)
	}
	if got := read(t, a); got != chosen {
		t.Errorf("collection A: got %s, want %s", got, chosen)
	}
}

func TestFinish(t *testing.T) {
	d, _, _ := obsDir(t, `{"name":"A"}`, `{"name":"B"}`)
	find := func() (collection.Dir, error) { return d, nil }
	store := NewStore(t.TempDir())
	for _, step := range []struct {
		name      string
		order     *Order // nil: the one before
		hasCamera bool
		finished  bool
		shows     bool // afterwards
	}{
		{"nothing waits", nil, true, false, false},
		{"OBS has no virtual camera", &Order{Waiting: true}, false, false, false},
		{"it has one by now", nil, true, true, true},
		{"a second time", nil, true, false, true},
		{"taken back, no virtual camera any more", &Order{Waiting: true, Undo: true}, false, true, false},
	} {
		if step.order != nil {
			if err := store.Save(*step.order); err != nil {
				t.Fatal(err)
			}
		}
		_, finished, err := store.Finish(find, func() bool { return step.hasCamera })
		if finished != step.finished || err != nil || shows(t, d, "A") != step.shows {
			t.Errorf("%s: got finished %t, %v, shown %t; want %t and %t", step.name, finished, err, shows(t, d, "A"), step.finished, step.shows)
		}
	}
}
