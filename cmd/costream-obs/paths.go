// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"

	"github.com/costream-obs/costream-obs/internal/xdg"
)

// stateDir is for files that outlive the program: $XDG_STATE_HOME/costream-obs.
func stateDir() (string, error) {
	dir, err := xdg.StateHome()
	return filepath.Join(dir, "costream-obs"), err
}

// cacheDir is for files that can be made again: $XDG_CACHE_HOME/costream-obs.
func cacheDir() (string, error) {
	dir, err := xdg.CacheHome()
	return filepath.Join(dir, "costream-obs"), err
}

// dataDir is for files that other programs read, such as OBS's script: $XDG_DATA_HOME/costream-obs.
func dataDir() (string, error) {
	dir, err := xdg.DataHome()
	return filepath.Join(dir, "costream-obs"), err
}

// controlSocket is where a running costream-obs answers questions: in a directory in which only its user can write.
func controlSocket() (string, error) {
	const name = "costream-obs.sock"
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, name), nil
	}
	dir, err := stateDir()
	return filepath.Join(dir, name), err
}
