// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

func setupCleanFeedCommand() *command {
	return &command{
		name:  "clean-feed",
		short: "prepare OBS for sending the programme without the peer, or take that back",
		long: "Has OBS's virtual camera show the scene \"" + cleanfeed.Scene + "\", which costream-obs run keeps in step with the programme but without the peer, so that both friends may show each other and neither gets themselves back. That is for the devices route; on the portable route --clean-feed is enough. OBS keeps it only where it has a virtual camera, so it needs the kernel module v4l2loopback, which costream-obs setup installs; without it the camera is left alone.\n\n" +
			"Also has OBS run a script of ours, by which OBS 30.1 and later keeps the scenes for the peer out of your list of scenes on the portable route.\n\n" +
			"OBS reads both at its start, from its scene collection, so they are written while OBS is closed; while it is open they wait, and a running costream-obs run writes them when OBS ends. Without --all they are set in the current scene collection.",
		settings: []string{"video-in"},
		bind: func(set *pflag.FlagSet) action {
			all := set.Bool("all", false, "in all scene collections")
			undo := set.Bool("undo", false, "let the virtual camera show what it showed before, and take the script away unless it gives hotkeys, in all scene collections")
			return func(_ context.Context, c *invocation) error {
				if *all && *undo {
					return usagef("--undo is for all scene collections and stands alone")
				}
				obs, err := collection.Find(obsctl.FindOptions{})
				if err != nil {
					return err
				}
				state, err := stateDir()
				if err != nil {
					return err
				}
				data, err := dataDir()
				if err != nil {
					return err
				}
				script := feedScript{obs: obs, data: data, store: hotkeys.NewStore(state),
					order: hotkeys.Order{Device: c.config.VideoIn}}
				return feedSetup{obs: obs, script: script, out: c.stdout}.run(camera.Order{All: *all, Undo: *undo})
			}
		},
	}
}

// errNoCamera: OBS writes the setting into its scene collection, and keeps it there, only with a virtual camera.
var errNoCamera = errors.New("this machine does not have the kernel module v4l2loopback, so OBS has no virtual camera and forgets the setting when it ends; " +
	"for the portable route `costream-obs run --clean-feed` is enough; for the devices route type `costream-obs setup` first, then repeat this command")

// hasCamera reports whether an OBS that starts on the machine has a virtual camera: OBS looks, at its start, whether
// v4l2loopback is loaded or installed (loopback_module_available, plugins/linux-v4l2).
func hasCamera(m setup.Machine) bool {
	module := m.KernelModule("v4l2loopback")
	return module.Loaded || module.File != ""
}

func setupCleanFeed(out io.Writer, machine setup.Machine, obs collection.Dir, order camera.Order) error {
	if !order.Undo && !hasCamera(machine) {
		return errNoCamera
	}
	state, err := stateDir()
	if err != nil {
		return err
	}
	done, err := camera.NewStore(state).Carry(order, obs)
	switch {
	case errors.Is(err, collection.ErrRunning):
		fmt.Fprintln(out, whileOpen())
		return nil
	case err != nil:
		return err
	case order.Undo && len(done) == 0:
		fmt.Fprintln(out, "OBS's virtual camera has nothing to take back.")
	case order.Undo:
		fmt.Fprintf(out, "OBS's virtual camera shows what it showed before. Scene collections: %s.\n", strings.Join(done, ", "))
	default:
		fmt.Fprintf(out, "OBS's virtual camera shows the scene for your peer from OBS's next start on. Scene collections: %s.\n", strings.Join(done, ", "))
	}
	return nil
}

// whileOpen says what has to happen for what waits until OBS is closed.
func whileOpen() string {
	next := "close OBS, then repeat this command; or have costream-obs run running when OBS ends"
	if companionRuns() {
		next = "costream-obs run does it when you close OBS"
	}
	return fmt.Sprintf("OBS is open, so its scene collection cannot be written now: %s.", next)
}

// finishCleanFeed carries out what waits for the end of OBS, and tells of it.
func finishCleanFeed(store camera.Store, tell io.Writer) {
	find := func() (collection.Dir, error) { return collection.Find(obsctl.FindOptions{}) }
	order, finished, err := store.Finish(find, func() bool { return hasCamera(setup.Machine{}) })
	switch {
	case err != nil:
		fmt.Fprintf(tell, "OBS's virtual camera: %v\n", err)
	case finished && order.Undo:
		fmt.Fprintln(tell, "OBS's virtual camera shows what it showed before.")
	case finished:
		fmt.Fprintln(tell, "OBS's virtual camera shows the scene for your peer from OBS's next start on.")
	}
}
