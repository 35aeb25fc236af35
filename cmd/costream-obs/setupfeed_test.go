// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/cleanfeed"
	"github.com/costream-obs/costream-obs/internal/cleanfeed/camera"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/hotkeys"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestFeedNeeded: the step is offered where something is to be done, and not again while that waits for the end of OBS.
func TestFeedNeeded(t *testing.T) {
	_, f := closedFeed(t)
	f.out = new(strings.Builder)
	want := func(when string, do, undo bool) {
		t.Helper()
		for order, want := range map[bool]bool{false: do, true: undo} {
			if got, err := f.needed(order); err != nil || got != want {
				t.Errorf("%s, undo %t: got needed %t, %v; want %t", when, order, got, err, want)
			}
		}
	}
	run := func(o camera.Order) {
		t.Helper()
		if err := f.run(o); err != nil {
			t.Fatal(err)
		}
	}
	want("at first", true, false)
	run(camera.Order{})
	want("with the script, without a camera", false, true)
	if err := os.MkdirAll(filepath.Join(f.machine.Root, "sys/module/v4l2loopback"), 0o700); err != nil {
		t.Fatal(err)
	}
	want("with the script, with a camera", true, true)
	run(camera.Order{})
	want("with all", false, true)
	run(camera.Order{Undo: true})
	want("after the undo", true, false)
	if err := f.camera.Save(camera.Order{Waiting: true}); err != nil {
		t.Fatal(err)
	}
	if err := f.script.store.Save(hotkeys.Entry{Order: hotkeys.Order{CleanFeed: true}, Waiting: true}); err != nil {
		t.Fatal(err)
	}
	want("while all waits for the end of OBS", false, true)
}

// TestSetupFeedStep: setup asks before it changes OBS's files, does what setup clean-feed does, and takes it back; what
// keeps it from that is a note.
func TestSetupFeedStep(t *testing.T) {
	isolate(t)
	yes, no, places := true, false, obsctl.FindOptions{ProcRoot: t.TempDir()}
	step := func(yes, undo *bool) (done bool, said string) {
		t.Helper()
		var out strings.Builder
		done = setupFlags{yes: yes, undo: undo, places: places}.feed(t.Context(), &invocation{stdin: strings.NewReader(""), stdout: &out, config: new(config.Config)})
		return done, out.String()
	}
	want := func(what string, yes, undo *bool, wantDone bool, says string) {
		t.Helper()
		if done, said := step(yes, undo); done != wantDone || !strings.Contains(strings.Join(strings.Fields(said), " "), says) || says == "" && said != "" {
			t.Errorf("%s: got done %t and %q, want %t and %q", what, done, said, wantDone, says)
		}
	}
	want("without OBS", &yes, &no, false, "start OBS once, then close it. To try again: costream-obs setup clean-feed")
	want("nothing to undo, without OBS", &yes, &yes, false, "")
	file := closedOBS(t)
	want("without a terminal", &no, &no, false, "there is no terminal to ask on. To try again: costream-obs setup clean-feed")
	if text, err := os.ReadFile(file); err != nil || string(text) != collectionText {
		t.Errorf("the scene collection: got %s, %v; want it as it was", text, err)
	}
	want("agreed", &yes, &no, true, "outputs the scene \""+cleanfeed.Scene+"\", and a script of ours")
	want("done already", &yes, &no, false, "")
	want("taken back", &yes, &yes, true, "OBS no longer runs our script.")
	want("taken back already", &yes, &yes, false, "")
	if text, err := os.ReadFile(file); err != nil || string(text) != collectionText {
		t.Errorf("the scene collection: got %s, %v; want it as it was", text, err)
	}
}
