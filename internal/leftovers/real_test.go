// SPDX-License-Identifier: Apache-2.0

package leftovers

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

const voiceDevice = "costream_frompeer.monitor"

// A collection that the user left on air is in its file, once OBS has closed, what it was before; one in which OBS ended
// on air as well. The user's own copy of the peer stays, hidden, as off air; and OBS, when it loads them, has nothing left
// to do and puts the peer where the user wants it.
func TestRealLeftOnAir(t *testing.T) {
	testbed.Need(t)
	tb := testbed.StartOBS(t, testbed.OBSOptions{Patches: []testbed.Patch{{Name: "red"}}})
	source := scenes.Source{Name: "Peer", Kind: "ffmpeg_source", Settings: map[string]any{"is_local_file": true, "input": "tcp://127.0.0.1:5031"}}
	own := testbed.D{"is_local_file": true, "local_file": "/nowhere/own.mkv", "input": "tcp://127.0.0.1:5031"}
	tb.Request("CreateScene", testbed.D{"sceneName": "Two"}, nil)
	tb.Request("CreateInput", testbed.D{"sceneName": "Two", "inputName": "Own", "inputKind": source.Kind, "inputSettings": own}, nil)
	tb.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Mic", "inputKind": "pulse_input_capture"}, nil)
	tb.Request("CreateSceneCollection", testbed.D{"sceneCollectionName": "Second"}, nil)
	tb.Request("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": "Untitled"}, nil)

	dir, err := collection.Find(obsctl.FindOptions{Home: tb.Home, XDGConfigHome: tb.Config})
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) map[string]any {
		t.Helper()
		f, err := dir.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(f.Path())
		if err != nil {
			t.Fatal(err)
		}
		c, err := testbed.ParseCollection(text)
		if err != nil {
			t.Fatal(err)
		}
		// Which scene is shown is for the user to choose.
		for _, key := range []string{"current_scene", "current_program_scene"} {
			delete(c, key)
		}
		return c
	}
	connect := func() (*obsctl.Client, *obsscenes.OBS) {
		t.Helper()
		client, err := obsctl.Dial(t.Context(), obsctl.Endpoint{Host: "127.0.0.1", Port: tb.Port, Password: obsctl.Secret(tb.Password)}, obsctl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return client, obsscenes.NewWriter(client, t.TempDir(), time.Second)
	}
	reconcile := func(obs scenes.OBS, session string, d scenes.Desired) scenes.Report {
		t.Helper()
		var report scenes.Report
		testbed.Await(t, "OBS to settle", 10*time.Second, func() (err error) {
			report, err = scenes.Reconcile(t.Context(), obs, session, d)
			return err
		})
		return report
	}
	on := scenes.Desired{Source: source, Scenes: []string{"*"}, Present: true, Visible: true}
	off := scenes.Desired{Source: source, Over: true}

	// One time on air and off, after which what OBS keeps is as it is off air.
	_, obs := connect()
	reconcile(obs, "1", on)
	reconcile(obs, "1", off)
	tb.Restart()
	before := map[string]map[string]any{"Untitled": read("Untitled"), "Second": read("Second")}

	client, obs := connect()
	feed := cleanfeed.New(nil)
	feed.Begin(func(ctx context.Context) ([]string, error) { return scenes.Peers(ctx, obs, source) }, func() {})
	entries := make(map[string]Entry)
	for _, name := range []string{"Untitled", "Second"} {
		if name == "Second" {
			tb.Request("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": name}, nil)
			feed.Begin(func(ctx context.Context) ([]string, error) { return scenes.Peers(ctx, obs, source) }, func() {})
		}
		reconcile(obs, "2", on)
		if name == "Untitled" {
			tb.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Voice", "inputKind": "pulse_output_capture",
				"inputSettings": testbed.D{"device_id": voiceDevice}}, nil)
			tb.Request("SetInputAudioMonitorType", testbed.D{"inputName": "Mic", "monitorType": "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"}, nil)
		}
		testbed.Await(t, "the scenes for the peer", 10*time.Second, func() error {
			return feed.Sync(t.Context(), obsctl.NewPrivateScenes(cleanfeed.PrivateScenes()).On(client))
		})
		if len(feed.Left()[name]) < 2 {
			t.Fatalf("scenes for the peer: got %v, want a mirror as well", feed.Left())
		}
	}
	memory, err := obs.LoadMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, left := range feed.Left() {
		entries[name] = Entry{Scenes: memory.Of(name), Canvas: scenes.Size{W: 640, H: 360}, Feed: left}
	}
	first := entries["Untitled"]
	first.Voice, first.VoiceDevice, first.Monitor = "Voice", voiceDevice, map[string]obsctl.MonitorType{"Mic": obsctl.MonitorOff}
	entries["Untitled"] = first

	store := NewStore(t.TempDir())
	if err := store.Note(dir, entries); err != nil {
		t.Fatal(err)
	}
	if cleaned, err := store.Carry(t.Context()); err != nil || len(cleaned) > 0 {
		t.Fatalf("while OBS is open: got %v and %v, want nothing", cleaned, err)
	}
	tb.Interrupt()
	cleaned, err := store.Carry(t.Context())
	if diff := cmp.Diff([]string{"Second", "Untitled"}, cleaned); diff != "" || err != nil {
		t.Fatalf("cleaned: %v (-want +got):\n%s", err, diff)
	}
	for name := range before {
		if diff := cmp.Diff(before[name], read(name)); diff != "" {
			t.Errorf("collection %s (-before +after):\n%s", name, diff)
		}
	}

	tb.Start()
	client, obs = connect()
	told := 0
	if err := store.Tell(dir, func(name string, e Entry) error {
		told++
		m, err := obs.LoadMemory(t.Context())
		return errors.Join(err, obs.SaveMemory(t.Context(), m.With(name, e.Scenes)))
	}); err != nil || told != 2 {
		t.Fatalf("told %d collections, error %v, want 2", told, err)
	}
	if _, err := os.Stat(store.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the notes: got %v, want none any more", err)
	}
	for _, name := range []string{"Second", "Untitled"} {
		if name == "Untitled" {
			tb.Request("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": name}, nil)
		}
		if report := reconcile(obs, "3", off); len(report.Done) > 0 {
			t.Errorf("OBS with %s: got %v done, want nothing", name, report.Done)
		}
	}
	reconcile(obs, "3", on)
	items, err := client.SceneItems(t.Context(), testbed.Scene)
	if err != nil || len(items) == 0 || items[len(items)-1].Source != "Own" || !items[len(items)-1].Enabled {
		t.Errorf("on air again: got %+v, %v, want the peer", items, err)
	}
}

