// SPDX-License-Identifier: Apache-2.0

package obsscenes

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// scene is the scene that a fresh OBS has.
const scene = testbed.Scene

// The states that the companion goes through.
const (
	offAir  = "off air"
	waiting = "on air, waiting"
	onAir   = "on air"
)

// stage is a real OBS, a connection to it and what users do there.
type stage struct {
	*testing.T
	tb      *testbed.OBS
	client  *obsctl.Client
	obs     *OBS
	session string
	desired scenes.Desired
}

func newStage(t *testing.T) *stage {
	t.Helper()
	testbed.Need(t)
	s := &stage{T: t, tb: testbed.StartOBS(t, testbed.OBSOptions{}), desired: scenes.Desired{Source: source()}}
	s.connect()
	return s
}

// source is a peer source that needs no sender: a media source without a file. What it would read is what tells it from
// others.
func source() scenes.Source {
	return scenes.Source{Name: "Peer", Kind: "ffmpeg_source",
		Settings: map[string]any{"is_local_file": true, "local_file": "", "input": "tcp://127.0.0.1:5031", "buffering_mb": 0}}
}

// connect gives the stage a connection to the OBS process that runs now.
func (s *stage) connect() {
	s.Helper()
	if s.client != nil {
		_ = s.client.Close()
	}
	client, err := obsctl.Dial(s.Context(), obsctl.Endpoint{Host: "127.0.0.1", Port: s.tb.Port, Password: obsctl.Secret(s.tb.Password)}, obsctl.Options{})
	if err != nil {
		s.Fatalf("connect: %v", err)
	}
	s.Cleanup(func() { _ = client.Close() })
	s.client, s.obs, s.session = client, NewWriter(client, s.TempDir(), time.Second), fmt.Sprint(s.tb.PID())
}

// goTo brings OBS to a state, and insists that a second round has nothing left to do.
func (s *stage) goTo(state string) scenes.Report {
	s.Helper()
	s.desired.Present, s.desired.Visible = state != offAir, state == onAir
	report, err := s.reconcile()
	if err != nil {
		s.Fatalf("%s: %v", state, err)
	}
	again, err := s.reconcile()
	if err != nil || len(again.Done) > 0 {
		s.Fatalf("%s, second round: got edits %v and error %v, want none", state, again.Done, err)
	}
	return report
}

// reconcile runs one round, repeated while OBS loads a scene collection.
func (s *stage) reconcile() (report scenes.Report, err error) {
	s.Helper()
	testbed.Await(s, "OBS to settle", 10*time.Second, func() error {
		report, err = scenes.Reconcile(s.Context(), s.obs, s.session, s.desired)
		if errors.Is(err, scenes.ErrChanging) {
			return err
		}
		return nil
	})
	return report, err
}

// user makes a request of OBS, as the user's clicks would.
func (s *stage) user(request string, data testbed.D) map[string]any {
	s.Helper()
	var answer json.RawMessage
	if err := s.tb.TryRequest(request, data, &answer); err != nil && !errors.As(err, new(*json.SyntaxError)) {
		s.Fatalf("%s %v: %v", request, data, err)
	}
	fields := map[string]any{}
	if len(answer) > 0 {
		s.must(json.Unmarshal(answer, &fields))
	}
	return fields
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) addScene(name string) {
	s.Helper()
	s.user("CreateScene", testbed.D{"sceneName": name})
}

// place is the user adding an existing input, or any source, to a scene.
func (s *stage) place(scene, source string, enabled bool) int {
	s.Helper()
	answer := s.user("CreateSceneItem", testbed.D{"sceneName": scene, "sourceName": source, "sceneItemEnabled": enabled})
	return int(answer["sceneItemId"].(float64))
}

// makePeer is the user adding an input of their own that reads what the peer source reads.
func (s *stage) makePeer(scene, name string) int {
	s.Helper()
	src := source()
	answer := s.user("CreateInput", testbed.D{"sceneName": scene, "inputName": name, "inputKind": src.Kind, "inputSettings": src.Settings})
	return int(answer["sceneItemId"].(float64))
}

func (s *stage) setEnabled(scene string, id int, enabled bool) {
	s.Helper()
	s.user("SetSceneItemEnabled", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemEnabled": enabled})
}

// wantItems compares the items of a scene, lowest first, written as
// "source shown" or "source hidden"; groups hold theirs in brackets.
func (s *stage) wantItems(scene string, want ...string) {
	s.Helper()
	if diff := cmp.Diff(append([]string{}, want...), s.describe(scene, false)); diff != "" {
		s.Fatalf("items of %q differ (-want +got):\n%s", scene, diff)
	}
}

func (s *stage) describe(scene string, group bool) []string {
	s.Helper()
	out := []string{}
	for _, it := range s.items(scene, group) {
		state := "hidden"
		if it.Enabled {
			state = "shown"
		}
		text := it.Source + " " + state
		if it.Group {
			text += " [" + strings.Join(s.describe(it.Source, true), ", ") + "]"
		}
		out = append(out, text)
	}
	return out
}

func (s *stage) items(scene string, group bool) []scenes.Item {
	s.Helper()
	a, err := s.obs.Look(s.Context(), scenes.Questions{Items: []scenes.Place{{Name: scene, Group: group}}})
	s.must(err)
	return a.Items[0]
}

// item returns the topmost item of a source in a scene.
func (s *stage) item(scene, source string) scenes.Item {
	s.Helper()
	items := s.items(scene, false)
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].Source == source {
			return items[i]
		}
	}
	s.Fatalf("scene %q has no item of %q", scene, source)
	return scenes.Item{}
}

// inputs returns the names of the inputs of the peer source's kind.
func (s *stage) inputs() []string {
	s.Helper()
	all, err := s.obs.Overview(s.Context())
	s.must(err)
	out := []string{}
	for _, in := range all.Inputs {
		if in.Kind == source().Kind {
			out = append(out, in.Name)
		}
	}
	return out
}

// wantInputs awaits that the inputs are these: OBS frees one after its last item, when its window has
// let go of it; over 5 s have been seen on a busy machine.
func (s *stage) wantInputs(want ...string) {
	s.Helper()
	testbed.Await(s, "the right inputs", 20*time.Second, func() error {
		if diff := cmp.Diff(append([]string{}, want...), s.inputs()); diff != "" {
			return fmt.Errorf("inputs differ (-want +got):\n%s", diff)
		}
		return nil
	})
}

// awaitFree awaits that OBS has no input of that name, of any kind.
func (s *stage) awaitFree(name string) {
	s.Helper()
	testbed.Await(s, "the end of "+name, 20*time.Second, func() error {
		all, err := s.obs.Overview(s.Context())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all.Inputs, func(in scenes.Input) bool { return in.Name == name }) {
			return errors.New("OBS still has it")
		}
		return nil
	})
}

// editCollection quits OBS, edits its scene collection file and starts it again.
func (s *stage) editCollection(edit func(collection map[string]any)) {
	s.Helper()
	s.tb.Interrupt()
	file := filepath.Join(s.tb.Config, "obs-studio/basic/scenes/Untitled.json")
	text, err := os.ReadFile(file)
	s.must(err)
	var collection map[string]any
	s.must(json.Unmarshal(text, &collection))
	edit(collection)
	text, err = json.Marshal(collection)
	s.must(err)
	s.must(os.WriteFile(file, text, 0o600))
	s.tb.Start()
	s.connect()
}
