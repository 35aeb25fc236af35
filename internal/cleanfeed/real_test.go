// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/obsctl"
)

// peer is the input that plays the peer: a colour that nothing else has.
const peer = "Peer"

var peerColour = color.RGBA{0xff, 0x00, 0xff, 0xff}

// stage is a real OBS that a Feed follows.
type stage struct {
	*testing.T
	tb      *testbed.OBS
	private *obsctl.PrivateScenes
	aside   bool // our scenes are among them
	client  *obsctl.Client
	log     *slog.Logger
	feed    *Feed
	inStep  chan struct{} // what the Feed says last
	count   *counting
	stop    func()
	lost    bool // OBS has ended, so following it has, too
}

// counting counts the looks at OBS.
type counting struct {
	obsctl.PrivateView
	looks atomic.Int64
}

func (c *counting) SceneList(ctx context.Context, with *obsctl.Batch) (obsctl.SceneList, error) {
	c.looks.Add(1)
	return c.PrivateView.SceneList(ctx, with)
}

// testLog writes what is logged to the test's output.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}

// onEither runs a test with our scenes in the user's list and, where this OBS can have them, with private scenes.
func onEither(t *testing.T, test func(s *stage)) {
	t.Run("list", func(t *testing.T) { test(newStage(t)) })
	t.Run("private", func(t *testing.T) { test(newStage(t, script(t))) })
}

// script is the path of our script for OBS.
func script(t *testing.T) string {
	t.Helper()
	path, err := hotkeys.Install(collection.Dir{}, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newStage starts an OBS that runs scripts, of which the first is ours.
func newStage(t *testing.T, scripts ...string) *stage {
	t.Helper()
	testbed.Need(t)
	s := &stage{T: t, inStep: make(chan struct{}, 1), tb: testbed.StartOBS(t, testbed.OBSOptions{Scripts: scripts, Patches: []testbed.Patch{
		{Name: "red", Colour: color.RGBA{200, 30, 30, 255}, Area: image.Rect(0, 0, 320, 180)},
		{Name: "green", Colour: color.RGBA{30, 180, 30, 255}, Area: image.Rect(200, 100, 640, 360)},
		{Name: "blue", Colour: color.RGBA{20, 40, 220, 255}, Area: image.Rect(60, 120, 300, 300)},
	}})}
	if s.aside = len(scripts) > 0; s.aside {
		if can, err := s.tb.TakesUUIDs(); err != nil {
			t.Fatal(err)
		} else if !can {
			t.Skip("this OBS's requests take no UUIDs")
		}
	}
	s.log = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.feed = New(s.log)
	s.begin()
	return s
}

func (s *stage) endpoint() obsctl.Endpoint {
	return obsctl.Endpoint{Host: "127.0.0.1", Port: s.tb.Port}
}

// begin is for a new connection to OBS.
func (s *stage) begin() {
	s.private = obsctl.NewPrivateScenes(PrivateScenes())
	s.feed.Begin(func(context.Context) ([]string, error) { return []string{peer}, nil }, func() {
		select {
		case s.inStep <- struct{}{}:
		default:
		}
	})
}

// follow lets the Feed follow OBS until the test, or stop, ends it.
func (s *stage) follow() {
	s.Helper()
	client, err := obsctl.Dial(s.Context(), s.endpoint(), obsctl.Options{Transforms: true, Log: s.log})
	if err != nil {
		s.Fatalf("connect: %v", err)
	}
	s.client, s.count = client, &counting{PrivateView: s.private.On(client)}
	if err := s.feed.Sync(s.Context(), s.count); err != nil {
		s.Fatalf("first sync: %v", err)
	}
	if aside := s.private.Source(Scene).UUID != ""; aside != s.aside {
		s.Fatalf("our scene is private: got %t, want %t", aside, s.aside)
	}
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan error, 1)
	go func() { done <- s.feed.Follow(ctx, s.count, client.Events()) }()
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil && !s.lost {
			s.Errorf("follow: %v", err)
		}
		s.lost = false
	}
	s.Cleanup(func() { s.stop(); _ = client.Close() })
}

func (s *stage) user(request string, data testbed.D) map[string]any {
	s.Helper()
	var answer json.RawMessage
	if err := s.tb.TryRequest(request, data, &answer); err != nil && !errors.As(err, new(*json.SyntaxError)) {
		s.Fatalf("%s %v: %v", request, data, err)
	}
	fields := map[string]any{}
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &fields); err != nil {
			s.Fatal(err)
		}
	}
	return fields
}

