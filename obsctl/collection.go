// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"sync"
	"time"

	"github.com/andreykaipov/goobs/api/events"
)

// collectionName is the name of the current scene collection as OBS last gave it, until an event says that it may have
// changed. Events can be lost, and up to OBS 30 there is no event for a new name, so it is valid for a short time only. It
// is kept because OBS up to 30 reads the files of all collections to answer: 30 to 50 ms for one with 200 scenes of five
// items (measured, 29.0.2).
type collectionName struct {
	mu       sync.Mutex
	name     string // "" while it is not known
	asked    time.Time
	changing bool // OBS loads a collection, and still has the name of the one before
	changes  int  // counted by events
}

// get returns the name, or "" if OBS did not give it within that time, and the number of changes so far.
func (n *collectionName) get(within time.Duration) (name string, changes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.asked) > within {
		return "", n.changes
	}
	return n.name, n.changes
}

// learn takes the name that OBS gave, when it was asked, and the number of changes at that time.
func (n *collectionName) learn(name string, asked time.Time, changes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.changing && n.changes == changes {
		n.name, n.asked = name, asked
	}
}

// note takes in an event.
func (n *collectionName) note(raw any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch raw.(type) {
	case *events.CurrentSceneCollectionChanging:
		n.changing = true
	case *events.CurrentSceneCollectionChanged:
		n.changing = false
	case *events.SceneCollectionListChanged: // one may have got another name
	default:
		return
	}
	n.name = ""
	n.changes++
}

// Collection returns the name of the current scene collection. OBS is not asked if it gave the name within the time, and no
// event has said since that it may be another.
func (c *Client) Collection(ctx context.Context, within time.Duration) (string, error) {
	b := c.Batch()
	return one(ctx, b, b.Collection(within))
}

// LastCollection is the name of the current scene collection that OBS gave within a time. It is empty where OBS gave none, or
// where an event has said since that it may be another.
func (c *Client) LastCollection(within time.Duration) string {
	name, _ := c.current.get(within)
	return name
}

// ReadsCollections reports whether OBS reads the files of all scene collections to answer which one is current (before
// 31.0.0), so that the answer takes longer than others.
func (c *Client) ReadsCollections() bool { return c.version.has(readsCollections) }

// LearnCollection asks for the name of the current scene collection on a connection of its own. A batch then knows it, and
// no other request waits for it.
func (c *Client) LearnCollection(ctx context.Context) error {
	_, changes := c.current.get(0)
	begin := time.Now()
	beside, err := connect(ctx, c.endpoint, c.options)
	if err != nil {
		return err
	}
	defer func() { _ = beside.Close() }()
	name, _, err := beside.Collections(ctx)
	if err == nil {
		c.current.learn(name, begin, changes)
	}
	return err
}
