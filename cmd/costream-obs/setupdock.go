// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/obsctl"
)

func setupDockCommand() *command {
	return &command{
		name:  "dock",
		short: "show the panel in a dock of OBS, or remove the dock",
		long: "Adds the panel to OBS's custom browser docks, so that you see and steer the co-stream inside OBS. OBS lists it in its menu Docks, as \"" + dock.Title + "\". While costream-obs run does not run, the dock says so, and opens the panel once it does.\n\n" +
			"OBS keeps its docks in its settings, which it reads when it starts and writes when it ends, so the dock is written while OBS is closed. While OBS is open it waits, and a running costream-obs run writes it when OBS ends. The panel's secret is not written into OBS's settings, but into a file that only you can read.\n\n" +
			"Not every OBS has browser docks: Debian builds OBS without them, and then this command says so. costream-obs panel opens the same panel in a browser.",
		bind: func(set *pflag.FlagSet) action {
			undo := set.Bool("undo", false, "remove our dock from OBS; your other docks stay as they are")
			return func(ctx context.Context, c *invocation) error {
				d, err := newDockSetup(ctx, c)
				if err != nil {
					return err
				}
				if *undo {
					return d.undo()
				}
				return d.set()
			}
		},
	}
}

// dockSetup carries out an order, or leaves that to a running costream-obs.
type dockSetup struct {
	obs    collection.Dir
	state  string
	store  dock.Store
	places dock.Places
	panel  func() string // the address of a panel that is served, or ""
	out    io.Writer
}

func newDockSetup(ctx context.Context, c *invocation) (dockSetup, error) {
	state, err := stateDir()
	if err != nil {
		return dockSetup{}, err
	}
	home, err := xdg.Home()
	if err != nil {
		return dockSetup{}, err
	}
	obs, err := collection.Find(obsctl.FindOptions{})
	if err != nil {
		return dockSetup{}, err
	}
	return dockSetup{obs: obs, state: state, store: dock.NewStore(state), places: dock.Places{Home: home}, panel: func() string { return servedPanel(ctx) }, out: c.stdout}, nil
}

// servedPanel is the address of the panel of a running costream-obs, or "".
func servedPanel(ctx context.Context) string {
	path, err := controlSocket()
	if err != nil {
		return ""
	}
	panel, err := control.Client{Path: path}.Panel(ctx)
	if err != nil {
		return ""
	}
	return panel.Addresses[0]
}

// Why an OBS gets no dock. Both say what to do in its place.
var (
	errNoDocks = errors.New("this OBS has no browser docks, because it was built without its browser, as Debian's is; " +
		"open the panel in a browser beside OBS: costream-obs panel")
	errSnapDocks = errors.New("this OBS is a Snap, which cannot read files of other programs; " +
		"type `costream-obs panel`, and in OBS add the address that it prints, under Docks, Custom Browser Docks")
)

func (d dockSetup) set() error {
	if d.obs.Snap() {
		return errSnapDocks
	}
	browser := dock.FindBrowser(d.obs, d.places)
	if browser == dock.NoDocks {
		return errNoDocks
	}
	order := dock.Order{Page: dock.PagePath(d.state)}
	// A panel that is served is told to the page now, and another one when it is.
	if err := dock.WritePage(d.state, d.panel()); err != nil {
		return err
	}
	done, err := order.Carry(d.obs)
	if errors.Is(err, collection.ErrRunning) {
		return d.wait(order, "The dock is prepared.")
	}
	if err != nil {
		return err
	}
	if err := d.store.Save(order); err != nil {
		return err
	}
	if len(done.Changed) == 0 {
		fmt.Fprintln(d.out, "OBS has the dock already: in its menu Docks, \""+dock.Title+"\".")
		return nil
	}
	fmt.Fprintln(d.out, "From its next start, OBS has the panel in its menu Docks, as \""+dock.Title+"\".")
	d.printFiles(done)
	if browser == dock.Unknown {
		fmt.Fprintln(d.out, "If OBS's menu Docks has no entry Custom Browser Docks, this OBS has no browser docks; costream-obs panel opens the panel in a browser.")
	}
	return nil
}

func (d dockSetup) undo() error {
	before, err := d.store.Load()
	if err != nil {
		before = nil // This order replaces it.
	}
	order := dock.Order{Page: dock.PagePath(d.state), Undo: true}
	done, err := order.Carry(d.obs)
	if errors.Is(err, collection.ErrRunning) {
		if address, unread := dock.Address(d.obs); unread != nil || address != "" {
			return d.wait(order, "The dock will be removed from OBS.")
		}
		err = nil // OBS does not have it.
	}
	if err != nil {
		return err
	}
	if err := d.store.Forget(order.Page); err != nil {
		return err
	}
	switch {
	case len(done.Changed) > 0:
		fmt.Fprintln(d.out, "Our dock is removed from OBS.")
		d.printFiles(done)
	case before != nil && before.Waiting && !before.Undo:
		fmt.Fprintln(d.out, "The prepared dock is dropped. OBS did not have it yet.")
	default:
		fmt.Fprintln(d.out, "There is nothing to undo.")
	}
	return nil
}

// wait stores the order until OBS ends.
func (d dockSetup) wait(order dock.Order, what string) error {
	order.Waiting = true
	if err := d.store.Save(order); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%s\n%s\n", what, whileOpen("settings"))
	return nil
}

func (d dockSetup) printFiles(done dock.Done) {
	for i, path := range done.Changed {
		fmt.Fprintf(d.out, "  %s, backup: %s\n", path, done.Backups[i])
	}
}

// finishDock carries out what waits for the end of OBS, and tells of it.
func finishDock(store dock.Store, tell io.Writer) {
	finishDockIn(store, tell, func() (collection.Dir, error) { return collection.Find(obsctl.FindOptions{}) })
}

func finishDockIn(store dock.Store, tell io.Writer, find func() (collection.Dir, error)) {
	order, err := store.Finish(find)
	switch {
	case err != nil:
		fmt.Fprintf(tell, "OBS's dock: %v\n", err)
	case order == nil:
	case order.Problem != "":
		fmt.Fprintf(tell, "OBS's dock could not be changed: %s\n", order.Problem)
	case order.Undo:
		fmt.Fprintln(tell, "Our dock is removed from OBS.")
	default:
		fmt.Fprintln(tell, "From its next start, OBS has the panel in its menu Docks, as \""+dock.Title+"\".")
	}
}