func (s *stage) place(scene, source string, transform testbed.D) int {
	s.Helper()
	id := int(s.user("CreateSceneItem", testbed.D{"sceneName": scene, "sourceName": source})["sceneItemId"].(float64))
	s.transform(scene, id, transform)
	return id
}

func (s *stage) transform(scene string, id int, transform testbed.D) {
	s.Helper()
	s.user("SetSceneItemTransform", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemTransform": transform})
}

func (s *stage) enable(scene string, id int, enabled bool) {
	s.Helper()
	s.user("SetSceneItemEnabled", testbed.D{"sceneName": scene, "sceneItemId": id, "sceneItemEnabled": enabled})
}

// addPeer puts the peer into a scene.
func (s *stage) addPeer(scene string, transform testbed.D) int {
	s.Helper()
	var inputs struct{ Inputs []struct{ InputName string } }
	s.tb.Request("GetInputList", nil, &inputs)
	if slices.ContainsFunc(inputs.Inputs, func(in struct{ InputName string }) bool { return in.InputName == peer }) {
		return s.place(scene, peer, transform)
	}
	id := s.tb.AddPatch(scene, testbed.Patch{Name: peer, Colour: peerColour, Area: image.Rect(0, 0, 300, 200)})
	s.transform(scene, id, transform)
	return id
}

// wantClean awaits that the peer is shown what the programme scene would be without the peer.
func (s *stage) wantClean(program string) {
	s.Helper()
	s.wantSimilar(program, samePicture)
}

func (s *stage) wantSimilar(program string, compare func(got, want image.Image) error) {
	s.Helper()
	want := s.without(program)
	began := time.Now()
	testbed.Await(s, "the clean feed of "+program, 5*time.Second, func() error {
		got, err := s.sent()
		if err != nil {
			return err
		}
		return compare(got, want)
	})
	s.Logf("%s: in step after %v", program, time.Since(began).Round(time.Millisecond))
}

// sent is the picture of the scene for the peer.
func (s *stage) sent() (image.Image, error) {
	if uuid := s.private.Source(Scene).UUID; uuid != "" {
		return s.tb.TryScreenshotOf(uuid)
	}
	return s.tb.TryScreenshot(Scene)
}

// without is the picture of a scene while the peer has no colour.
func (s *stage) without(scene string) image.Image {
	s.Helper()
	s.tb.SetPatchColour(peer, color.RGBA{})
	testbed.Await(s, "a peer without colour", 5*time.Second, func() error {
		return testbed.CheckRegion(s.tb.Screenshot(peer), image.Rect(0, 0, 10, 10), color.RGBA{}, 0)
	})
	defer s.tb.SetPatchColour(peer, peerColour)
	return s.tb.Screenshot(scene)
}

// nearPicture is samePicture but for a shift by a part of a pixel: OBS draws the items of a group right onto the canvas,
// but those of a scene in a scene by way of a picture.
func nearPicture(got, want image.Image) error {
	const tolerance = 4
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			low, high := rgb(want, x, y), rgb(want, x, y)
			for j := y - 1; j <= y+1; j++ {
				for i := x - 1; i <= x+1; i++ {
					for k, v := range rgb(want, i, j) { // black outside
						low[k], high[k] = min(low[k], v), max(high[k], v)
					}
				}
			}
			for k, v := range rgb(got, x, y) {
				if int(v) < int(low[k])-tolerance || int(v) > int(high[k])+tolerance {
					return fmt.Errorf("pixel (%d,%d): got %v, want something between %v and %v", x, y, rgb(got, x, y), low, high)
				}
			}
		}
	}
	return nil
}

func rgb(img image.Image, x, y int) [3]uint8 {
	c := rgba(img, x, y)
	return [3]uint8{c.R, c.G, c.B}
}

func samePicture(got, want image.Image) error {
	if got.Bounds() != want.Bounds() {
		return fmt.Errorf("picture of %v, want %v", got.Bounds(), want.Bounds())
	}
	worst, at := 0, image.Point{}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			if d := testbed.ColourDistance(rgba(got, x, y), rgba(want, x, y)); d > worst {
				worst, at = d, image.Pt(x, y)
			}
		}
	}
	if worst > 2 {
		return fmt.Errorf("pixel %v: got %v, want %v", at, rgba(got, at.X, at.Y), rgba(want, at.X, at.Y))
	}
	return nil
}

func rgba(img image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}

