// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// stateDir keeps what outlives the program: $XDG_STATE_HOME/costream-obs.
func stateDir() (string, error) { return xdgDir("XDG_STATE_HOME", ".local/state") }

// dataDir keeps what other programs read, such as OBS's script: $XDG_DATA_HOME/costream-obs.
func dataDir() (string, error) { return xdgDir("XDG_DATA_HOME", ".local/share") }

// xdgDir is our directory in a base directory of the XDG specification, which is in the home directory by default.
func xdgDir(variable, fallback string) (string, error) {
	base := os.Getenv(variable)
	if !filepath.IsAbs(base) { // The specification tells to ignore a relative one.
		home := os.Getenv("HOME")
		if home == "" {
			return "", fmt.Errorf("neither $%s nor $HOME is set: costream-obs needs one of them to store files", variable)
		}
		base = filepath.Join(home, fallback)
	}
	return filepath.Join(base, "costream-obs"), nil
}

// controlSocket is where a running costream-obs answers questions. It lies where only its user can write.
func controlSocket() (string, error) {
	const name = "costream-obs.sock"
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, name), nil
	}
	dir, err := stateDir()
	return filepath.Join(dir, name), err
}
