// SPDX-License-Identifier: Apache-2.0

// Package xdg finds the directories of the XDG Base Directory Specification for this user. It makes none of them.
package xdg

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
)

// errNoHome: neither the environment nor the system's list of users has a home directory.
var errNoHome = errors.New("this user has no home directory: set HOME")

// Home is the user's home directory: $HOME, or what the system has for the user if that is not set.
func Home() (string, error) {
	if home := os.Getenv("HOME"); home != "" {
		return home, nil
	}
	if u, err := user.Current(); err == nil && filepath.IsAbs(u.HomeDir) {
		return u.HomeDir, nil
	}
	return "", errNoHome
}

// ConfigHome is the directory for configuration files.
func ConfigHome() (string, error) { return base("XDG_CONFIG_HOME", ".config") }

// StateHome is the directory for files that outlive a program.
func StateHome() (string, error) { return base("XDG_STATE_HOME", ".local/state") }

// DataHome is the directory for files that other programs read.
func DataHome() (string, error) { return base("XDG_DATA_HOME", ".local/share") }

// CacheHome is the directory for files that can be made again.
func CacheHome() (string, error) { return base("XDG_CACHE_HOME", ".cache") }

// base is a variable's directory, or one in the home directory. The specification says to ignore a relative path.
func base(variable, fallback string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Clean(dir), nil
	}
	home, err := Home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, fallback), nil
}
