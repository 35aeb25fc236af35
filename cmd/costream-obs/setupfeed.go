// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/obsctl"
)

// newFeedSetup looks for OBS. Its error matches collection.ErrNotFound where no OBS has run yet.
func newFeedSetup(c *invocation, places obsctl.FindOptions) (feedSetup, error) {
	obs, store, data, err := scriptPlaces(places)
	if err != nil {
		return feedSetup{}, err
	}
	state, err := stateDir()
	if err != nil {
		return feedSetup{}, err
	}
	script := feedScript{obs: obs, data: data, store: store, order: hotkeys.Order{Device: c.config.VideoIn}}
	return feedSetup{obs: obs, script: script, camera: camera.NewStore(state), out: c.stdout}, nil
}

// needed reports whether there is anything to do for an order, apart from what waits until OBS is closed.
func (f feedSetup) needed(undo bool) (bool, error) {
	last, err := f.camera.Load()
	if err != nil {
		return false, err
	}
	script, err := f.script.store.Load()
	if err != nil {
		return false, err
	}
	ordered := script != nil && script.Order.CleanFeed && !script.Order.Undo
	if undo {
		return ordered || !last.Undo && (last.Waiting || len(last.Before) > 0), nil
	}
	file, err := f.obs.Open("")
	if err != nil {
		return false, err
	}
	doc, err := file.Read()
	if err != nil {
		return false, err
	}
	shows, err := camera.Shows(doc)
	if err != nil {
		return false, err
	}
	_, path := hotkeys.Bound(doc)
	scriptMissing := path == "" && !f.obs.Snap() && !(ordered && script.Waiting)
	cameraMissing := shows == "" && hasCamera(f.machine) && !(last.Waiting && !last.Undo)
	return scriptMissing || cameraMissing, nil
}

// feed is the step of setup that `setup clean-feed` does alone. What keeps it from that is told and is no failure of setup's:
// the portable route needs no preparation.
func (f setupFlags) feed(ctx context.Context, c *invocation) (done bool) {
	done, err := f.tryFeed(ctx, c)
	if err != nil {
		command := "costream-obs setup clean-feed"
		if *f.undo {
			command += " --undo"
		}
		fmt.Fprintln(c.stdout, terminal.Wrap(fmt.Sprintf("Note: the clean feed is left as it is: %v. To try again: %s", err, command), 0, usageWidth)+"\n")
	}
	return done
}

func (f setupFlags) tryFeed(ctx context.Context, c *invocation) (done bool, err error) {
	feed, err := newFeedSetup(c, f.places)
	if *f.undo && errors.Is(err, collection.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	needed, err := feed.needed(*f.undo)
	if err != nil || !needed {
		return false, err
	}
	what := fmt.Sprintf("Prepare OBS to send your friend your programme without their own picture in it: its virtual camera outputs the scene %q, and a script of ours hides such scenes from your list.", cleanfeed.Scene)
	if *f.undo {
		what = "Undo that for the clean feed: OBS's virtual camera outputs what it did before, and our script goes unless it provides hotkeys."
	}
	fmt.Fprintln(c.stdout, terminal.Wrap(what+" This changes OBS's scene collections, and OBS must be closed for it.", 0, usageWidth))
	switch {
	case *f.yes:
	case !terminal.Is(c.stdin):
		return false, errors.New("there is no terminal to ask on")
	case !agree(ctx, c):
		fmt.Fprint(c.stdout, "OBS's scene collections are unchanged.\n\n")
		return false, nil
	}
	if err := feed.run(camera.Order{Undo: *f.undo}); err != nil {
		return false, err
	}
	fmt.Fprintln(c.stdout)
	return true, nil
}

// feedHint tells the reader of the script that setup prints of the step that is not root's.
func (f setupFlags) feedHint(c *invocation) string {
	feed, err := newFeedSetup(c, f.places)
	if err != nil {
		return ""
	}
	if needed, err := feed.needed(*f.undo); err != nil || !needed {
		return ""
	}
	if *f.undo {
		return "\n" + comment("As yourself, not as root: costream-obs setup clean-feed --undo")
	}
	return "\n" + comment("As yourself, not as root: costream-obs setup clean-feed")
}