func (s *stage) scenes() []string {
	s.Helper()
	var list struct{ Scenes []struct{ SceneName string } }
	s.tb.Request("GetSceneList", nil, &list)
	var names []string
	for _, sc := range list.Scenes {
		names = append(names, sc.SceneName)
	}
	return names
}

func TestRealFollowsEdits(t *testing.T) { onEither(t, testFollowsEdits) }

func testFollowsEdits(s *stage) {
	main := testbed.Scene
	id := s.addPeer(main, testbed.D{"positionX": 250, "positionY": 90, "rotation": 10})
	s.follow()
	s.wantClean(main)

	s.transform(main, 1, testbed.D{"positionX": 100, "positionY": 30, "rotation": 30, "scaleX": 1.5, "cropLeft": 40})
	s.wantClean(main)
	s.transform(main, 2, testbed.D{"boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsWidth": 200, "boundsHeight": 200, "alignment": 0})
	s.wantClean(main)
	s.enable(main, 3, false)
	s.wantClean(main)
	s.enable(main, 3, true)
	s.enable(main, id, false)
	s.wantClean(main)
	s.enable(main, id, true)
	s.user("SetSceneItemIndex", testbed.D{"sceneName": main, "sceneItemId": 1, "sceneItemIndex": 3})
	s.wantClean(main)
	s.user("SetSceneItemBlendMode", testbed.D{"sceneName": main, "sceneItemId": 1, "sceneItemBlendMode": "OBS_BLEND_ADDITIVE"})
	s.wantClean(main)
	s.tb.AddPatch(main, testbed.Patch{Name: "white", Colour: color.RGBA{255, 255, 255, 255}, Area: image.Rect(10, 10, 60, 60)})
	s.wantClean(main)
	s.user("RemoveSceneItem", testbed.D{"sceneName": main, "sceneItemId": 2})
	s.wantClean(main)
	s.user("CreateSourceFilter", testbed.D{"sourceName": main, "filterName": "grey", "filterKind": "color_filter_v2", "filterSettings": testbed.D{"saturation": -1.0}})
	s.wantClean(main)
	s.user("SetSourceFilterSettings", testbed.D{"sourceName": main, "filterName": "grey", "filterSettings": testbed.D{"saturation": 1.0}})
	s.wantClean(main)
	s.user("SetSourceFilterEnabled", testbed.D{"sourceName": main, "filterName": "grey", "filterEnabled": false})
	s.wantClean(main)

	before := s.count.looks.Load()
	for x := range 100 {
		s.transform(main, 1, testbed.D{"positionX": x})
	}
	s.wantClean(main)
	s.Logf("100 steps of the mouse: %d looks", s.count.looks.Load()-before)

	if s.aside {
		if got := s.scenes(); !slices.Equal(got, []string{main}) {
			s.Errorf("the user's list of scenes: got %q, want %q alone", got, main)
		}
	} else {
		s.user("SetCurrentProgramScene", testbed.D{"sceneName": Scene})
		s.wantClean(main)
	}
	s.stop()
	if err := s.feed.Remove(s.Context(), s.count, false); err != nil {
		s.Fatal(err)
	}
	testbed.Await(s, "the user's scenes alone", 5*time.Second, func() error {
		if program := s.user("GetSceneList", nil)["currentProgramSceneName"]; program != main {
			return fmt.Errorf("the programme is %v", program)
		}
		if got := s.scenes(); !slices.Equal(got, []string{main}) {
			return fmt.Errorf("scenes off air: %q", got)
		}
		return nil
	})
}

// An OBS that quits is left alone, and what it saved of ours is removed when it is back.
func TestRealQuit(t *testing.T) { onEither(t, testQuit) }

func testQuit(s *stage) {
	s.addPeer(testbed.Scene, testbed.D{"positionX": 100})
	s.follow()
	s.wantClean(testbed.Scene)
	s.lost = true
	s.tb.Interrupt()
	s.stop()
	s.tb.Start()
	s.begin()
	s.follow()
	s.wantClean(testbed.Scene)
	s.stop()
	if err := s.feed.Remove(s.Context(), s.count, false); err != nil {
		s.Fatal(err)
	}
	testbed.Await(s, "the user's scenes alone", 5*time.Second, func() error {
		if got := s.scenes(); !slices.Equal(got, []string{testbed.Scene}) {
			return fmt.Errorf("scenes: %q", got)
		}
		return nil
	})
}

func TestRealNesting(t *testing.T) { onEither(t, testNesting) }

