// SPDX-License-Identifier: Apache-2.0

package dock

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/costream-obs/costream-obs/internal/collection"
)

// plugin is the part of OBS that has browser docks. Debian builds OBS without it.
const plugin = "obs-browser.so"

// Browser says whether an OBS has browser docks.
type Browser string

// What is known of an OBS.
const (
	HasDocks Browser = "has docks"
	NoDocks  Browser = "no docks"
	// Unknown: OBS is closed, and none of its plugins are where packages put them.
	Unknown Browser = "unknown"
)

// Places are where FindBrowser looks; empty fields are those of this machine.
type Places struct {
	// Root is the root directory, Proc the directory of processes, Home the user's.
	Root, Proc, Home string
}

// FindBrowser looks whether an OBS has browser docks: at its process while it runs, else for its plugins.
func FindBrowser(d collection.Dir, p Places) Browser {
	if p.Root == "" {
		p.Root = "/"
	}
	if p.Proc == "" {
		p.Proc = "/proc"
	}
	if pid := d.Running(); pid != 0 {
		maps, err := os.ReadFile(filepath.Join(p.Proc, strconv.Itoa(pid), "maps"))
		switch {
		case err != nil:
		case bytes.Contains(maps, []byte("/"+plugin)):
			return HasDocks
		case bytes.Contains(maps, []byte("/obs-plugins/")): // It has loaded its plugins.
			return NoDocks
		}
	}
	found := Unknown
	for _, pattern := range p.patterns(d) {
		dirs, _ := filepath.Glob(pattern) // The pattern is right, so there is no error.
		for _, dir := range dirs {
			if _, err := os.Stat(filepath.Join(dir, plugin)); err == nil {
				return HasDocks
			}
			if plugins, _ := filepath.Glob(filepath.Join(quote(dir), "*.so")); len(plugins) > 0 {
				found = NoDocks
			}
		}
	}
	return found
}

// patterns are the directories of the plugins that come with an OBS. Plugins that the user adds do not bring the docks, because
// those are a part of OBS's own window.
func (p Places) patterns(d collection.Dir) []string {
	root := quote(p.Root)
	switch {
	case d.Flatpak():
		const app = "flatpak/app/com.obsproject.Studio/current/active/files/lib/obs-plugins"
		return []string{filepath.Join(root, "var/lib", app), filepath.Join(quote(p.Home), ".local/share", app)}
	case d.Snap():
		return []string{filepath.Join(root, "snap/obs-studio/current/usr/lib/obs-plugins"),
			filepath.Join(root, "snap/obs-studio/current/usr/lib/*/obs-plugins")}
	}
	var all []string
	for _, lib := range []string{"usr/lib", "usr/lib64", "usr/lib/*", "usr/local/lib", "usr/local/lib64", "usr/local/lib/*"} {
		all = append(all, filepath.Join(root, lib, "obs-plugins"))
	}
	return all
}

// quote writes a path as a pattern that matches it alone.
func quote(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
