// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/leftovers"
)

// feedMade are the scenes for the peer that OBS remembers, all of which are to stay.
type feedMade struct {
	made    cleanfeed.Made
	cleaned map[string]map[string]string
}

func (f *feedMade) Made() cleanfeed.Made { return f.made }
func (f *feedMade) Left() cleanfeed.Made { return nil }
func (f *feedMade) Cleaned(name string, left map[string]string) {
	f.cleaned[name] = left
}

// TestTracesKeepTheScene: the scene that OBS's virtual camera shows stays ours when something else of ours is taken out
// of its collection, so that it is removed once the camera shows it no more.
func TestTracesKeepTheScene(t *testing.T) {
	const name = "Show"
	for _, test := range []struct {
		what  string
		note  func(*changes)
		noted bool
	}{
		{"a voice is left", func(c *changes) { c.noteVoice(name, "Peer (sound)") }, true},
		{"nothing is left", func(*changes) {}, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := collection.Dir{Path: filepath.Join(t.TempDir(), "obs-studio")}
			file := filepath.Join(dir.Path, "basic", "scenes", "Show.json")
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			const text = `{"name": "Show", "scene_order": [{"name": "Scene"}, {"name": "To peer"}], "current_scene": "Scene",
				"sources": [{"id": "scene", "name": "Scene", "settings": {"items": []}}, {"id": "scene", "name": "To peer", "settings": {"items": []}}],
				"virtual-camera": {"type2": 1, "type": 1, "scene": "To peer"}}`
			for path, text := range map[string]string{file: text, filepath.Join(dir.Path, "global.ini"): "[Basic]\nSceneCollection=Show\n"} {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			obs := slots{}
			feed := &feedMade{made: cleanfeed.Made{name: {cleanfeed.Scene: ""}}, cleaned: make(map[string]map[string]string)}
			l := &ledger{obs: obs, recall: &recall{}}
			test.note(&l.changes)
			tr := traces{store: leftovers.NewStore(t.TempDir()), feed: feed, seen: &observed{}, ledger: l, log: slog.New(slog.DiscardHandler),
				files: &dir, told: true}
			tr.note()
			if cleaned, err := tr.store.Carry(t.Context()); (len(cleaned) == 1) != test.noted || err != nil {
				t.Fatalf("cleaned while OBS is closed: got %q, %v; want one: %v", cleaned, err, test.noted)
			}
			err := tr.store.Tell(dir, func(name string, e leftovers.Entry) error {
				feed.Cleaned(name, e.Feed)
				return nil
			})
			want := map[string]map[string]string{}
			if test.noted {
				want[name] = map[string]string{cleanfeed.Scene: ""}
			}
			if diff := cmp.Diff(want, feed.cleaned); diff != "" || err != nil {
				t.Errorf("the scenes for the peer that stay ours: %v; -want +got:\n%s", err, diff)
			}
		})
	}
}