func testNesting(s *stage) {
	main := testbed.Scene
	s.user("CreateScene", testbed.D{"sceneName": "Inner"})
	s.user("CreateScene", testbed.D{"sceneName": "Clean"})
	s.place("Clean", "blue", testbed.D{"positionX": 5})
	s.place("Inner", "green", testbed.D{"positionX": 30, "rotation": 20})
	s.place("Inner", "Clean", testbed.D{"scaleX": 0.5})
	inner := s.place(main, "Inner", testbed.D{"positionX": 200, "positionY": 40, "scaleX": 0.6, "scaleY": 0.6, "rotation": 15})
	id := s.addPeer("Inner", testbed.D{"positionX": 100, "positionY": 50})
	s.follow()
	s.wantClean(main)
	s.transform("Inner", 1, testbed.D{"positionX": 90})
	s.wantClean(main)
	s.transform(main, inner, testbed.D{"cropLeft": 100, "positionX": 50})
	s.wantClean(main)
	s.user("RemoveSceneItem", testbed.D{"sceneName": "Inner", "sceneItemId": id})
	s.addPeer(main, testbed.D{"positionX": 20})
	s.wantClean(main)
	s.user("SetSceneName", testbed.D{"sceneName": "Inner", "newSceneName": "Inside"})
	s.addPeer("Inside", testbed.D{"positionX": 10})
	s.wantClean(main)
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Clean"})
	s.wantClean("Clean")
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": main})
	s.wantClean(main)
}

func TestRealGroups(t *testing.T) { onEither(t, testGroups) }

func testGroups(s *stage) {
	main := testbed.Scene
	s.addPeer(main, testbed.D{"positionX": 250, "positionY": 90})
	s.group(main)
	s.addPeer(main, testbed.D{"positionX": 350, "positionY": 90})
	s.follow()
	s.wantClean(main)
	s.transform("Group", 1, testbed.D{"positionX": 60, "positionY": 20, "rotation": 10})
	s.wantSimilar(main, nearPicture)
	holder := s.items(main)[0].SceneItemID
	s.transform(main, holder, testbed.D{"positionX": 300, "positionY": 150, "scaleX": 0.6, "scaleY": 0.5, "rotation": 25})
	s.wantSimilar(main, nearPicture)
	s.transform(main, holder, testbed.D{"alignment": 0, "cropLeft": 50, "cropBottom": 30})
	s.wantSimilar(main, nearPicture)
	s.transform(main, holder, testbed.D{"boundsType": "OBS_BOUNDS_STRETCH", "boundsWidth": 300, "boundsHeight": 100})
	s.wantSimilar(main, nearPicture)
	s.enable("Group", 2, false)
	s.wantSimilar(main, nearPicture)
}

type item struct {
	SceneItemID int
	SourceName  string
}

func (s *stage) items(scene string) []item {
	s.Helper()
	var answer struct{ SceneItems []item }
	s.tb.Request("GetSceneItemList", testbed.D{"sceneName": scene}, &answer)
	return answer.SceneItems
}

// group moves all items of a scene into a group, which no request can do.
func (s *stage) group(name string) {
	s.Helper()
	s.tb.Interrupt()
	file := filepath.Join(s.tb.Config, "obs-studio/basic/scenes/Untitled.json")
	text, err := os.ReadFile(file)
	if err != nil {
		s.Fatal(err)
	}
	var collection map[string]any
	if err := json.Unmarshal(text, &collection); err != nil {
		s.Fatal(err)
	}
	for _, raw := range collection["sources"].([]any) {
		src := raw.(map[string]any)
		if src["name"] != name {
			continue
		}
		settings := src["settings"].(map[string]any)
		items := settings["items"].([]any)
		var holder map[string]any
		text, _ := json.Marshal(items[0])
		if err := json.Unmarshal(text, &holder); err != nil {
			s.Fatal(err)
		}
		settings["id_counter"] = settings["id_counter"].(float64) + 1
		holder["name"], holder["id"] = "Group", settings["id_counter"]
		delete(holder, "source_uuid") // counts before the name from OBS 30 on
		settings["items"] = []any{holder}
		collection["groups"] = []any{map[string]any{
			"id": "group", "versioned_id": "group", "name": "Group", "enabled": true,
			"settings": map[string]any{"custom_size": true, "cx": 640, "cy": 360, "id_counter": settings["id_counter"], "items": items},
		}}
	}
	text, err = json.Marshal(collection)
	if err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.Fatal(err)
	}
	s.tb.Start()
}

