// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// Alice's other scenes. Nesting shows Second, and with it the peer.
const (
	secondScene  = "Second"
	nestingScene = "Nesting"
)

// TestRealCleanFeed: each has the other in the programme, and neither gets themselves back, whatever Alice does to her
// scenes; off air they are as they were.
func TestRealCleanFeed(t *testing.T) { cleanFeed(t, false) }

// TestRealCleanFeedAside: the same with our script in Alice's OBS. From 30.1 on her list has no scene of ours then.
func TestRealCleanFeedAside(t *testing.T) { cleanFeed(t, true) }

func cleanFeed(t *testing.T, script bool) {
	testbed.Need(t)
	p := newFriends(t, e2e.Alice(), e2e.Bob())
	p.alice.PairWith(binary, p.bob)
	second := e2e.Colours{p.alice.Colours[1], p.alice.Colours[2], p.alice.Colours[3], p.alice.Colours[0]}
	addScenes(p.alice, second)
	// So that Bob's voice gets an input of its own, which stands in Alice's scenes, and so in their mirrors as well.
	p.alice.OBS.Request("SetInputMute", testbed.D{"inputName": "Desktop Audio", "inputMuted": true}, nil)
	p.alice.OBS.Interrupt()
	if script {
		t.Log(p.alice.Costream(binary, "", "setup", "clean-feed"))
		// So that OBS has written the script's settings in its own way.
		p.alice.OBS.Start()
		p.alice.OBS.Interrupt()
	}
	filesBefore := obsFiles(t, p.alice.OBS)
	p.alice.OBS.Start()
	can, err := p.alice.OBS.TakesUUIDs()
	if err != nil {
		t.Fatal(err)
	}
	aside := can && script
	wantPrivate(t, p.alice, aside)
	before, err := observe(p.alice)
	if err != nil {
		t.Fatal(err)
	}
	p.aliceC = p.alice.Run(binary, p.bob, "--scenes="+testbed.Scene+","+secondScene)
	p.bobC = p.bob.Run(binary, p.alice)
	p.aliceC.Await(e2e.Ready, readyLimit)
	p.bobC.Await(e2e.Ready, readyLimit)
	toAlice, toBob := watchPeer(t, p.alice), watchPeer(t, p.bob)
	p.goOnAir(t)

	pip, err := p.alice.PeerArea()
	if err != nil {
		t.Fatal(err)
	}
	sees := func(what, scene string, colours e2e.Colours) {
		t.Helper()
		testbed.Await(t, "Bob sees Alice's programme without himself: "+what, pictureLimit, func() error {
			return p.bob.SeesClean(&e2e.Person{PersonOptions: e2e.PersonOptions{Colours: colours}})
		})
		// His picture may be away for a moment on a machine that has no time for his OBS.
		testbed.Await(t, "Alice's programme shows Bob: "+what, pictureLimit, func() error {
			return checkWithin(p.alice, scene, pip, p.bob.Colours)
		})
	}
	sees("at first", testbed.Scene, p.alice.Colours)
	toPeer := testbed.D{"sourceName": cleanfeed.Scene}
	if aside {
		toPeer = testbed.D{"sourceUuid": privateScene(t, p.alice)}
	}
	testbed.Await(t, "Alice sees Bob's programme without herself", pictureLimit, func() error { return p.alice.SeesClean(p.bob) })
	testbed.Await(t, "Bob's programme shows Alice", pictureLimit, func() error { return p.bob.SeesPeer(p.alice) })

	for _, transition := range []string{"Cut", "Fade"} {
		p.alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": transition}, nil)
		for _, scene := range []string{secondScene, nestingScene, testbed.Scene} {
			p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": scene}, nil)
			colours := second
			if scene == testbed.Scene {
				colours = p.alice.Colours
			}
			sees(transition+" to "+scene, scene, colours)
		}
	}

	t.Log("hidden and shown by hand")
	item := itemOf(t, p.alice, testbed.Scene, e2e.PeerInput)
	enable := func(enabled bool) {
		p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": item, "sceneItemEnabled": enabled}, nil)
	}
	enable(false)
	testbed.Await(t, "Bob sees Alice", pictureLimit, func() error { return p.bob.SeesClean(p.alice) })
	enable(true)
	sees("shown again", testbed.Scene, p.alice.Colours)

	t.Log("edited")
	p.alice.SetColour(3, p.alice.Colours[2])
	sees("another colour", testbed.Scene, p.alice.Colours)
	quarter := itemOf(t, p.alice, testbed.Scene, "quarter 1")
	p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": quarter, "sceneItemEnabled": false}, nil)
	sees("without a quarter", testbed.Scene, e2e.Colours{{A: 255}, p.alice.Colours[1], p.alice.Colours[2], p.alice.Colours[3]})
	p.alice.OBS.Request("SetSceneItemEnabled", testbed.D{"sceneName": testbed.Scene, "sceneItemId": quarter, "sceneItemEnabled": true}, nil)
	sees("with it again", testbed.Scene, p.alice.Colours)

	t.Log("studio mode")
	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": true}, nil)
	p.alice.OBS.Request("SetCurrentPreviewScene", testbed.D{"sceneName": secondScene}, nil)
	sees("studio mode", testbed.Scene, p.alice.Colours)
	testbed.Await(t, "the preview", pictureLimit, func() error {
		var preview struct{ CurrentPreviewSceneName string }
		p.alice.OBS.Request("GetCurrentPreviewScene", nil, &preview)
		if preview.CurrentPreviewSceneName != secondScene {
			p.alice.OBS.Request("SetCurrentPreviewScene", testbed.D{"sceneName": secondScene}, nil)
			return errors.New("it is " + preview.CurrentPreviewSceneName)
		}
		return nil
	})
	p.alice.OBS.Request("TriggerStudioModeTransition", nil, nil)
	sees("transition in studio mode", secondScene, second)
	p.alice.OBS.Request("SetStudioModeEnabled", testbed.D{"studioModeEnabled": false}, nil)
	sees("studio mode left", secondScene, second)

	if now, err := observe(p.alice); err != nil {
		t.Error(err)
	} else if _, listed := now.Items[cleanfeed.Scene]; listed == aside || aside && len(now.Items) != len(before.Items) {
		t.Errorf("scenes in Alice's list: got %q, want ours there: %t", slices.Sorted(maps.Keys(now.Items)), !aside)
	}
	if said := p.alice.Costream(binary, "", "doctor", "--only=obs.loop"); !strings.Contains(said, "the peer gets the programme without their own picture") {
		t.Errorf("doctor said:\n%s", said)
	}
	if !aside {
		t.Log("our own scene as the programme")
		p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": cleanfeed.Scene}, nil)
		p.aliceC.AwaitProblem(e2e.OnAirWithPeer, "choose one of your own scenes", pictureLimit)
		testbed.Await(t, "Bob sees Alice", pictureLimit, func() error {
			return p.bob.SeesClean(&e2e.Person{PersonOptions: e2e.PersonOptions{Colours: second}})
		})
		p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": secondScene}, nil)
		sees("a scene of hers again", secondScene, second)
	}

	byBob, byAlice := toBob.end(), toAlice.end()
	t.Logf("pictures looked at for a second self: %d by Bob, %d by Alice", byBob, byAlice)
	if byBob == 0 || byAlice == 0 {
		t.Error("nobody looked")
	}
	p.alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": "Cut"}, nil)
	measureLag(t, p, toPeer, []string{testbed.Scene, secondScene}, []e2e.Colours{p.alice.Colours, second})
	p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": testbed.Scene}, nil)
	p.alice.SetColour(3, e2e.Alice().Colours[3])
	sees("at last", testbed.Scene, p.alice.Colours)
	p.awaitVoices(t)
	testbed.Await(t, "Alice's viewers hear both once", voiceLimit, func() error { return p.alice.ChannelCarries(p.bob, listen) })

	p.alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": "Fade"}, nil)
	p.alice.OBS.StopStream()
	awaitAsBefore(t, p.alice, before)
	p.aliceC.Await(e2e.Ready, readyLimit)
	wantPrivate(t, p.alice, aside)
	p.alice.OBS.Interrupt()
	if diff := cmp.Diff(filesBefore, obsFiles(t, p.alice.OBS)); diff != "" {
		t.Errorf("profiles and scene collections (-before +off air):\n%s", diff)
	}
}