// What cannot be cleaned is told once and waits no longer; what is not the form of OBS is not touched.
func TestCarryRefuses(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, ".config/obs-studio")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(path, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const odd = `{"name":"Odd","sources":[{"id":"scene","name":"Scene","settings":{"items":"none"}}]}`
	write("global.ini", "[Basic]\nSceneCollection=Odd\nSceneCollectionFile=Odd\n")
	write("basic/scenes/Odd.json", odd)
	store, d := NewStore(t.TempDir()), collection.Dir{Path: path}
	entry := Entry{Voice: "Peer audio", VoiceDevice: voiceDevice}
	if err := store.Note(d, map[string]Entry{"Odd": entry, "Gone": entry, "Nothing": {}}); err != nil {
		t.Fatal(err)
	}
	if cleaned, err := store.Carry(t.Context()); len(cleaned) > 0 || !errors.Is(err, collection.ErrInvalid) || !errors.Is(err, collection.ErrNotFound) {
		t.Errorf("got %v and %v, want ErrInvalid and ErrNotFound", cleaned, err)
	}
	if text, err := os.ReadFile(filepath.Join(path, "basic/scenes/Odd.json")); err != nil || string(text) != odd {
		t.Errorf("the file: got %s, %v, want it as before", text, err)
	}
	if cleaned, err := store.Carry(t.Context()); len(cleaned) > 0 || err != nil {
		t.Errorf("again: got %v and %v, want nothing", cleaned, err)
	}
}

// The camera's scene stays, empty; other programs' settings of any form are no obstacle; monitoring that the user changed
// since stays. The probe goes,.
func TestCarry(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, ".config/obs-studio")
	text := `{"name":"A","current_scene":"To peer: S","current_program_scene":"To peer: S","scene_order":[{"name":"S"},{"name":"To peer"},{"name":"To peer: S"}],
"virtual-camera":{"scene":"To peer","type":1,"type2":1},
"AuxAudioDevice1":{"id":"pulse_input_capture","name":"Mic/Aux","monitoring_type":2},
"sources":[{"id":"odd","name":"Odd","settings":{"items":5,"device_id":7},"monitoring_type":0},{"id":"pulse_input_capture","name":"Second mic","monitoring_type":1},
{"id":"pulse_output_capture","name":"costream-obs probe","settings":{"device_id":"none"}},
{"id":"scene","name":"S","hotkeys":{"libobs.show_scene_item.3":[]},"settings":{"items":[{"id":1,"name":"Odd","visible":true},{"id":2,"name":"To peer","visible":true},{"id":3,"name":"costream-obs probe","visible":false}]}},
{"id":"scene","name":"To peer","settings":{"items":[{"id":1,"name":"To peer: S","visible":true}]}},
{"id":"scene","name":"To peer: S","settings":{"items":[{"id":1,"name":"Odd","visible":true}]}}]}`
	want := `{"name":"A","current_scene":"S","current_program_scene":"S","scene_order":[{"name":"S"},{"name":"To peer"}],
"virtual-camera":{"scene":"To peer","type":1,"type2":1},
"AuxAudioDevice1":{"id":"pulse_input_capture","name":"Mic/Aux","monitoring_type":0},
"sources":[{"id":"odd","name":"Odd","settings":{"items":5,"device_id":7},"monitoring_type":0},{"id":"pulse_input_capture","name":"Second mic","monitoring_type":1},
{"id":"scene","name":"S","hotkeys":{},"settings":{"items":[{"id":1,"name":"Odd","visible":true},{"id":2,"name":"To peer","visible":true}]}},
{"id":"scene","name":"To peer","settings":{"items":[]}}]}`
	if err := os.MkdirAll(filepath.Join(path, "basic/scenes"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"global.ini": "[Basic]\nSceneCollection=A\nSceneCollectionFile=A\n", "basic/scenes/A.json": text} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, d := NewStore(t.TempDir()), collection.Dir{Path: path}
	if err := store.Note(d, map[string]Entry{"A": {
		Feed:    map[string]string{"To peer": "", "To peer: S": "S"},
		Monitor: map[string]obsctl.MonitorType{"Mic/Aux": obsctl.MonitorOff, "Odd": obsctl.MonitorOnly, "Second mic": obsctl.MonitorOff},
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Carry(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(path, "basic/scenes/A.json"))
	if err != nil {
		t.Fatal(err)
	}
	var gotJSON, wantJSON any
	if err := errors.Join(json.Unmarshal(got, &gotJSON), json.Unmarshal([]byte(want), &wantJSON)); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if diff := cmp.Diff(wantJSON, gotJSON); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
	if err := store.Tell(d, func(_ string, e Entry) error {
		if diff := cmp.Diff(map[string]string{"To peer": ""}, e.Feed); diff != "" {
			t.Errorf("scenes for the peer that are left (-want +got):\n%s", diff)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