// TestRealBare: it is told in time that the peer may not be shown in a scene, and when that is over.
func TestRealBare(t *testing.T) { onEither(t, testBare) }

func testBare(s *stage) {
	main := testbed.Scene
	s.user("CreateScene", testbed.D{"sceneName": "Clean"})
	if !s.feed.Bare(main) || !s.feed.Bare("Clean") {
		s.Error("before anything is known: got a scene that is not bare, want all to be")
	}
	s.follow()
	if !s.feed.Bare(main) || s.feed.Bare("Clean") {
		s.Errorf("the programme without the peer, and another scene: got bare %v and %v, want true and false", s.feed.Bare(main), s.feed.Bare("Clean"))
	}
	s.addPeer(main, testbed.D{"positionX": 250, "positionY": 90})
	s.awaitBare(main, false)
	// Nothing of the programme is left by then.
	items, err := s.count.SceneItems(s.Context(), Scene)
	if err != nil {
		s.Fatal(err)
	}
	if len(items) != 1 || items[0].Source != mirrorPrefix+main {
		s.Errorf("the scene for the peer: got %+v, want the mirror of %q alone", items, main)
	}
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Clean"})
	s.awaitBare("Clean", true)
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": main})
	s.awaitBare("Clean", false)
}

// awaitBare looks at Bare each time that the Feed says that it may have changed.
func (s *stage) awaitBare(scene string, want bool) {
	s.Helper()
	limit := time.After(10 * time.Second)
	for s.feed.Bare(scene) != want {
		select {
		case <-s.inStep:
		case <-limit:
			s.Fatalf("%q bare: got %v for 10 s, want %v", scene, !want, want)
		}
	}
}

func TestRealStudioMode(t *testing.T) { onEither(t, testStudioMode) }

