// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/collection"
	"github.com/costream-obs/costream-obs/internal/dock"
	"github.com/costream-obs/costream-obs/obsctl"
)

// dockStage is a home directory with an OBS that is closed, which has browser docks or has not.
func dockStage(t *testing.T, plugin string) (d dockSetup, out *bytes.Buffer, settings string) {
	t.Helper()
	home := isolate(t)
	closedOBS(t)
	places := obsctl.FindOptions{Home: home, XDGConfigHome: os.Getenv("XDG_CONFIG_HOME"), ProcRoot: filepath.Join(home, "proc")}
	root := filepath.Join(home, "root")
	plugins := filepath.Join(root, "usr/lib/obs-plugins")
	if err := errors.Join(os.Mkdir(places.ProcRoot, 0o700), os.MkdirAll(plugins, 0o700), os.WriteFile(filepath.Join(plugins, plugin), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	obs, err := collection.Find(places)
	if err != nil {
		t.Fatal(err)
	}
	state, err := stateDir()
	if err != nil {
		t.Fatal(err)
	}
	out = &bytes.Buffer{}
	return dockSetup{obs: obs, state: state, store: dock.NewStore(state), places: dock.Places{Root: root, Proc: places.ProcRoot, Home: home},
			panel: func() string { return "http://127.0.0.1:4466/secret/" }, out: out},
		out, filepath.Join(obs.Path, "global.ini")
}

func TestSetupDock(t *testing.T) {
	d, out, settings := dockStage(t, "obs-browser.so")
	before, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, want string
		do         func() error
		docks      bool
	}{
		{"undo first", "There is nothing to undo.\n", d.undo, false},
		{"set", "From its next start, OBS has the panel in its menu Docks, as \"costream-obs\".\n  SETTINGS, backup: SETTINGS.before-costream-obs\n", d.set, true},
		{"set again", "OBS has the dock already: in its menu Docks, \"costream-obs\".\n", d.set, true},
		{"undo", "Our dock is removed from OBS.\n  SETTINGS, backup: SETTINGS.before-costream-obs\n", d.undo, false},
		{"undo again", "There is nothing to undo.\n", d.undo, false},
	} {
		out.Reset()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, strings.ReplaceAll(out.String(), settings, "SETTINGS")); diff != "" {
			t.Errorf("%s: -want +got:\n%s", step.name, diff)
		}
		address, err := dock.Address(d.obs)
		if docks := dock.Leads(address, dock.PagePath(d.state)); docks != step.docks || err != nil {
			t.Errorf("%s: OBS has a dock with the address %q, %v", step.name, address, err)
		}
		page, err := os.ReadFile(dock.PagePath(d.state))
		if leads := strings.Contains(string(page), d.panel()); leads != step.docks {
			t.Errorf("%s: the page leads to the panel: %v (%v)", step.name, leads, err)
		}
	}
	after, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	if text, has := strings.CutPrefix(string(after), string(before)); !has || text != "\n[BasicWindow]\n" {
		t.Errorf("undone: got %q, want %q and the empty section", after, before)
	}
}

// TestSetupDockWithout is refused by an OBS that has no browser docks, and changes nothing.
func TestSetupDockWithout(t *testing.T) {
	d, _, settings := dockStage(t, "linux-capture.so")
	before, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.set(); !errors.Is(err, errNoDocks) {
		t.Errorf("got %v, want %v", err, errNoDocks)
	}
	if after, err := os.ReadFile(settings); err != nil || !bytes.Equal(after, before) {
		t.Errorf("got %q, %v", after, err)
	}
	if _, err := os.Stat(dock.PagePath(d.state)); err == nil {
		t.Error("there is a page for a dock")
	}
}

// TestSetupDockWaits prepares the dock beside an OBS that is open, and finishes when it is closed.
func TestSetupDockWaits(t *testing.T) {
	d, out, _ := dockStage(t, "obs-browser.so")
	process := openOBS(t, d)
	if err := d.set(); err != nil {
		t.Fatal(err)
	}
	const want = "The dock is prepared.\nOBS is open, so its settings cannot be written now: close OBS, then repeat this command; or keep costream-obs run running until OBS ends.\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	find := func() (collection.Dir, error) { return d.obs, nil }
	out.Reset()
	if finishDockIn(d.store, out, find); out.Len() > 0 {
		t.Errorf("OBS is open, and this was said: %s", out)
	}
	if err := os.RemoveAll(process); err != nil {
		t.Fatal(err)
	}
	finishDockIn(d.store, out, find)
	if diff := cmp.Diff("From its next start, OBS has the panel in its menu Docks, as \"costream-obs\".\n", out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if address, err := dock.Address(d.obs); !dock.Leads(address, dock.PagePath(d.state)) {
		t.Errorf("the dock's address: got %q, %v", address, err)
	}
}

// openOBS opens the OBS of a stage, and returns the directory of its process, without which it is closed.
func openOBS(t *testing.T, d dockSetup) (process string) {
	t.Helper()
	process = filepath.Join(d.places.Proc, "77")
	config := os.Getenv("XDG_CONFIG_HOME")
	err := os.Mkdir(process, 0o700)
	for name, text := range map[string]string{"comm": "obs\n", "cmdline": "obs\x00", "environ": "XDG_CONFIG_HOME=" + config + "\x00"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(process, name), []byte(text), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// TestSetupDockUndoneWhileOpen: beside an OBS that is open, undo waits only for a dock that OBS has.
func TestSetupDockUndoneWhileOpen(t *testing.T) {
	d, out, _ := dockStage(t, "obs-browser.so")
	process := openOBS(t, d)
	for _, step := range []struct {
		name, want string
		do         func() error
		waits      bool
	}{
		{"undo first", "There is nothing to undo.\n", d.undo, false},
		{"set", "The dock is prepared.\n" + whileOpen("settings") + "\n", d.set, true},
		{"undo", "The prepared dock is dropped. OBS did not have it yet.\n", d.undo, false},
		{"undo again", "There is nothing to undo.\n", d.undo, false},
		{"set once more", "The dock is prepared.\n" + whileOpen("settings") + "\n", d.set, true},
		{"OBS takes it", "From its next start, OBS has the panel in its menu Docks, as \"costream-obs\".\n", func() error {
			if err := os.RemoveAll(process); err != nil {
				return err
			}
			finishDockIn(d.store, out, func() (collection.Dir, error) { return d.obs, nil })
			openOBS(t, d)
			return nil
		}, false},
		{"undo what OBS has", "The dock will be removed from OBS.\n" + whileOpen("settings") + "\n", d.undo, true},
	} {
		out.Reset()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, out.String()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", step.name, diff)
		}
		order, err := d.store.Load()
		if waits := order != nil && order.Waiting; waits != step.waits || err != nil {
			t.Errorf("%s: an order waits: %t (%v)", step.name, waits, err)
		}
	}
}
