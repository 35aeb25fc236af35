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
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

func setupCleanFeedCommand() *command {
	return &command{
		name:  "clean-feed",
		short: "prepare OBS for sending the programme without the peer, or undo that",
		long: "Makes OBS's virtual camera output the scene \"" + cleanfeed.Scene + "\", which costream-obs run keeps in step with the programme, but without the peer. So both friends can show each other, and neither gets their own picture back. costream-obs setup does the same as one of its steps. Only the devices route needs this: until it is done, --route=auto takes the portable route. OBS keeps the setting only if it has a virtual camera, so it needs the kernel module v4l2loopback, which costream-obs setup installs; without it the camera is not changed.\n\n" +
			"Also makes OBS run a script of ours. With it, OBS 30.1 or later hides the scenes for the peer from your list of scenes on the portable route.\n\n" +
			"OBS reads both from its scene collection when it starts, so they are written while OBS is closed. While OBS is open they wait, and a running costream-obs run writes them when OBS ends. Without --all, only the current scene collection gets them.",
		settings: []string{"video-in"},
		bind: func(set *pflag.FlagSet) action {
			all := set.Bool("all", false, "in all scene collections")
			undo := set.Bool("undo", false, "undo this in all scene collections: the virtual camera outputs what it did before, and the script goes unless it provides hotkeys")
			return func(_ context.Context, c *invocation) error {
				if *all && *undo {
					return usagef("--undo changes all scene collections and takes no other flag")
				}
				feed, err := newFeedSetup(c, obsctl.FindOptions{})
				if err != nil {
					return err
				}
				return feed.run(camera.Order{All: *all, Undo: *undo})
			}
		},
	}
}

// errNoCamera: OBS writes the setting into its scene collection, and keeps it there, only with a virtual camera.
var errNoCamera = errors.New("this machine does not have the kernel module v4l2loopback, so OBS has no virtual camera and forgets the setting when it ends; " +
	"the portable route needs nothing more; for the devices route type `costream-obs setup` first, then repeat this command")

// hasCamera reports whether an OBS that starts on the machine has a virtual camera: OBS looks, at its start, whether
// v4l2loopback is loaded or installed (loopback_module_available, plugins/linux-v4l2).
func hasCamera(m setup.Machine) bool {
	module := m.KernelModule("v4l2loopback")
	return module.Loaded || module.File != ""
}

// setCamera does the part of it that is about the virtual camera.
func (f feedSetup) setCamera(order camera.Order) error {
	if !order.Undo && !hasCamera(f.machine) {
		return errNoCamera
	}
	before, err := f.camera.Load()
	if err != nil {
		return err
	}
	done, err := f.camera.Carry(order, f.obs)
	switch {
	case errors.Is(err, collection.ErrRunning):
		fmt.Fprintln(f.out, whileOpen("scene collection"))
		return nil
	case err != nil:
		return err
	case order.Undo && len(done) == 0 && before.Waiting && !before.Undo:
		fmt.Fprintln(f.out, "The prepared change of OBS's virtual camera is dropped. OBS did not have it yet.")
	case order.Undo && len(done) == 0:
		fmt.Fprintln(f.out, "There is nothing to undo for OBS's virtual camera.")
	case order.Undo:
		fmt.Fprintf(f.out, "OBS's virtual camera outputs what it did before. Scene collections: %s.\n", strings.Join(done, ", "))
	default:
		fmt.Fprintf(f.out, "From OBS's next start, its virtual camera outputs the scene for your peer. Scene collections: %s.\n", strings.Join(done, ", "))
	}
	return nil
}

// whileOpen says what has to happen for a change of one of OBS's files that waits until OBS is closed.
func whileOpen(file string) string {
	next := "close OBS, then repeat this command; or keep costream-obs run running until OBS ends"
	if companionRuns() {
		next = "costream-obs run does it when you close OBS"
	}
	return fmt.Sprintf("OBS is open, so its %s cannot be written now: %s.", file, next)
}

// finishCleanFeed carries out what waits for the end of OBS, and tells of it.
func finishCleanFeed(store camera.Store, tell io.Writer) {
	find := func() (collection.Dir, error) { return collection.Find(obsctl.FindOptions{}) }
	order, finished, err := store.Finish(find, func() bool { return hasCamera(setup.Machine{}) })
	switch {
	case err != nil:
		fmt.Fprintf(tell, "OBS's virtual camera: %v\n", err)
	case finished && order.Undo:
		fmt.Fprintln(tell, "OBS's virtual camera outputs what it did before.")
	case finished:
		fmt.Fprintln(tell, "From OBS's next start, its virtual camera outputs the scene for your peer.")
	}
}
