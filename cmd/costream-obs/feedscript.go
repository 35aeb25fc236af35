// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/setup"
)

// feedSetup does all that setup clean-feed does.
type feedSetup struct {
	obs     collection.Dir
	machine setup.Machine
	camera  camera.Store
	script  feedScript
	out     io.Writer
}

// run carries an order for the virtual camera out, and the same for the script. A machine without a virtual camera has
// the portable route, for which the script is all.
func (f feedSetup) run(order camera.Order) error {
	waits, err := f.runScript(order)
	if err != nil {
		return err
	}
	err = f.setCamera(order)
	if errors.Is(err, errNoCamera) {
		if waits {
			fmt.Fprintln(f.out, whileOpen("scene collection"))
		}
		fmt.Fprintf(f.out, "OBS's virtual camera is unchanged: %v.\n", err)
		return nil
	}
	return err
}

func (f feedSetup) runScript(order camera.Order) (waits bool, err error) {
	switch {
	case order.Undo:
		before, err := f.script.store.Load()
		if err != nil {
			return false, err
		}
		gone, waits, err := f.script.remove()
		switch {
		case err != nil || waits:
		case gone:
			fmt.Fprintln(f.out, "OBS no longer runs our script.")
		case before != nil && before.Waiting && !before.Order.Undo && len(before.Order.Keys) == 0:
			fmt.Fprintln(f.out, "The prepared script is dropped. OBS did not have it yet.")
		}
		return waits, err
	case f.obs.Snap():
		fmt.Fprintln(f.out, "While you are on air, the scenes for the peer are in your list of scenes: this OBS is a Snap and cannot read the script that hides them.")
		return false, nil
	}
	if waits, err = f.script.install(order.All); err == nil {
		fmt.Fprintln(f.out, "From its next start, OBS 30.1 or later hides the scenes for the peer from your list of scenes, with a script of ours.")
	}
	return waits, err
}

// feedScript has OBS run our script for the clean feed's sake, be there hotkeys or not.
type feedScript struct {
	obs   collection.Dir
	data  string // where the script is put
	store hotkeys.Store
	order hotkeys.Order // what the script is told
}

// install reports whether it waits until OBS is closed. Keys that wait for that are not forgotten.
func (f feedScript) install(all bool) (waits bool, err error) {
	home, err := xdg.Home()
	if err != nil {
		return false, err
	}
	if _, err := f.store.Finish(func() (collection.Dir, error) { return f.obs, nil }); err != nil {
		return false, err
	}
	before, err := f.store.Load()
	if err != nil {
		return false, err
	}
	order := f.order
	order.All, order.CleanFeed = all, true
	if prepared := before.Prepared(); prepared != nil {
		order.Keys, order.All = prepared.Keys, all || prepared.All
	}
	if order.Script, err = hotkeys.Install(f.obs, f.data, home); err != nil {
		return false, err
	}
	switch _, err = order.Carry(f.obs); {
	case errors.Is(err, collection.ErrRunning):
		return true, f.store.Save(before.With(order))
	case err != nil:
		return false, err
	}
	return false, f.store.Save(hotkeys.Entry{Order: order})
}

// remove takes the script away where it gives no hotkeys. gone says that it was there.
func (f feedScript) remove() (gone, waits bool, err error) {
	before, err := f.store.Load()
	if err != nil || before == nil {
		return false, false, err
	}
	if before.Waiting && before.Order.Undo {
		if err := f.store.Save(withoutFeed(*before)); err != nil {
			return false, false, err
		}
		done, err := f.store.Finish(func() (collection.Dir, error) { return f.obs, nil })
		return done != nil, done == nil, err
	}
	keyed, err := f.keyed()
	if err != nil {
		return false, false, err
	}
	if keyed || before.Waiting && len(before.Order.Keys) > 0 {
		before.Order.CleanFeed = false
		return false, false, f.store.Save(*before)
	}
	order := hotkeys.Order{Undo: true, Script: hotkeys.Path(f.data)}
	done, err := order.Carry(f.obs)
	if errors.Is(err, collection.ErrRunning) {
		return true, true, f.store.Save(hotkeys.Entry{Order: order, Waiting: true})
	}
	if err != nil {
		return false, false, err
	}
	return len(done.Collections) > 0, false, errors.Join(f.store.Forget(), hotkeys.Uninstall(f.data))
}

// withoutFeed is an entry with an undo that waits, once the clean feed does not need the script any more.
func withoutFeed(e hotkeys.Entry) hotkeys.Entry {
	e.Order.CleanFeed = false
	if e.Then != nil && len(e.Then.Keys) == 0 {
		e.Then = nil
	}
	if e.Then != nil {
		then := *e.Then
		then.CleanFeed = false
		e.Then = &then
	}
	return e
}

// keyed says whether any scene collection has keys for our hotkeys.
func (f feedScript) keyed() (bool, error) {
	all, err := f.obs.All()
	if err != nil {
		return false, err
	}
	for _, file := range all {
		doc, err := file.Read()
		if err != nil {
			continue // There is nothing to take out of it either.
		}
		if keys, _ := hotkeys.Bound(doc); len(keys) > 0 {
			return true, nil
		}
	}
	return false, nil
}
