// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/setup"
)

// TestHotkeysUndoKeepsScript: what the clean feed needs stays when the hotkeys go, whichever came first.
func TestHotkeysUndoKeepsScript(t *testing.T) {
	f9 := map[hotkeys.Action]collection.Key{hotkeys.Toggle: {Key: "OBS_KEY_F9"}}
	const dropped = "The prepared hotkeys are dropped. OBS did not have them yet.\n"
	for _, test := range []struct {
		name   string
		steps  string // of "hotkeys", "feed", "waiting hotkeys" and "feed undone", before the hotkeys are undone
		says   string
		script bool // it stays, in OBS and on disk
		again  string
	}{
		{"hotkeys alone", "hotkeys", "Our hotkeys are removed from OBS.\n", false, "There is nothing to undo.\n"},
		{"feed first", "feed, hotkeys", "Our hotkeys are removed from OBS. OBS keeps our script, because the clean feed needs it; to remove the script too: costream-obs setup clean-feed --undo\n", true, "There is nothing to undo.\n"},
		{"hotkeys first", "hotkeys, feed", "OBS keeps our script", true, "There is nothing to undo.\n"},
		{"feed undone", "hotkeys, feed, feed undone", "Our hotkeys are removed from OBS.\n", false, "There is nothing to undo.\n"},
		{"waiting", "waiting hotkeys", dropped, false, "There is nothing to undo.\n"},
		{"waiting, feed undone", "waiting hotkeys, feed undone", dropped, false, "There is nothing to undo.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			file, obs := closedDir(t)
			data, err := dataDir()
			if err != nil {
				t.Fatal(err)
			}
			store := hotkeys.NewStore(t.TempDir())
			feed := feedScript{obs: obs, data: data, store: store, order: hotkeys.Order{Device: "/dev/video11"}}
			var out strings.Builder
			keys := hotkeySetup{obs: obs, data: data, store: store, out: &out, order: hotkeys.Order{Device: "/dev/video11"}}
			for step := range strings.SplitSeq(test.steps, ", ") {
				var err error
				switch step {
				case "feed":
					_, err = feed.install(false)
				case "feed undone":
					_, _, err = feed.remove()
				case "hotkeys":
					set := keys
					set.order.Keys = f9
					err = set.set()
				case "waiting hotkeys":
					err = store.Save(hotkeys.Entry{Order: hotkeys.Order{Keys: f9}, Waiting: true})
				}
				if err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
			keys.order.Undo = true
			for _, want := range []string{test.says, test.again} {
				out.Reset()
				if err := keys.undo(); err != nil || !strings.Contains(out.String(), want) {
					t.Errorf("got %v and %q, want %q", err, out.String(), want)
				}
				_, err := os.Stat(hotkeys.Path(data))
				text, readErr := os.ReadFile(file)
				if readErr != nil {
					t.Fatal(readErr)
				}
				if inOBS := strings.Contains(string(text), "costream-obs.lua"); inOBS != test.script || (err == nil) != test.script {
					t.Errorf("the script: in OBS %t, on disk %v; want it there: %t", inOBS, err, test.script)
				}
				if strings.Contains(string(text), "OBS_KEY_F9") {
					t.Errorf("a key is left: %s", text)
				}
			}
			if gone, _, err := feed.remove(); err != nil || gone != test.script {
				t.Errorf("clean-feed --undo: got gone %t, %v; want %t", gone, err, test.script)
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != collectionText {
				t.Errorf("the scene collection: got %s, %v; want it as it was", text, err)
			}
		})
	}
}

// closedFeed prepares an OBS that is closed, on a machine without a virtual camera, of a user who has nothing else. It returns
// the file of OBS's current collection as well.
func closedFeed(t *testing.T) (file string, f feedSetup) {
	t.Helper()
	isolate(t)
	file, obs := closedDir(t)
	data, err := dataDir()
	if err != nil {
		t.Fatal(err)
	}
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	script := feedScript{obs: obs, data: data, store: hotkeys.NewStore(state), order: hotkeys.Order{Device: "/dev/video11"}}
	return file, feedSetup{obs: obs, script: script, camera: camera.NewStore(state), machine: setup.Machine{Root: t.TempDir()}}
}

// TestFeedScript: setup clean-feed has OBS run the script, also on a machine without a virtual camera, keeps keys that the
// hotkeys have, and takes the script away only where none has one.
func TestFeedScript(t *testing.T) {
	file, f := closedFeed(t)
	obs, script, data := f.obs, f.script, f.script.data
	f9 := map[hotkeys.Action]collection.Key{hotkeys.Toggle: {Key: "OBS_KEY_F9"}}
	want := func(what string, order camera.Order, says string, keys map[hotkeys.Action][]string, installed bool) {
		t.Helper()
		var out strings.Builder
		f.out = &out
		if err := f.run(order); err != nil || !strings.Contains(out.String(), says) {
			t.Errorf("%s: got %v and %q, want %q", what, err, out.String(), says)
		}
		opened, err := obs.Open("")
		if err != nil {
			t.Fatal(err)
		}
		doc, err := opened.Read()
		if err != nil {
			t.Fatal(err)
		}
		got, path := hotkeys.Bound(doc)
		if diff := cmp.Diff(keys, got); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", what, diff)
		}
		_, err = os.Stat(hotkeys.Path(data))
		if (path != "") != installed || (err == nil) != installed {
			t.Errorf("%s: script %q, %v; want it there: %t", what, path, err, installed)
		}
	}
	none := map[hotkeys.Action][]string{}
	want("nothing there", camera.Order{Undo: true}, "nothing to undo", none, false)
	want("alone", camera.Order{}, "hides the scenes for the peer from your list of scenes, with a script of ours.\nOBS's virtual camera is unchanged: this machine does not have", none, true)
	want("taken back", camera.Order{Undo: true}, "OBS no longer runs our script.", none, false)
	if text, err := os.ReadFile(file); err != nil || string(text) != collectionText {
		t.Errorf("the scene collection: got %s, %v; want it as it was", text, err)
	}

	// A key that waits for OBS's end, and the same key later, when it is bound.
	if err := script.store.Save(hotkeys.Entry{Order: hotkeys.Order{Keys: f9, Script: hotkeys.Path(data)}, Waiting: true}); err != nil {
		t.Fatal(err)
	}
	bound := map[hotkeys.Action][]string{hotkeys.Toggle: {"F9"}}
	want("a key waits", camera.Order{}, "with a script of ours", bound, true)
	want("a key is bound", camera.Order{}, "with a script of ours", bound, true)
	want("taken back, with a key", camera.Order{Undo: true}, "nothing to undo", bound, true)

	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "Other.json"))
	if err != nil || strings.Contains(string(text), "costream-obs.lua") {
		t.Errorf("another collection: got %s, %v; want it without the script", text, err)
	}
	want("everywhere", camera.Order{All: true}, "with a script of ours", bound, true)
	if text, err = os.ReadFile(filepath.Join(filepath.Dir(file), "Other.json")); err != nil || !strings.Contains(string(text), "costream-obs.lua") {
		t.Errorf("another collection: got %s, %v; want it with the script", text, err)
	}
}
