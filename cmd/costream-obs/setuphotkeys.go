// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/internal/xdg"
	"github.com/costream-obs/costream-obs/obsctl"
)

// hotkeyFlags are the flags of setup hotkeys.
type hotkeyFlags struct {
	keys      map[hotkeys.Action]*string
	all, undo *bool
}

func setupHotkeysCommand() *command {
	return &command{
		name:  "hotkeys",
		short: "give OBS hotkeys for the peer, or remove them",
		long: "Gives OBS hotkeys for the peer. OBS lists them under Settings, Hotkeys, where you can change them. They work inside OBS, in every scene, whether or not costream-obs runs.\n\n" +
			"  costream-obs setup hotkeys --toggle F9 --mute Ctrl+Alt+M\n\n" +
			"OBS reads them from its scene collection when it starts, so they are written while OBS is closed. While OBS is open they wait, and a running costream-obs run writes them when OBS ends. In OBS a script belongs to one scene collection: without --all, only the current one gets the hotkeys.\n\n" +
			"On Wayland OBS sees keys only while its window has the focus. For a key that works everywhere, set a shortcut of your desktop to: costream-obs peer toggle",
		settings: []string{"video-in"},
		bind: func(set *pflag.FlagSet) action {
			f := hotkeyFlags{keys: map[hotkeys.Action]*string{
				hotkeys.Toggle: set.String("toggle", "", "`KEY` that shows the peer if hidden, else hides it, such as F9, Ctrl+Alt+P or 'Num 5'"),
				hotkeys.Show:   set.String("show", "", "`KEY` that shows the peer"),
				hotkeys.Hide:   set.String("hide", "", "`KEY` that hides the peer"),
				hotkeys.Mute:   set.String("mute", "", "`KEY` that mutes or unmutes the peer in the stream"),
			}}
			f.all = set.Bool("all", false, "in all scene collections")
			f.undo = set.Bool("undo", false, "remove our hotkeys from all scene collections")
			return f.run
		},
	}
}

func (f hotkeyFlags) run(_ context.Context, c *invocation) error {
	order, err := f.order(c)
	if err != nil {
		return err
	}
	obs, store, data, err := scriptPlaces(obsctl.FindOptions{})
	if err != nil {
		return err
	}
	h := hotkeySetup{order: order, obs: obs, data: data, store: store, out: c.stdout}
	if order.Undo {
		return h.undo()
	}
	return h.set()
}

// scriptPlaces are OBS's files, the store of orders for our script, and the directory of the script.
func scriptPlaces(places obsctl.FindOptions) (obs collection.Dir, store hotkeys.Store, data string, err error) {
	state, err := stateDir()
	if err != nil {
		return obs, store, "", err
	}
	if data, err = dataDir(); err != nil {
		return obs, store, "", err
	}
	obs, err = collection.Find(places)
	return obs, hotkeys.NewStore(state), data, err
}

// order reads the flags.
func (f hotkeyFlags) order(c *invocation) (hotkeys.Order, error) {
	o := hotkeys.Order{Keys: map[hotkeys.Action]collection.Key{}, Device: c.config.VideoIn, All: *f.all, Undo: *f.undo}
	taken := map[collection.Key]hotkeys.Action{}
	for _, action := range hotkeys.Actions {
		text := *f.keys[action]
		if text == "" {
			continue
		}
		key, err := hotkeys.ParseKey(text)
		if err != nil {
			return o, usagef("--%s: %w", action, err)
		}
		if other, double := taken[key]; double {
			return o, usagef("--%s and --%s have the same key, %s: give each its own key, or use --toggle to show and hide with one", other, action, hotkeys.KeyText(key))
		}
		o.Keys[action], taken[key] = key, action
	}
	switch {
	case o.Undo && (len(o.Keys) > 0 || o.All):
		return o, usagef("--undo removes all our hotkeys and takes no other flag")
	case !o.Undo && len(o.Keys) == 0:
		return o, usagef("no key was given; for example: costream-obs setup hotkeys --toggle F9")
	}
	return o, nil
}

// hotkeySetup carries out an order, or leaves that to a running costream-obs.
type hotkeySetup struct {
	order hotkeys.Order
	obs   collection.Dir
	data  string
	store hotkeys.Store
	out   io.Writer
}

// before is the last order. One that cannot be read counts as none: this one replaces it.
func (h hotkeySetup) before() hotkeys.Entry {
	if entry, err := h.store.Load(); err == nil && entry != nil {
		return *entry
	}
	return hotkeys.Entry{}
}

