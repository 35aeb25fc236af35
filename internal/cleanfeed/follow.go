// SPDX-License-Identifier: Apache-2.0

package cleanfeed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/obsctl"
)

const (
	// slowTick is how often all is compared anew: events can be lost, and there is none for blend modes.
	slowTick = 2 * time.Second
	// collectionKnown is after how long it is asked anew which scene collection is the current one: up to 30 OBS takes 30
	// to 50 ms to answer where it has 200 scenes, so whoever switches scenes does not wait for it.
	collectionKnown = 10 * time.Second
	// pace is the least time between two comparisons that nobody waits for.
	pace = 30 * time.Millisecond
)

// Sync brings our scenes in step once, and makes them where they are missing.
func (f *Feed) Sync(ctx context.Context, obs OBS) error { return f.sync(ctx, obs, news{}) }

func (f *Feed) sync(ctx context.Context, obs OBS, n news) error {
	for {
		// Each name that is taken is one fewer to try.
		if err := f.syncOnce(ctx, obs, n); !errors.Is(err, errTaken) {
			return err
		}
	}
}

func (f *Feed) syncOnce(ctx context.Context, obs OBS, n news) error {
	if err := f.load(ctx, obs); err != nil {
		return err
	}
	if err := f.place(ctx, obs); err != nil {
		return err
	}
	f.kept = ""
	s, err := f.read(ctx, obs, n)
	if err != nil {
		return fmt.Errorf("the scenes for the clean feed: %w", err)
	}
	if s.hidden != "" {
		f.tell(s.hidden, true)
	}
	mirrors, show := plan(s, f.twins, f.made.mirrors(f.collection))
	bare := s.bare()
	if before := f.bare.Load(); before != nil {
		// Until all is done either may be shown.
		both := maps.Clone(bare)
		maps.Copy(both, *before)
		f.bare.Store(&both)
	}
	var missing []makeScene
	for _, e := range slices.Concat(mirrors, show) {
		switch e := e.(type) {
		case makeScene:
			missing = append(missing, e)
		case takeSpare:
			f.take(e)
		}
	}
	if err := f.makeScenes(ctx, obs, missing); err != nil {
		return err
	}
	if s.unseen && s.hidden == "" && len(show) > 0 {
		f.holdPictures()
	}
	// What the peer sees comes last, so that it is complete by then.
	for _, edits := range [][]edit{mirrors, show} {
		if err := f.carryOut(ctx, obs, edits); err != nil {
			return err
		}
	}
	f.bare.Store(&bare)
	f.inStep()
	if s.hidden == "" {
		f.tell("", true)
	}
	return nil
}

// Follow keeps our scenes in step until ctx ends, and then returns nil. Events must come from a connection with
// Options.Transforms; Follow returns an error when they end.
func (f *Feed) Follow(ctx context.Context, obs OBS, events <-chan obsctl.Event) error {
	tick := time.NewTicker(slowTick)
	defer tick.Stop()
	n := news{look: true}
	var last time.Time
	defer f.releasePictures()
	for {
		if n.changing {
			n.look = false
		}
		wait := time.Until(f.quietUntil)
		if !n.urgent {
			wait = max(wait, pace-time.Since(last))
		}
		if n.look && n.urgent && wait > 0 {
			f.tell("", false) // for as long as OBS is not to be disturbed
		}
		if n.look && wait <= 0 {
			err := f.sync(ctx, obs, n)
			if err != nil && n.urgent {
				f.tell("", false)
			}
			if err != nil && !passes(err) {
				if ctx.Err() != nil {
					return nil
				}
				return err
			} else if err != nil {
				// OBS changes its scenes right now; it tells when it has.
				f.log.Debug("clean feed: OBS did not say all", "error", err)
			}
			n, last = news{transition: n.transition}, time.Now()
			if obsctl.IsCode(err, obsctl.CodeNotFound) {
				// Something went while it was looked at, such as our private scenes, of which no event tells.
				n.look, f.quietUntil = true, last.Add(obsctl.QuietAfterRemoval)
			}
		}
		var due, idle <-chan time.Time
		switch {
		case n.look:
			due = time.After(max(wait, pace-time.Since(last)))
		case !n.changing && f.lacksSpare():
			idle = time.After(max(time.Until(f.quietUntil), calm-time.Since(last)))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-due:
		case <-idle:
			if err := f.makeSpare(ctx, obs); err != nil && ctx.Err() == nil {
				return err
			}
			last = time.Now()
		case <-tick.C:
			f.peers = nil
			n.look = true
			n.changing = n.changing && time.Since(n.changingFrom) < obsctl.LoadLimit
			if f.held.expired() {
				n.transition = ""
				f.releasePictures()
			}
		case ev, open := <-events:
			if !open {
				return obsctl.ErrLost
			}
			f.note(ev, &n)
			if err := f.drain(ctx, obs, events, &n); err != nil {
				return err
			}
		}
	}
}

// passes says whether an error is of a moment in which OBS changes its scenes.
func passes(err error) bool {
	refused := (*obsctl.RequestError)(nil)
	return errors.As(err, &refused) || errors.Is(err, obsctl.ErrNoProgram) || errors.Is(err, errCollection) || errors.Is(err, errTaken)
}

