// SPDX-License-Identifier: Apache-2.0

package hotkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// stage is a real OBS whose scenes show the peer.
type stage struct {
	*testing.T
	obs  *testbed.OBS
	data string // directory of the script
	dir  collection.Dir
}

// peerInput is a peer source that needs no sender.
const peerInput = "ffmpeg_source"

// newStage starts an OBS with the peer in two scenes, in a nested scene and in a group, and closes it again.
func newStage(t *testing.T) *stage {
	t.Helper()
	testbed.Need(t)
	s := &stage{T: t, obs: testbed.StartOBS(t, testbed.OBSOptions{})}
	s.data = filepath.Join(s.obs.Home, ".local/share/costream-obs")
	for _, scene := range []string{"Second", "Inner", "Grouped"} {
		s.obs.Request("CreateScene", testbed.D{"sceneName": scene}, nil)
	}
	s.obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Peer", "inputKind": peerInput,
		"inputSettings": testbed.D{"is_local_file": true, "costream_obs": "peer"}}, nil)
	s.obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Another", "inputKind": peerInput,
		"inputSettings": testbed.D{"is_local_file": true}}, nil)
	for _, at := range [][2]string{{"Second", "Peer"}, {"Second", "Peer"}, {"Inner", "Peer"}, {"Grouped", "Peer"}, {testbed.Scene, "Inner"}} {
		s.obs.Request("CreateSceneItem", testbed.D{"sceneName": at[0], "sourceName": at[1]}, nil)
	}
	s.obs.Interrupt()
	s.findDir()
	s.group("Grouped")
	return s
}

func (s *stage) findDir() {
	s.Helper()
	var err error
	if s.dir, err = collection.Find(obsctl.FindOptions{Home: s.obs.Home, XDGConfigHome: s.obs.Config}); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) file() *collection.File {
	s.Helper()
	f, err := s.dir.Open("")
	if err != nil {
		s.Fatal(err)
	}
	return f
}

// group puts all items of a scene into a group, which obs-websocket cannot.
func (s *stage) group(scene string) {
	s.Helper()
	err := s.file().Edit(func(doc *collection.Doc) error {
		var sources []struct {
			Name     string
			Settings map[string]json.RawMessage
		}
		if err := json.Unmarshal(doc.Get("sources"), &sources); err != nil {
			return err
		}
		for i, src := range sources {
			if src.Name != scene {
				continue
			}
			var items []map[string]any
			if err := json.Unmarshal(src.Settings["items"], &items); err != nil {
				return err
			}
			holder := maps.Clone(items[0])
			holder["name"], holder["id"] = "Group", 99
			delete(holder, "source_uuid") // counts before the name from OBS 30 on
			return errors.Join(
				doc.Set([]any{holder}, "sources", i, "settings", "items"),
				doc.Set(100, "sources", i, "settings", "id_counter"),
				doc.Set([]any{map[string]any{"id": "group", "versioned_id": "group", "name": "Group", "enabled": true,
					"settings": map[string]any{"custom_size": true, "cx": 640, "cy": 360, "id_counter": 100, "items": items}}}, "groups"))
		}
		return fmt.Errorf("no scene %q", scene)
	})
	if err != nil {
		s.Fatal(err)
	}
}

// order is one for every action.
func (s *stage) order(keys map[Action]string) Order {
	s.Helper()
	path, err := Install(s.dir, s.data, s.obs.Home)
	if err != nil {
		s.Fatal(err)
	}
	o := Order{Keys: map[Action]collection.Key{}, Script: path, Device: "/dev/video11"}
	for action, text := range keys {
		if o.Keys[action], err = ParseKey(text); err != nil {
			s.Fatal(err)
		}
	}
	return o
}

func (s *stage) carry(o Order) Done {
	s.Helper()
	done, err := o.Carry(s.dir)
	if err != nil {
		s.Fatalf("%+v: %v", o, err)
	}
	return done
}

// eyes are the items of the peer in every scene, each as "shown" or "hidden".
func (s *stage) eyes() map[string][]string {
	s.Helper()
	var list struct{ Scenes []struct{ SceneName string } }
	s.obs.Request("GetSceneList", nil, &list)
	all := map[string][]string{}
	type item struct {
		SourceName       string
		SceneItemEnabled bool
		IsGroup          bool
	}
	var items struct{ SceneItems []item }
	note := func(scene string) {
		for _, it := range items.SceneItems {
			if it.SourceName != "Inner" && !it.IsGroup {
				all[scene+"/"+it.SourceName] = append(all[scene+"/"+it.SourceName], map[bool]string{true: "shown", false: "hidden"}[it.SceneItemEnabled])
			}
		}
	}
	for _, sc := range list.Scenes {
		items.SceneItems = nil
		s.obs.Request("GetSceneItemList", testbed.D{"sceneName": sc.SceneName}, &items)
		note(sc.SceneName)
	}
	items.SceneItems = nil
	s.obs.Request("GetGroupSceneItemList", testbed.D{"sceneName": "Group"}, &items)
	note("Group")
	return all
}

