// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"bytes"
	"encoding/json"
	"maps"
	"sync"

	"github.com/andreykaipov/goobs/api/events/subscriptions"
)

// ItemEye is what can be known of a scene item without the other items of its scene.
type ItemEye struct {
	Sole    bool // it exists, and is the only one of its source in the scene
	Enabled bool // it is shown
}

// Eye asks whether an item is shown, and whether it is the only one of a source in a scene or group. Where OBS has said
// before that it is the only one, and sent no event since that this may be different, it is asked the first alone. That OBS
// does not know the item, or the scene, is no error.
func (b *Batch) Eye(scene, source string, id int) *Answer[ItemEye] {
	soles, item := b.client.conn.soles, soleItem{scene, source, id}
	out := &Answer[ItemEye]{}
	known, changes := soles.get(item)
	var ends []*Answer[int]
	if !known {
		// The lowest and the topmost item of a source are the same if it is the only one.
		ends = []*Answer[int]{b.LowestItem(scene, source), b.TopmostItem(scene, source)}
	}
	enabled := b.ItemEnabled(scene, id)
	b.then(func() {
		for _, end := range ends {
			if end.Err != nil && !IsCode(end.Err, CodeNotFound) {
				out.Err = end.Err
				return
			}
		}
		if enabled.Err != nil {
			if !IsCode(enabled.Err, CodeNotFound) {
				out.Err = enabled.Err
			}
			return
		}
		out.Value.Enabled = enabled.Value
		if known {
			out.Value.Sole, _ = soles.get(item) // an event may have come meanwhile
			return
		}
		out.Value.Sole = ends[0].Value == id && ends[1].Value == id
		if out.Value.Sole && b.client.hearsOfItems() && b.source(scene).UUID == "" { // there are no events about private scenes
			soles.learn(item, changes)
		}
	})
	return out
}

// hearsOfItems reports whether OBS sends events about scene items.
func (c *Client) hearsOfItems() bool { return c.options.events()&subscriptions.SceneItems != 0 }

// soleItem is an item that is the only one of its source in its scene.
type soleItem struct {
	scene, source string
	id            int
}

// soleItems are the scene items of which OBS has said that they are the only ones of their source in their scene, until an
// event says that this may be different. Who has the peer in 200 scenes waits for 200 answers instead of 600 then. It sees
// events as they come in, because goobs drops some of many.
type soleItems struct {
	mu      sync.Mutex
	known   map[soleItem]bool
	changes int // counted by events
}

// get reports whether an item is known, and the number of changes so far.
func (s *soleItems) get(item soleItem) (known bool, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[item], s.changes
}

// learn takes what OBS said, and the number of changes when it was asked.
func (s *soleItems) learn(item soleItem, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes {
		return
	}
	if s.known == nil {
		s.known = make(map[soleItem]bool)
	}
	s.known[item] = true
}

// sceneEvents are the ends of the events after which a scene may have other items, and anyEvents those after which any may.
// obs-websocket writes the fields of an object in alphabetical order and without blanks. OBS reports a group that it takes
// apart, and an item that is dragged into a group or out of it, as an item that was removed, or as another order.
var (
	sceneEvents = eventEnds("SceneItemCreated", "SceneItemRemoved", "SceneItemListReindexed", "SceneCreated", "SceneRemoved")
	anyEvents   = eventEnds("SceneNameChanged", "InputNameChanged", "CurrentSceneCollectionChanging", "CurrentSceneCollectionChanged")
)

func eventEnds(kinds ...string) (ends [][]byte) {
	for _, kind := range kinds {
		ends = append(ends, []byte(`"eventType":"`+kind+`"},"op":5}`))
	}
	return ends
}

// note takes in a message of OBS.
func (s *soleItems) note(message []byte) {
	one := endsInOne(message, sceneEvents)
	if !one && !endsInOne(message, anyEvents) {
		return
	}
	var event struct {
		D struct {
			Data struct {
				Scene string `json:"sceneName"`
			} `json:"eventData"`
		} `json:"d"`
	}
	named := one && json.Unmarshal(message, &event) == nil && event.D.Data.Scene != ""
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	maps.DeleteFunc(s.known, func(item soleItem, _ bool) bool { return !named || item.scene == event.D.Data.Scene })
}

func endsInOne(message []byte, ends [][]byte) bool {
	for _, end := range ends {
		if bytes.HasSuffix(message, end) {
			return true
		}
	}
	return false
}
