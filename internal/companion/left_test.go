// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/obsscenes"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/scenes"
)

// slots is the store of an OBS.
type slots map[string][]byte

func (s slots) PersistentData(_ context.Context, slot string, into any) (found bool, err error) {
	text, found := s[slot]
	if !found {
		return false, nil
	}
	return true, json.Unmarshal(text, into)
}

func (s slots) SetPersistentData(_ context.Context, slot string, v any) (err error) {
	s[slot], err = json.Marshal(v)
	return err
}

// TestLeft: what a run noted and did not undo is told, but for what belongs to scene collections that are not loaded.
func TestLeft(t *testing.T) {
	for _, test := range []struct {
		name string
		note func(*changes)
		want []string
	}{
		{"nothing", func(*changes) {}, nil},
		{"on air", func(c *changes) {
			c.Output = "virtualcam_output"
			c.noteMonitor("Show", "Mic/Aux", obsctl.MonitorOff)
			c.noteMonitor("Show", "Guest", obsctl.MonitorOff)
			c.noteVoice("Show", "Peer (sound)")
		}, []string{`the output "virtualcam_output"`, `the monitoring of "Guest"`, `the monitoring of "Mic/Aux"`, `the input "Peer (sound)"`}},
		{"our scene collection", func(c *changes) { c.Collection = "Show" }, []string{`the scene collection instead of "Show"`}},
		{"the stream's sound", func(c *changes) { c.Deduplicates = true }, []string{"what OBS leaves out of the stream"}},
		{"another scene collection", func(c *changes) {
			c.noteMonitor("Other", "Mic/Aux", obsctl.MonitorOff)
			c.noteVoice("Other", "Peer (sound)")
			c.noteCaptures("Other", map[string]map[string]any{"Desktop": {}})
		}, nil},
		{"undone", func(c *changes) {
			c.noteMonitor("Show", "Mic/Aux", obsctl.MonitorOff)
			c.forgetMonitor("Show", "Mic/Aux")
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			obs := slots{}
			l := ledger{obs: obs, recall: &recall{}}
			test.note(&l.changes)
			if err := l.save(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := Left(t.Context(), obs, "Show", 0)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v; -want +got:\n%s", err, diff)
			}
		})
	}
	if got, err := Left(t.Context(), slots{}, "Show", 0); got != nil || err != nil {
		t.Errorf("an OBS that costream-obs never saw: got %q, %v", got, err)
	}
	if _, err := Left(t.Context(), slots{changesSlot: []byte("?")}, "Show", 0); err == nil {
		t.Error("a slot that cannot be read: got no error")
	}
}

// TestLeftInScenes: what a killed run leaves in the scenes of the loaded collection is told.
func TestLeftInScenes(t *testing.T) {
	ours := map[int]*scenes.ItemMemory{3: {Ours: true}}
	parked := map[int]*scenes.ItemMemory{3: {Parked: true}}
	for _, test := range []struct {
		name   string
		memory *scenes.CollectionMemory
		made   map[string]string
		want   []string
	}{
		{"nothing", nil, nil, nil},
		{"the peer was added", &scenes.CollectionMemory{Scenes: map[string]*scenes.SceneMemory{"Game": {Items: ours}}}, nil, []string{"the peer in your scenes"}},
		{"the peer was hidden in the end", &scenes.CollectionMemory{Scenes: map[string]*scenes.SceneMemory{"Game": {Items: parked}}}, nil, nil},
		{"the clean feed", nil, map[string]string{"To peer": "", "Game, without the peer": "Game"}, []string{`the scene "Game, without the peer"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			obs := slots{}
			for _, collection := range []string{"Show", "Elsewhere"} {
				memory := scenes.Memory{Collections: map[string]*scenes.CollectionMemory{collection: test.memory}}
				made := cleanfeed.Made{collection: test.made}
				for slot, v := range map[string]any{obsscenes.Slot: memory, "costream-obs.cleanfeed": made} {
					if err := obs.SetPersistentData(t.Context(), slot, v); err != nil {
						t.Fatal(err)
					}
				}
				want := test.want
				if collection != "Show" {
					want = nil
				}
				got, err := Left(t.Context(), obs, "Show", 0)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("in %q: %v; -want +got:\n%s", collection, err, diff)
				}
			}
		})
	}
}