// privateItems lists the UUIDs of what is in a private scene of ours.
func privateItems(p *e2e.Person, uuid string) (sources []string, err error) {
	var list struct{ SceneItems []struct{ SourceUUID string } }
	err = p.OBS.TryRequest("GetSceneItemList", testbed.D{"sceneUuid": uuid}, &list)
	for _, it := range list.SceneItems {
		sources = append(sources, it.SourceUUID)
	}
	return sources, err
}

// wantPrivate: all private scenes of ours are in OBS and empty, or none is there.
func wantPrivate(t *testing.T, p *e2e.Person, want bool) {
	t.Helper()
	for _, uuid := range cleanfeed.PrivateScenes() {
		if sources, err := privateItems(p, uuid); (err == nil) != want || len(sources) > 0 {
			t.Fatalf("private scene %s: %q, %v, want it there and empty: %t", uuid, sources, err, want)
		}
	}
}

// privateScene is the private scene for the peer while it shows a mirror, and there is no other mirror.
func privateScene(t *testing.T, p *e2e.Person) string {
	t.Helper()
	all := cleanfeed.PrivateScenes()
	for _, uuid := range all {
		sources, err := privateItems(p, uuid)
		if err != nil {
			t.Fatal(err)
		}
		if len(sources) == 1 && slices.Contains(all, sources[0]) {
			return uuid
		}
	}
	t.Fatal("no private scene shows another one")
	return ""
}

