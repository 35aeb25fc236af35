// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
)

// stateDir keeps what outlives the program: $XDG_STATE_HOME/costream-obs.
func stateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // The XDG specification tells to ignore a relative one.
		home := os.Getenv("HOME")
		if home == "" {
			return "", errors.New("neither $XDG_STATE_HOME nor $HOME is set: there is no place to keep state")
		}
		base = filepath.Join(home, ".local", "state")
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
