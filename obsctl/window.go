// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api/events"
	"github.com/andreykaipov/goobs/api/requests/transitions"
)

// windowPause is how long OBS's window gets to answer before it is asked again.
const windowPause = 250 * time.Millisecond

// window is the state of the thread of OBS's window.
type window struct {
	runs     atomic.Bool
	fresh    fresh
	answered chan struct{} // has room for one
}

// noteWindow handles the event with which OBS's window answers.
func (c *Client) noteWindow(raw any) {
	if _, ok := raw.(*events.CurrentSceneTransitionChanged); !ok {
		return
	}
	select {
	case c.window.answered <- struct{}{}:
	default:
	}
}

// awaitWindow returns once the thread of OBS's window runs its event loop. From OBS 31.0 on obs-websocket answers while the
// window is still being built: it takes the event SCENE_COLLECTION_CHANGED for the end of loading, but that comes in the
// middle of OBSBasic::OBSInit. From 32.1.0 on a CreateScene during that time hangs OBS for good: it holds the lock of the
// signal source_create until that thread has processed the scene, and the thread needs the lock to build its audio mixer.
func (c *Client) awaitWindow(ctx context.Context) error {
	if !c.version.has(createSceneNeedsWindow) || c.window.runs.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout,
		fmt.Errorf("%w: its window does not answer; look at it for a dialog", ErrLoading))
	defer cancel()
	err := c.askWindow(ctx)
	switch {
	case err == nil:
		c.window.runs.Store(true)
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return err
}

// itemSettles is how long OBS's window may take to show a new scene item.
const itemSettles = 2 * time.Second

// fresh is what OBS's window may not know yet, with the time when it was made.
type fresh struct {
	mu   sync.Mutex
	made map[any]time.Time
}

// What can be fresh.
type (
	freshItem struct {
		scene string
		id    int
	}
	freshSource string // has a new item
	freshScene  string // has a new item
)

// note notes a new item.
func (f *fresh) note(scene string, id int, source string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(f.made, func(_ any, at time.Time) bool { return now.Sub(at) > itemSettles })
	if f.made == nil {
		f.made = make(map[any]time.Time)
	}
	f.made[freshItem{scene, id}], f.made[freshSource(source)], f.made[freshScene(scene)] = now, now, now
}

// left is how long a thing still counts as fresh.
func (f *fresh) left(what any) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, made := f.made[what]
	if !made {
		return 0
	}
	return itemSettles - time.Since(at)
}

// settled forgets what was made before a time.
func (f *fresh) settled(before time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.made, func(_ any, at time.Time) bool { return at.Before(before) })
}

// isSettled reports whether awaitSettled has nothing to wait for.
func (c *Client) isSettled(what any) bool {
	return c.window.fresh.left(what) <= 0 || !c.version.has(itemNeedsWindow)
}

// awaitSettled returns once OBS's window knows an item, or those of a source or scene. The window processes new items later
// (OBSBasic::AddSceneItem). If one is removed before that, OBS sometimes crashes (32.2.2, 1 of 8; its last message is "User
// added source ... to scene '(null)'").
func (c *Client) awaitSettled(ctx context.Context, what any) error {
	if c.isSettled(what) {
		return nil
	}
	begin := time.Now()
	waiting, cancel := context.WithTimeout(ctx, c.window.fresh.left(what))
	defer cancel()
	err := c.askWindow(waiting)
	switch {
	case err == nil:
		c.window.fresh.settled(begin)
	case waiting.Err() == nil:
		return err
	}
	return ctx.Err()
}

// askWindow returns when the thread of OBS's window has done everything that it was given before. It sets the scene
// transition that is set already: only that thread handles this, and OBS sends the event even if nothing changes. OBS does
// not send it while a transition runs, so we ask again.
func (c *Client) askWindow(ctx context.Context) error {
	select {
	case <-c.window.answered:
	default:
	}
	for {
		if err := c.setTransitionAgain(ctx); err != nil {
			return err
		}
		select {
		case <-c.window.answered:
			return nil
		case <-time.After(windowPause):
		case <-c.done:
			return c.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// setTransitionAgain sets the scene transition that is set already.
func (c *Client) setTransitionAgain(ctx context.Context) error {
	now, err := call(ctx, c, "GetCurrentSceneTransition", func(g *goobs.Client) (*transitions.GetCurrentSceneTransitionResponse, error) {
		return g.Transitions.GetCurrentSceneTransition()
	})
	if err != nil {
		return err
	}
	return do(ctx, c, "SetCurrentSceneTransition", func(g *goobs.Client) (*transitions.SetCurrentSceneTransitionResponse, error) {
		return g.Transitions.SetCurrentSceneTransition(transitions.NewSetCurrentSceneTransitionParams().WithTransitionName(now.TransitionName))
	})
}
