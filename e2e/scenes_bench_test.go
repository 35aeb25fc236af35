// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// manyScenes is how many scenes the user has in BenchmarkManyScenes.
const manyScenes = 200

// BenchmarkManyScenes measures what grows with the count of scenes: peer toggle, going on air with --scenes '*', and how
// long after a cut of the programme the scene for the peer shows the new scene. Each scene has five items; in every tenth
// one of them is a group, in every tenth another scene.
func BenchmarkManyScenes(b *testing.B) {
	testbed.Need(b)
	for range b.N {
		benchScenes(b)
	}
	b.ReportMetric(0, "ns/op")
}

func benchScenes(b *testing.B) {
	alice := e2e.NewPerson(b, e2e.Alice(), testbed.NewDisplay(b))
	bob := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(b)}
	second := e2e.Colours{alice.Colours[1], alice.Colours[2], alice.Colours[3], alice.Colours[0]}
	addScenes(alice, second)
	names := multiplyScenes(b, alice)
	report := func(what string, took []time.Duration) {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, what+"-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, what+"-max-ms")
	}
	toggle := func() (took []time.Duration) {
		for range 10 {
			begin := time.Now()
			alice.Costream(binary, "", "peer", "toggle")
			took = append(took, time.Since(begin))
		}
		return took
	}
	add := func(patterns ...string) {
		args := []string{"peer", "add", "--route=portable"}
		for _, p := range patterns {
			args = append(args, "--scene="+p)
		}
		alice.Costream(binary, "", args...)
	}

	add()
	report("toggle-in-1", toggle())
	add("*")
	report("toggle-in-all", toggle())
	alice.Costream(binary, "", "peer", "remove")

	alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": "Cut"}, nil)
	companion := alice.Run(binary, bob, "--clean-feed", "--scenes=*")
	companion.Await(e2e.Ready, readyLimit)
	begin := time.Now()
	alice.OBS.StartStream()
	companion.Await(e2e.OnAir, time.Minute)
	for !hasPeer(b, alice, names[len(names)-1]) {
		if time.Since(begin) > time.Minute {
			b.Fatal("the peer is not in the last scene a minute after the stream's begin")
		}
		time.Sleep(10 * time.Millisecond)
	}
	report("on-air", []time.Duration{time.Since(begin)})
	report("toggle-on-air", toggle())

	cut := func(from, to int) (took []time.Duration) {
		for i := from; i < to; i++ {
			colours := alice.Colours
			if i%2 == 1 {
				colours = second
			}
			alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": names[i]}, nil)
			took = append(took, benchGlance(b, alice.OBS, colours))
			time.Sleep(300 * time.Millisecond)
		}
		return took
	}
	report("cut-to-new", cut(40, 52))
	report("cut-to-known", cut(40, 52))

	begin = time.Now()
	alice.OBS.StopStream()
	companion.Await(e2e.Ready, time.Minute)
	for slices.ContainsFunc(names, func(name string) bool { return hasPeer(b, alice, name) }) {
		if time.Since(begin) > time.Minute {
			b.Fatal("the peer is still in a scene a minute after the stream's end")
		}
	}
	report("off-air", []time.Duration{time.Since(begin)})
	companion.Stop()
}

func hasPeer(b *testing.B, p *e2e.Person, scene string) bool {
	items, err := p.Items(scene)
	if err != nil {
		b.Fatal(err)
	}
	return slices.ContainsFunc(items, func(it e2e.Item) bool { return it.SourceName == e2e.PeerInput })
}

// benchGlance waits until the scene for the peer has the colours of a scene. What it takes to look is part of the time:
// 10 to 20 ms.
func benchGlance(b *testing.B, obs *testbed.OBS, colours e2e.Colours) time.Duration {
	begin := time.Now()
	for time.Since(begin) < time.Minute {
		img, err := glance(obs, on("", cleanfeed.Scene))
		if err == nil && testbed.CheckRegion(img, image.Rect(2, 2, img.Bounds().Dx()/2-2, img.Bounds().Dy()/2-2), colours[0], 40) == nil {
			return time.Since(begin)
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.Fatal("the scene for the peer did not follow within a minute")
	return 0
}

// multiplyScenes fills up a person's scene collection with copies of its first two scenes, by turns, and returns their
// names as they stand in OBS's list.
func multiplyScenes(b *testing.B, p *e2e.Person) (names []string) {
	b.Helper()
	p.OBS.Interrupt()
	file := filepath.Join(p.OBS.Config, "obs-studio/basic/scenes/Untitled.json")
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		b.Fatal(err)
	}
	find := func(name string) map[string]any {
		for _, raw := range doc["sources"].([]any) {
			if source := raw.(map[string]any); source["name"] == name {
				return source
			}
		}
		b.Fatalf("the collection has no %q", name)
		return nil
	}
	models := []map[string]any{find(testbed.Scene), find(secondScene)}
	order := []any{}
	groups := []any{}
	for i := range manyScenes {
		scene := clone(b, models[i%2])
		name := fmt.Sprintf("Scene %03d", i)
		delete(scene, "uuid")
		scene["name"] = name
		settings := scene["settings"].(map[string]any)
		items := settings["items"].([]any)
		// A fifth item, which lies below the others and is not seen.
		fifth := clone(b, items[3].(map[string]any))
		fifth["id"] = 90
		switch {
		case i%10 == 3:
			group := fmt.Sprintf("Group %03d", i)
			groups = append(groups, map[string]any{"id": "group", "versioned_id": "group", "name": group, "enabled": true,
				"settings": map[string]any{"custom_size": true, "cx": p.Width, "cy": p.Height, "id_counter": 90,
					"items": []any{clone(b, items[3].(map[string]any))}}})
			fifth["name"] = group
			delete(fifth, "source_uuid")
		case i%10 == 7:
			fifth["name"] = fmt.Sprintf("Scene %03d", i-1)
			delete(fifth, "source_uuid")
		}
		settings["items"], settings["id_counter"] = append([]any{fifth}, items...), 90
		doc["sources"] = append(doc["sources"].([]any), scene)
		order = append(order, map[string]any{"name": name})
		names = append(names, name)
	}
	doc["scene_order"] = append(doc["scene_order"].([]any), order...)
	doc["groups"] = groups
	if text, err = json.Marshal(doc); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	p.OBS.Start()
	return names
}

func clone(b *testing.B, from map[string]any) (to map[string]any) {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, &to)
	}
	if err != nil {
		b.Fatal(err)
	}
	return to
}
