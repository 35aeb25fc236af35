// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// manyScenes is how many scenes the user has in BenchmarkManyScenes.
const manyScenes = 200

var versus = flag.String("versus", "", "`path` of another costream-obs that BenchmarkManyScenes measures by turns with this one")

// BenchmarkManyScenes measures what grows with the count of scenes: peer toggle, going on air with --scenes '*', and how
// long after a cut of the programme the scene for the peer shows the new scene. Each scene has five items; in every tenth
// one of them is a group, in every tenth another scene. Each figure is the median, with the least and the most.
func BenchmarkManyScenes(b *testing.B) {
	testbed.Need(b)
	m := &manyBench{B: b, took: map[string][]time.Duration{}}
	for range b.N {
		m.run()
	}
	b.ReportMetric(0, "ns/op")
	for _, what := range slices.Sorted(maps.Keys(m.took)) {
		took := m.took[what]
		slices.Sort(took)
		b.Logf("%-22s %6d ms (%d to %d, %d times)", what, took[len(took)/2].Milliseconds(), took[0].Milliseconds(), took[len(took)-1].Milliseconds(), len(took))
		b.ReportMetric(float64(took[len(took)/2].Milliseconds()), strings.ReplaceAll(what, " ", "-")+"-ms")
	}
}

// manyBench is an OBS with many scenes, and what was measured with it.
type manyBench struct {
	*testing.B
	alice  *e2e.Person
	names  []string
	second e2e.Colours // of every second scene
	took   map[string][]time.Duration
}

func (m *manyBench) run() {
	m.alice = e2e.NewPerson(m, e2e.Alice(), testbed.NewDisplay(m))
	c := m.alice.Colours
	m.second = e2e.Colours{c[1], c[2], c[3], c[0]}
	addScenes(m.alice, m.second)
	m.names = multiplyScenes(m.B, m.alice)
	m.alice.OBS.Request("SetCurrentSceneTransition", testbed.D{"transitionName": "Cut"}, nil)
	programs := map[string]string{"": binary}
	if *versus != "" {
		programs["versus "] = *versus
	}
	m.alice.Costream(binary, "", "peer", "add", "--route=portable")
	m.toggle("toggle in one", programs, 0)
	m.alice.Costream(binary, "", "peer", "add", "--route=portable", "--scene=*")
	m.toggle("toggle in all", programs, 0)
	m.alice.Costream(binary, "", "peer", "remove")
	for name, program := range programs {
		m.onAir(name, program)
	}
}

// toggle measures peer toggle, with a pause before each.
func (m *manyBench) toggle(what string, programs map[string]string, pause time.Duration) {
	for range 10 {
		for name, program := range programs {
			time.Sleep(pause)
			begin := time.Now()
			m.alice.Costream(program, "", "peer", "toggle")
			m.note(name+what, begin)
		}
	}
}

func (m *manyBench) note(what string, begin time.Time) {
	m.took[what] = append(m.took[what], time.Since(begin))
}

// onAir measures streams; in the last one the user does something.
func (m *manyBench) onAir(name, program string) {
	bob := &e2e.Person{PersonOptions: e2e.Bob(), Address: testbed.LoopbackAddress(m)}
	companion := m.alice.Run(program, bob, "--clean-feed", "--scenes=*")
	companion.Await(e2e.Ready, readyLimit)
	const streams = 4
	for stream := range streams {
		m.alice.OBS.StartStream()
		begin := time.Now()
		companion.Await(e2e.OnAir, time.Minute)
		m.await("the peer in the last scene", func() bool { return m.hasPeer(m.names[len(m.names)-1]) })
		m.note(name+"on air", begin)
		if stream == streams-1 {
			// The companion looks at what was done: who toggles in haste waits for it.
			m.toggle("toggle on air", map[string]string{name: program}, 1500*time.Millisecond)
			m.toggle("toggle on air in haste", map[string]string{name: program}, 0)
			m.cut(name + "cut to new scene")
			m.cut(name + "cut to known scene")
		}
		m.alice.OBS.StopStream()
		begin = time.Now()
		companion.Await(e2e.Ready, time.Minute)
		m.await("no scene with the peer", func() bool { return !slices.ContainsFunc(m.names, m.hasPeer) })
		m.note(name+"off air", begin)
	}
	companion.Stop()
}

// cut measures how the scene for the peer follows.
func (m *manyBench) cut(what string) {
	for i := 40; i < 52; i++ {
		colours := m.alice.Colours
		if i%2 == 1 {
			colours = m.second
		}
		begin := time.Now()
		m.alice.OBS.Request("SetCurrentProgramScene", testbed.D{"sceneName": m.names[i]}, nil)
		m.await("the scene for the peer to follow", func() bool {
			// Part of what is measured: 10 to 20 ms.
			img, err := glance(m.alice.OBS, testbed.D{"sourceName": cleanfeed.Scene})
			return err == nil && testbed.CheckRegion(img, image.Rect(2, 2, img.Bounds().Dx()/2-2, img.Bounds().Dy()/2-2), colours[0], 40) == nil
		})
		m.note(what, begin)
		time.Sleep(300 * time.Millisecond) // as a person does
	}
}

func (m *manyBench) await(what string, done func() bool) {
	for begin := time.Now(); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			m.Fatalf("%s: not within a minute", what)
		}
	}
}

func (m *manyBench) hasPeer(scene string) bool {
	items, err := m.alice.Items(scene)
	if err != nil {
		m.Fatal(err)
	}
	return slices.ContainsFunc(items, func(it e2e.Item) bool { return it.SourceName == e2e.PeerInput })
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