func testStudioMode(s *stage) {
	main := testbed.Scene
	s.user("CreateScene", testbed.D{"sceneName": "Clean"})
	s.place("Clean", "blue", testbed.D{"positionX": 5})
	s.addPeer(main, testbed.D{"positionX": 250, "positionY": 90})
	s.follow()
	s.wantClean(main)
	// Seen by events alone: no look at OBS comes before studio mode.
	s.transform(main, 1, testbed.D{"positionX": 40})
	s.enable(main, 3, false)
	s.wantClean(main)
	before := s.without(main)
	s.user("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true})

	s.transform(main, 1, testbed.D{"positionX": 200, "positionY": 30})
	s.enable(main, 2, false)
	s.place(main, "blue", testbed.D{"positionX": 300})
	s.hold(before)
	s.user("SetCurrentPreviewScene", testbed.D{"sceneName": main})
	testbed.Await(s, "the preview scene", 5*time.Second, func() error {
		if got := s.user("GetCurrentPreviewScene", nil)["currentPreviewSceneName"]; got != main {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
	s.user("TriggerStudioModeTransition", nil)
	s.wantClean(main)

	s.user("SetCurrentProgramScene", testbed.D{"sceneName": "Clean"})
	s.wantClean("Clean")
	before = s.without("Clean")
	s.transform("Clean", 1, testbed.D{"positionX": 205})
	s.hold(before)
	s.user("SetStudioModeEnabled", testbed.D{"studioModeEnabled": false})
	s.wantClean("Clean")
	s.transform("Clean", 1, testbed.D{"positionX": 105})
	s.wantClean("Clean")
	before = s.without("Clean")
	s.user("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true})
	s.hold(before)
}

// hold insists that the peer's picture stays what it is although the user edits the preview. That nothing happens can
// only be seen by waiting.
func (s *stage) hold(want image.Image) {
	s.Helper()
	for end := time.Now().Add(slowTick + time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got, err := s.sent()
		if err != nil {
			s.Fatal(err)
		}
		if err := samePicture(got, want); err != nil {
			s.Fatalf("the preview was shown to the peer: %v", err)
		}
	}
}

// TestRealPrivate: our private scenes come and go while we are on air, and go with the scene collection; the peer's picture
// stays right, and nothing of it is left in the user's list.
func TestRealPrivate(t *testing.T) {
	ours := script(t)
	keys, err := os.ReadFile("testdata/reload.lua")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ours, append(text, keys...), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, ours)
	main := testbed.Scene
	s.addPeer(main, testbed.D{"positionX": 250, "positionY": 90})
	s.follow()
	s.wantClean(main)

	s.Log("another collection, without our script")
	s.user("CreateSceneCollection", testbed.D{"sceneCollectionName": "Other"})
	s.tb.AddPatch(main, testbed.Patch{Name: "red", Colour: color.RGBA{200, 30, 30, 255}, Area: image.Rect(0, 0, 320, 180)})
	s.addPeer(main, testbed.D{"positionX": 100, "positionY": 9})
	s.wantClean(main)
	s.awaitOurs(2)
	// OBS 32.2.2 closes when the scene collection is changed while an input that was put into a second scene of the list
	// meanwhile is still there ("Not all sources were cleared": within three changes in 9 of 9 runs; not 29.0.2 and 30.2.3, and
	// not with private scenes).
	s.Log("back, off air")
	s.stop()
	if err := s.feed.Remove(s.Context(), s.count, false); err != nil {
		s.Fatal(err)
	}
	s.awaitOurs(0)
	s.user("SetCurrentSceneCollection", testbed.D{"sceneCollectionName": "Untitled"})
	s.begin()
	s.follow()
	s.wantClean(main)
	s.awaitOurs(0)

	s.Log("the size of OBS's picture")
	s.user("SetVideoSettings", testbed.D{"baseWidth": 800, "baseHeight": 450, "outputWidth": 800, "outputHeight": 450})
	s.wantClean(main)

	s.Log("the private scenes are made anew")
	for range 3 {
		s.user("TriggerHotkeyByName", testbed.D{"hotkeyName": "costream_test.reload"})
		s.wantClean(main)
	}
	s.awaitOurs(0)

	s.Log("the private scenes go")
	s.user("TriggerHotkeyByName", testbed.D{"hotkeyName": "costream_test.remove"})
	s.awaitOurs(2)
	s.wantClean(main)
	s.user("TriggerHotkeyByName", testbed.D{"hotkeyName": "costream_test.add"})

	s.Log("a crash of ours, with our scenes in the list and then private")
	for _, s.aside = range []bool{false, true} {
		s.crash()
		s.wantClean(main)
		if s.aside {
			s.awaitOurs(0)
		} else {
			s.awaitOurs(2)
		}
	}
	s.crash()
	s.stop()
	if err := s.feed.Remove(s.Context(), s.count, false); err != nil {
		s.Fatal(err)
	}
	s.awaitOurs(0)
	if left, err := s.count.Scenes(s.Context()); err != nil || !slices.Equal(left, []string{main}) {
		s.Errorf("scenes off air, private ones included: got %q, %v, want %q alone", left, err, main)
	}
}

// crash begins anew with all scenes of ours where they are.
func (s *stage) crash() {
	s.Helper()
	s.stop()
	listed := !s.aside
	s.feed = New(s.log)
	s.begin()
	s.private.SetListed(listed)
	s.follow()
}

// awaitOurs awaits that the user's list has so many scenes of ours, and the user's.
func (s *stage) awaitOurs(want int) {
	s.Helper()
	testbed.Await(s, "the user's list of scenes", 5*time.Second, func() error {
		got := s.scenes()
		users := slices.DeleteFunc(slices.Clone(got), MayBeOurs)
		if !slices.Equal(users, []string{testbed.Scene}) || len(got) != len(users)+want {
			return fmt.Errorf("got %q, want %q and %d of ours", got, testbed.Scene, want)
		}
		return nil
	})
}

// A scene of the user's that is called like the one for the peer is a scene like any other, also as the programme.
func TestRealUsersSceneOfThatName(t *testing.T) {
	s := newStage(t)
	s.user("CreateScene", testbed.D{"sceneName": Scene})
	s.place(Scene, "green", testbed.D{"rotation": 10})
	s.addPeer(Scene, testbed.D{"positionX": 20})
	s.user("SetCurrentProgramScene", testbed.D{"sceneName": Scene})
	before := s.scenes()
	s.follow()
	want := s.without(Scene)
	testbed.Await(t, "the clean feed", 5*time.Second, func() error {
		got, err := s.tb.TryScreenshot(Scene + " 2")
		if err != nil {
			return err
		}
		return samePicture(got, want)
	})
	s.stop()
	if err := s.feed.Remove(t.Context(), s.count, false); err != nil {
		t.Fatal(err)
	}
	testbed.Await(t, "the user's scenes alone", 5*time.Second, func() error {
		if got := s.scenes(); !slices.Equal(got, before) {
			return fmt.Errorf("scenes: got %v, want %v", got, before)
		}
		return nil
	})
}