// addScenes gives a person two more scenes.
func addScenes(p *e2e.Person, second e2e.Colours) {
	for _, name := range []string{secondScene, nestingScene} {
		p.OBS.Request("CreateScene", testbed.D{"sceneName": name}, nil)
	}
	for i, area := range e2e.Quarters(image.Pt(p.Width, p.Height)) {
		p.OBS.AddPatch(secondScene, testbed.Patch{Name: fmt.Sprintf("second %d", i+1), Colour: second[i], Area: area})
	}
	p.OBS.Request("CreateSceneItem", testbed.D{"sceneName": nestingScene, "sourceName": secondScene}, nil)
}

func itemOf(t *testing.T, p *e2e.Person, scene, source string) int {
	t.Helper()
	items, err := p.Items(scene)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(it e2e.Item) bool { return it.SourceName == source })
	if i < 0 {
		t.Fatalf("scene %q has no %q", scene, source)
	}
	return items[i].SceneItemID
}

// checkWithin compares all four quarters of an area of a scene.
func checkWithin(p *e2e.Person, scene string, area image.Rectangle, want e2e.Colours) error {
	img, err := p.OBS.TryScreenshot(scene)
	if err != nil {
		return err
	}
	return e2e.CheckColours(img, area, want)
}

// watcher looks all the time at what comes from a friend, for colours that must not be there.
type watcher struct {
	stop  chan struct{}
	done  chan struct{}
	count int
}

// watchPeer begins to look at what a viewer gets, for the viewer's own colours.
func watchPeer(t *testing.T, viewer *e2e.Person) *watcher {
	return watchFor(t, viewer, slices.Clone(viewer.Colours[:3])) // the last is a grey, as others are
}

// watchFor begins to look at what a viewer gets, for colours that must not be in it.
func watchFor(t *testing.T, viewer *e2e.Person, colours []color.RGBA) *watcher {
	w := &watcher{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for {
			select {
			case <-w.stop:
				return
			case <-time.After(30 * time.Millisecond):
			}
			img, err := glance(viewer.OBS, testbed.D{"sourceName": e2e.PeerInput})
			if err != nil {
				continue // not there yet, or any more
			}
			w.count++
			if share := shareOf(img, colours); share > 0.003 {
				t.Errorf("picture %d: %.1f %% of what %s gets has colours that %[3]s must not see", w.count, 100*share, viewer.Name)
			}
		}
	}()
	return w
}

// shareOf is the part of a picture that has one of the colours.
func shareOf(img image.Image, colours []color.RGBA) float64 {
	hits, size := 0, img.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			pixel := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			if slices.ContainsFunc(colours, func(c color.RGBA) bool { return testbed.ColourDistance(pixel, c) < 24 }) {
				hits++
			}
		}
	}
	return float64(hits) / float64(size.X*size.Y)
}

// end stops watching and returns how many pictures were looked at.
func (w *watcher) end() int {
	close(w.stop)
	<-w.done
	return w.count
}

// measureLag reports how long after the programme's cut the scene for the peer, and the peer, show the new scene.
func measureLag(t *testing.T, p *pair, toPeer testbed.D, scenes []string, colours []e2e.Colours) {
	t.Helper()
	measure := func(obs *testbed.OBS, source testbed.D) string {
		var lags []time.Duration
		for i := range 10 {
			p.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": scenes[i%2]}, nil)
			lags = append(lags, awaitGlance(t, obs, source, colours[i%2][0], time.Now()))
		}
		slices.Sort(lags)
		return fmt.Sprintf("%v (%v to %v)", lags[len(lags)/2], lags[0], lags[len(lags)-1])
	}
	t.Logf("lag behind a cut of the programme, median of 10: the scene for the peer %s, the peer's screen %s",
		measure(p.alice.OBS, toPeer), measure(p.bob.OBS, testbed.D{"sourceName": e2e.PeerInput}))
}

// awaitGlance waits until the upper left quarter of a source has a colour, and returns the time since began.
func awaitGlance(t *testing.T, obs *testbed.OBS, source testbed.D, want color.RGBA, began time.Time) time.Duration {
	for time.Since(began) < pictureLimit {
		img, err := glance(obs, source)
		if err == nil && testbed.CheckRegion(img, image.Rect(2, 2, img.Bounds().Dx()/2-2, img.Bounds().Dy()/2-2), want, 40) == nil {
			return time.Since(began).Round(time.Millisecond)
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Errorf("%v did not switch within %v", source, pictureLimit)
	return pictureLimit
}

// glance is a small picture of a source.
func glance(obs *testbed.OBS, source testbed.D) (image.Image, error) {
	var shot struct{ ImageData string }
	small := testbed.D{"imageFormat": "png", "imageWidth": 96, "imageHeight": 54}
	maps.Copy(small, source)
	if err := obs.TryRequest("GetSourceScreenshot", small, &shot); err != nil {
		return nil, err
	}
	_, encoded, _ := strings.Cut(shot.ImageData, ",")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(raw))
}