// want are the eyes when every peer is shown or hidden.
func want(peer string) map[string][]string {
	return map[string][]string{
		testbed.Scene + "/Peer": {peer}, testbed.Scene + "/Another": {"shown"},
		"Second/Peer": {peer, peer}, "Inner/Peer": {peer}, "Group/Peer": {peer},
	}
}

// press holds a key until the peer is shown or hidden everywhere.
func (s *stage) press(key, then string) {
	s.Helper()
	begin := time.Now()
	release := s.obs.Display.Hold(key)
	s.await("the peer to be "+then+" by "+key, want(then))
	s.Logf("%s: the peer is %s everywhere after %v", key, then, time.Since(begin).Round(time.Millisecond))
	release()
}

func (s *stage) await(what string, eyes map[string][]string) {
	s.Helper()
	testbed.Await(s, what, 20*time.Second, func() error {
		if diff := cmp.Diff(eyes, s.eyes()); diff != "" {
			return fmt.Errorf("(-want +got):\n%s\n%s", diff, s.scriptLog())
		}
		return nil
	})
}

// pressMute holds F8 until an input is muted or not.
func (s *stage) pressMute(input string, want bool) {
	s.Helper()
	release := s.obs.Display.Hold("F8")
	testbed.Await(s, fmt.Sprintf("%s to be muted: %v", input, want), 20*time.Second, func() error {
		if s.muted(input) != want {
			return errors.New("it is not so")
		}
		return nil
	})
	release()
}

func (s *stage) scriptLog() string {
	var lines []string
	for line := range strings.Lines(s.obs.Log()) {
		if strings.Contains(line, "lua") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func (s *stage) muted(input string) bool {
	s.Helper()
	var answer struct{ InputMuted bool }
	s.obs.Request("GetInputMute", testbed.D{"inputName": input}, &answer)
	return answer.InputMuted
}

// Keys pressed on the keyboard act in every scene, survive what OBS does to the collection, and are taken back.
func TestRealHotkeys(t *testing.T) {
	s := newStage(t)
	// OBS brings what was edited into its own form first.
	s.obs.Start()
	s.obs.Interrupt()
	first, err := os.ReadFile(s.file().Path())
	if err != nil {
		t.Fatal(err)
	}

	done := s.carry(s.order(map[Action]string{Toggle: "F9", Show: "Ctrl+Alt+P", Hide: "Num 5", Mute: "F8"}))
	if diff := cmp.Diff([]string{"Untitled"}, done.Collections); diff != "" {
		t.Errorf("collections (-want +got):\n%s", diff)
	}
	s.obs.Start()
	s.await("the peer to be shown at first", want("shown"))
	s.press("F9", "hidden")
	s.press("F9", "shown")
	s.press("KP_5", "hidden")
	s.press("ctrl+alt+p", "shown")

	s.pressMute("Peer", true)
	s.pressMute("Peer", false)

	// Whatever shows it anywhere makes the next toggle a hide.
	s.press("KP_5", "hidden")
	s.obs.Request("SetSceneItemEnabled", testbed.D{"sceneName": "Inner", "sceneItemId": 1, "sceneItemEnabled": true}, nil)
	s.press("F9", "hidden")
	s.press("F9", "shown")

	s.obs.Restart()
	doc, err := s.file().Read()
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := Bound(doc)
	if diff := cmp.Diff(map[Action][]string{Toggle: {"F9"}, Show: {"Ctrl+Alt+P"}, Hide: {"Num 5"}, Mute: {"F8"}}, keys); diff != "" {
		t.Errorf("keys after a restart (-want +got):\n%s", diff)
	}
	s.press("F9", "hidden")
	s.press("F9", "shown")
	if log := s.scriptLog(); strings.Contains(log, "rror") {
		t.Errorf("the script failed:\n%s", log)
	}

	if _, err := (Order{Undo: true}).Carry(s.dir); !errors.Is(err, collection.ErrRunning) {
		t.Errorf("undo while OBS is open: got %v, want ErrRunning", err)
	}
	s.obs.Interrupt()
	s.carry(Order{Undo: true})
	last, err := os.ReadFile(s.file().Path())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(last)); diff != "" {
		t.Errorf("after the undo (-first +last):\n%s", diff)
	}
}

// The peer is found by our mark, whatever it is called, and another source that has its name is left alone.
func TestRealMarked(t *testing.T) {
	s := newStage(t)
	s.carry(s.order(map[Action]string{Toggle: "F9"}))
	s.obs.Start()
	s.obs.Request("SetInputSettings", testbed.D{"inputName": "Another", "inputSettings": testbed.D{"costream_obs": "peer"}}, nil)
	s.obs.Request("SetInputSettings", testbed.D{"inputName": "Peer", "inputSettings": testbed.D{"is_local_file": true}, "overlay": false}, nil)
	release := s.obs.Display.Hold("F9")
	expect := want("shown")
	expect[testbed.Scene+"/Another"] = []string{"hidden"}
	s.await("the marked one to be hidden", expect)
	release()
}

// TestRealCollectionChange: OBS outlives changes of the scene collection with the peer in several scenes. Without the
// script OBS 32.2.2 ended itself once in some ten changes on two busy cores.
func TestRealCollectionChange(t *testing.T) {
	s := newStage(t)
	s.carry(s.order(nil))
	s.obs.Start()
	change := func(request, name string) {
		t.Helper()
		testbed.Await(t, request+" "+name, 20*time.Second, func() error {
			return s.obs.TryRequest(request, testbed.D{"sceneCollectionName": name}, nil)
		})
	}
	change("CreateSceneCollection", "Other")
	for range 6 {
		change("SetCurrentSceneCollection", "Untitled")
		s.await("the peer to be shown", want("shown"))
		change("SetCurrentSceneCollection", "Other")
	}
	if log := s.obs.Log(); strings.Contains(log, "Not all sources were cleared") {
		t.Errorf("OBS missed scenes:\n%s", log)
	}
	if log := s.scriptLog(); strings.Contains(log, "rror") {
		t.Errorf("the script failed:\n%s", log)
	}
}

// Where an input of ours brings the peer's voice into the stream, whatever the user calls it, that one is muted.
func TestRealMute(t *testing.T) {
	s := newStage(t)
	s.carry(s.order(map[Action]string{Mute: "F8"}))
	s.obs.Start()
	s.obs.Request("CreateInput", testbed.D{"sceneName": testbed.Scene, "inputName": "Voice", "inputKind": "pulse_output_capture",
		"inputSettings": testbed.D{"device_id": "costream_frompeer.monitor"}}, nil)
	s.pressMute("Voice", true)
	if s.muted("Peer") {
		t.Error("the peer's picture was muted as well")
	}
	s.pressMute("Voice", false)
}

// In studio mode the programme is a copy of its scene: viewers see what the key did at once.
func TestRealStudioMode(t *testing.T) {
	s := newStage(t)
	s.carry(s.order(map[Action]string{Toggle: "F9"}))
	s.obs.Start()
	s.obs.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true}, nil)
	active := func() bool {
		var answer struct{ VideoActive bool }
		s.obs.Request("GetSourceActive", testbed.D{"sourceName": "Peer"}, &answer)
		return answer.VideoActive
	}
	awaitActive := func(want bool) {
		t.Helper()
		testbed.Await(t, fmt.Sprintf("the peer in the programme: %v", want), 20*time.Second, func() error {
			if active() != want {
				return errors.New("it is not so")
			}
			return nil
		})
	}
	// OBS, when it turns studio mode on, sets a preview scene of its own a moment later.
	testbed.Await(t, "the transition", 20*time.Second, func() error {
		var current struct{ CurrentProgramSceneName string }
		s.obs.Request("GetCurrentProgramScene", nil, &current)
		if current.CurrentProgramSceneName != "Second" {
			s.obs.Request("SetCurrentPreviewScene", testbed.D{"sceneName": "Second"}, nil)
			_ = s.obs.TryRequest("TriggerStudioModeTransition", nil, nil) // Refused during a transition.
			return errors.New(current.CurrentProgramSceneName)
		}
		return nil
	})
	awaitActive(true)
	s.press("F9", "hidden")
	awaitActive(false)
	s.press("F9", "shown")
	awaitActive(true)
}