func (h hotkeySetup) set() error {
	home, err := xdg.Home()
	if err != nil {
		return err
	}
	if _, err := h.store.Finish(func() (collection.Dir, error) { return h.obs, nil }); err != nil {
		return err
	}
	before := h.before()
	h.order.CleanFeed = before.Needs()
	if h.order.Script, err = hotkeys.Install(h.obs, h.data, home); err != nil {
		return err
	}
	done, err := h.order.Carry(h.obs)
	if errors.Is(err, collection.ErrRunning) {
		return h.wait("The hotkeys are prepared: " + h.keys() + ".")
	}
	if err != nil {
		return err
	}
	if err := h.store.Save(hotkeys.Entry{Order: h.order}); err != nil {
		return err
	}
	fmt.Fprintf(h.out, "From its next start, OBS has the hotkeys, under Settings, Hotkeys: %s.\n", h.keys())
	h.printCollections(done)
	if !h.order.All {
		fmt.Fprintln(h.out, "Other scene collections: choose one in OBS, close OBS and repeat this; or add --all.")
	}
	return nil
}

func (h hotkeySetup) undo() error {
	before := h.before()
	h.order.Script, h.order.CleanFeed, h.order.All = hotkeys.Path(h.data), before.Needs(), before.Order.All
	prepared := before.Prepared()
	if prepared != nil {
		h.order.All = prepared.All
	}
	done, err := h.order.Carry(h.obs)
	if errors.Is(err, collection.ErrRunning) {
		return h.wait("The hotkeys will be removed from OBS." + h.keeps())
	}
	if err != nil {
		return err
	}
	if err := h.forget(prepared != nil); err != nil {
		return err
	}
	switch {
	case len(done.Collections) > 0:
		fmt.Fprintln(h.out, "Our hotkeys are removed from OBS."+h.keeps())
		h.printCollections(done)
	case prepared != nil && len(prepared.Keys) > 0:
		fmt.Fprintln(h.out, "The prepared hotkeys are dropped. OBS did not have them yet.")
	default:
		fmt.Fprintln(h.out, "There is nothing to undo.")
	}
	return nil
}

// forget drops the hotkeys, and the script if the clean feed does not need it. waits says that OBS will get the script only
// when it ends.
func (h hotkeySetup) forget(waits bool) error {
	if h.order.CleanFeed {
		return h.store.Save(hotkeys.Entry{Order: h.order.AfterUndo(), Waiting: waits})
	}
	return errors.Join(h.store.Forget(), hotkeys.Uninstall(h.data))
}

// keeps says what an undo leaves in OBS.
func (h hotkeySetup) keeps() string {
	if !h.order.CleanFeed {
		return ""
	}
	return " OBS keeps our script, because the clean feed needs it; to remove the script too: costream-obs setup clean-feed --undo"
}

// wait stores the order until OBS ends.
func (h hotkeySetup) wait(what string) error {
	before := h.before()
	if err := h.store.Save(before.With(h.order)); err != nil {
		return err
	}
	fmt.Fprintf(h.out, "%s\n%s\n", what, whileOpen("scene collection"))
	return nil
}

func (h hotkeySetup) keys() string {
	var keys []string
	for _, action := range hotkeys.Actions {
		if key, ok := h.order.Keys[action]; ok {
			keys = append(keys, fmt.Sprintf("%s (%s)", hotkeys.KeyText(key), action))
		}
	}
	return strings.Join(keys, ", ")
}

func (h hotkeySetup) printCollections(done hotkeys.Done) {
	for i, name := range done.Collections {
		fmt.Fprintf(h.out, "  scene collection %q, backup: %s\n", name, done.Backups[i])
	}
}

// companionRuns says whether a costream-obs run answers on its control socket.
func companionRuns() bool {
	path, err := controlSocket()
	return err == nil && control.Client{Path: path}.Running()
}

// finishHotkeys carries out what waits for the end of OBS, and reports it.
func finishHotkeys(store hotkeys.Store, tell io.Writer) {
	finishHotkeysIn(store, tell, func() (collection.Dir, error) { return collection.Find(obsctl.FindOptions{}) })
}

func finishHotkeysIn(store hotkeys.Store, tell io.Writer, find func() (collection.Dir, error)) {
	entry, err := store.Finish(find)
	switch {
	case err != nil:
		fmt.Fprintf(tell, "OBS's hotkeys: %v\n", err)
	case entry == nil:
	case entry.Problem != "":
		fmt.Fprintf(tell, "OBS's hotkeys could not be set: %s\n", entry.Problem)
	case entry.Order.Undo:
		fmt.Fprintln(tell, "Our hotkeys are removed from OBS.")
		if entry.Then != nil {
			fmt.Fprintln(tell, atNextStart(*entry.Then))
		}
	default:
		fmt.Fprintln(tell, atNextStart(entry.Order))
	}
}

// atNextStart says what an order gives OBS.
func atNextStart(order hotkeys.Order) string {
	if len(order.Keys) == 0 {
		return "From its next start, OBS runs our script."
	}
	return "From its next start, OBS has the hotkeys."
}