// news is what events have told since the last look.
type news struct {
	look     bool
	urgent   bool
	thaw     bool // a transition began, at which the programme takes the scene as it is
	studio   bool // studio mode was switched: only a look tells whether the programme takes what changes now
	changing bool // OBS loads a scene collection, or ends

	transition string // the one that runs

	changingFrom time.Time
	direct       map[place]edit
}

// place names a property of an item.
type place struct {
	scene    string
	item     int
	property string
}

// note takes in an event.
func (f *Feed) note(ev obsctl.Event, n *news) {
	switch e := ev.(type) {
	case obsctl.TransitionStarted:
		f.expected = "" // OBS does not say what it leads to.
		n.look, n.urgent, n.thaw, n.transition = true, true, true, e.Name
	case obsctl.TransitionEnded:
		if e.Name == n.transition {
			n.transition = ""
			f.releasePictures()
		}
	case obsctl.ProgramScene:
		n.transition = ""
		f.releasePictures()
		if f.Private(e.Name) {
			f.tell(e.Name, true)
		}
		f.expected = e.Name
		n.look, n.urgent = true, true
	case obsctl.StudioMode:
		n.look, n.urgent, n.studio = true, true, true
	case obsctl.SceneItemAdded:
		if f.watches(e.Scene) {
			n.look, n.urgent = true, true
		}
	case obsctl.SceneItemRemoved:
		if !f.made.Has(f.collection, e.Scene) {
			f.quietUntil = time.Now().Add(obsctl.QuietAfterRemoval)
		}
		n.look = n.look || f.watches(e.Scene)
	case obsctl.SceneItemsMoved:
		n.look = n.look || f.watches(e.Scene)
	case obsctl.FiltersChanged:
		n.look = n.look || f.watches(e.Source)
	case obsctl.SceneItemEnabled:
		if f.privateOf != nil && f.watches(e.Scene) {
			n.look, n.urgent = true, true // A private scene in it has no copy.
		}
		f.noteItem(n, place{e.Scene, e.ID, "eye"}, func(mirror string, it *obsctl.SceneItem) edit {
			it.Enabled = e.Enabled
			return enableItem{Mirror: mirror, Origin: e.ID, Enabled: e.Enabled}
		})
	case obsctl.SceneItemTransformed:
		f.noteItem(n, place{e.Scene, e.ID, "place"}, func(mirror string, it *obsctl.SceneItem) edit {
			t := e.Transform
			it.Transform = t
			if it.IsGroup {
				t = f.last.likeGroup(t)
			}
			return placeItem{Mirror: mirror, Origin: e.ID, Transform: t}
		})
	case obsctl.ScenesChanged:
		n.look = true
		if e.Removed {
			f.quietUntil = time.Now().Add(obsctl.QuietAfterRemoval)
		}
	case obsctl.SceneRenamed:
		f.rename(e.Old, e.New)
		n.look = true
	case obsctl.InputRemoved:
		f.quietUntil = time.Now().Add(obsctl.QuietAfterRemoval)
		f.peers = nil
		n.look = true
	case obsctl.InputAdded, obsctl.InputRenamed:
		f.peers = nil
		n.look = true
	case obsctl.CollectionChanging, obsctl.Exiting:
		f.tell("", false)
		n.changing, n.changingFrom = true, time.Now()
	case obsctl.CollectionChanged:
		f.releasePictures()
		f.reload()
		*n = news{look: true, urgent: true}
	}
}

func (f *Feed) watches(scene string) bool {
	_, watched := f.last.scenes[scene]
	return watched
}

// noteItem takes in a change of one property of an item, and plans what it means for the item's copy. Of many steps of
// the mouse only the last counts.
func (f *Feed) noteItem(n *news, at place, change func(mirror string, it *obsctl.SceneItem) edit) {
	if _, held := f.air[at.scene]; !f.watches(at.scene) || held && (f.last.frozen || n.studio) {
		return
	}
	items := f.last.scenes[at.scene].items // where f.air holds the scene, its items are the same
	i := slices.IndexFunc(items, func(it obsctl.SceneItem) bool { return it.ID == at.item })
	if i < 0 {
		return
	}
	mirror := f.made.mirrors(f.collection)[at.scene]
	e := change(mirror, &items[i])
	if _, known := f.twins.of(mirror, at.item); !known {
		return
	}
	if n.direct == nil {
		n.direct = make(map[place]edit)
	}
	n.direct[at] = e
}

// drain takes in the events that wait, and does what needs no look at OBS.
func (f *Feed) drain(ctx context.Context, obs OBS, events <-chan obsctl.Event, n *news) error {
	for {
		select {
		case ev, open := <-events:
			if !open {
				return obsctl.ErrLost
			}
			f.note(ev, n)
			continue
		default:
		}
		break
	}
	edits := slices.Collect(maps.Values(n.direct))
	n.direct = nil
	return f.carryOut(ctx, obs, edits)
}

// rename follows a scene or group that got another name.
func (f *Feed) rename(old, name string) {
	for mirror, origin := range f.made[f.collection] {
		if origin == old {
			f.made[f.collection][mirror] = name
		}
	}
	if f.program == old {
		f.program = name
	}
	f.foresee(f.program)
	if sc, held := f.air[old]; held {
		delete(f.air, old)
		f.air[name] = sc
	}
}