// A key that OBS uses for something else is refused by name, in the collection and in the profile.
func TestRealBound(t *testing.T) {
	s := newStage(t)
	mic := `{"libobs.mute":[{"key":"OBS_KEY_F9","control":true}]}`
	if err := s.file().Edit(func(doc *collection.Doc) error {
		var sources []struct{ Name string }
		if err := json.Unmarshal(doc.Get("sources"), &sources); err != nil {
			return err
		}
		i := slices.IndexFunc(sources, func(src struct{ Name string }) bool { return src.Name == "Another" })
		return doc.Set(json.RawMessage(mic), "sources", i, "hotkeys")
	}); err != nil {
		t.Fatal(err)
	}
	profile, err := s.dir.Profile()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\n[Hotkeys]\nOBSBasic.StartStreaming={\"bindings\":[{\"key\":\"OBS_KEY_F10\"}]}\n"...)
	if err := os.WriteFile(profile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	// OBS itself writes them, in its own form.
	s.obs.Start()
	s.obs.Interrupt()
	before, err := os.ReadFile(s.file().Path())
	if err != nil {
		t.Fatal(err)
	}
	for key, to := range map[string]string{"Ctrl+F9": `"libobs.mute" of "Another"`, "F10": `"OBSBasic.StartStreaming"`} {
		_, err := s.order(map[Action]string{Toggle: key}).Carry(s.dir)
		var bound *BoundError
		if !errors.As(err, &bound) || !strings.Contains(err.Error(), to) {
			t.Errorf("%s: got %v, want a BoundError about %s", key, err, to)
		}
	}
	if after, err := os.ReadFile(s.file().Path()); err != nil || string(after) != string(before) {
		t.Errorf("a refused order changed the collection: %v", err)
	}
}
