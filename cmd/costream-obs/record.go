// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
)

// recordingDir is the directory of --record-peer as an absolute path. A leading ~ is the home directory, because no shell
// replaces it in a configuration file.
func recordingDir(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	if rest, home := strings.CutPrefix(dir, "~"); home && (rest == "" || rest[0] == '/') {
		at, err := os.UserHomeDir()
		if err != nil {
			return "", usagef("--record-peer %s: %v", dir, err)
		}
		dir = at + rest
	}
	return filepath.Abs(dir)
}
