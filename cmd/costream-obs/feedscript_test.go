// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/obsctl"
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

// TestOrdersThatWaitTogether: an undo of the hotkeys and an order for the clean feed, which is about another scene collection,
// both wait for OBS to end. Whichever came first, both are carried out, as they are when OBS is closed.
func TestOrdersThatWaitTogether(t *testing.T) {
	f9 := map[hotkeys.Action]collection.Key{hotkeys.Toggle: {Key: "OBS_KEY_F9"}}
	f10 := map[hotkeys.Action]collection.Key{hotkeys.Show: {Key: "OBS_KEY_F10"}}
	for _, test := range []struct {
		name  string
		steps string // while OBS is open; Other.json has F9
		main  string // what the current collection has afterwards: "", "script" or the key
		file  bool   // the script's file is there
		tell  string
	}{
		{"feed first", "feed, undo", "script", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS runs our script.\n"},
		{"undo first", "undo, feed", "script", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS runs our script.\n"},
		{"feed, then the undo twice", "feed, undo, undo", "script", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS runs our script.\n"},
		{"new keys after the undo", "undo, keys", "OBS_KEY_F10", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS has the hotkeys.\n"},
		{"new keys and the feed after the undo", "undo, feed, keys", "OBS_KEY_F10", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS has the hotkeys.\n"},
		{"keys are prepared and dropped", "keys, undo", "", false, "Our hotkeys are removed from OBS.\n"},
		{"the feed is undone, too", "feed, undo, feed undone", "", false, "Our hotkeys are removed from OBS.\n"},
		{"the feed is undone, new keys stay", "undo, feed, keys, feed undone", "OBS_KEY_F10", true, "Our hotkeys are removed from OBS.\nFrom its next start, OBS has the hotkeys.\n"},
	} {
		for _, open := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, OBS open %t", test.name, open), func(t *testing.T) {
				isolate(t)
				file := closedOBS(t)
				proc := t.TempDir()
				obs, err := collection.Find(obsctl.FindOptions{ProcRoot: proc})
				if err != nil {
					t.Fatal(err)
				}
				data, err := dataDir()
				if err != nil {
					t.Fatal(err)
				}
				home := os.Getenv("HOME")
				script, err := hotkeys.Install(obs, data, home)
				if err != nil {
					t.Fatal(err)
				}
				other := filepath.Join(filepath.Dir(file), "Other.json")
				text := fmt.Sprintf(`{"name":"Other","modules":{"scripts-tool":[{"path":%q,"settings":{"device":"/dev/video11","toggle":[{"key":"OBS_KEY_F9"}]}}]}}`, script)
				if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				process := filepath.Join(proc, "321")
				if open {
					for name, text := range map[string]string{"cmdline": "/usr/bin/obs\x00", "comm": "obs\n", "environ": "XDG_CONFIG_HOME=" + os.Getenv("XDG_CONFIG_HOME") + "\x00"} {
						if err := errors.Join(os.MkdirAll(process, 0o700), os.WriteFile(filepath.Join(process, name), []byte(text), 0o600)); err != nil {
							t.Fatal(err)
						}
					}
				}
				store := hotkeys.NewStore(t.TempDir())
				if err := store.Save(hotkeys.Entry{Order: hotkeys.Order{Keys: f9, Script: script, Device: "/dev/video11"}}); err != nil {
					t.Fatal(err)
				}
				feed := feedScript{obs: obs, data: data, store: store, order: hotkeys.Order{Device: "/dev/video11"}}
				for step := range strings.SplitSeq(test.steps, ", ") {
					keys := hotkeySetup{obs: obs, data: data, store: store, out: io.Discard, order: hotkeys.Order{Device: "/dev/video11"}}
					var err error
					switch step {
					case "feed":
						_, err = feed.install(false)
					case "feed undone":
						_, _, err = feed.remove()
					case "keys":
						keys.order.Keys = f10
						err = keys.set()
					case "undo":
						keys.order.Undo = true
						err = keys.undo()
					}
					if err != nil {
						t.Fatalf("%s: %v", step, err)
					}
				}
				if open {
					if err := os.RemoveAll(process); err != nil {
						t.Fatal(err)
					}
				}
				var tell strings.Builder
				finishHotkeysIn(store, &tell, func() (collection.Dir, error) { return obs, nil })
				if open && tell.String() != test.tell {
					t.Errorf("told %q, want %q", tell.String(), test.tell)
				}
				read := func(path string) string {
					text, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					return string(text)
				}
				if got := read(other); strings.Contains(got, "OBS_KEY_F9") {
					t.Errorf("the other collection still has its key: %s", got)
				}
				got := read(file)
				has := map[string]bool{"": got == collectionText, "script": strings.Contains(got, "costream-obs.lua"), "OBS_KEY_F10": strings.Contains(got, "OBS_KEY_F10")}
				if !has[test.main] {
					t.Errorf("the current collection: got %s, want %q there", got, test.main)
				}
				if _, err := os.Stat(script); (err == nil) != test.file {
					t.Errorf("the script's file: got %v, want it there: %t", err, test.file)
				}
				if e, err := store.Load(); err != nil || e != nil && (e.Waiting || e.Order.Undo || e.Then != nil) {
					t.Errorf("afterwards the entry is %+v, %v; want nothing to wait", e, err)
				}
			})
		}
	}
}
