// SPDX-License-Identifier: Apache-2.0

package v4l2

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Holder is a process that has a file open.
type Holder struct {
	PID     int
	Command string // its short name, at most 15 bytes
}

func (h Holder) String() string { return fmt.Sprintf("%s (process %d)", h.Command, h.PID) }

// Holders are the processes that have a file open, as far as this user may
// see: without root, those of the same user.
func (s System) Holders(path string) ([]Holder, error) {
	entries, err := os.ReadDir(s.path("proc"))
	if err != nil {
		return nil, fmt.Errorf("look for who has %s open: %w", path, err)
	}
	var holders []Holder
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !s.holds(e.Name(), path) {
			continue
		}
		command, _ := os.ReadFile(s.path("proc", e.Name(), "comm"))
		holders = append(holders, Holder{PID: pid, Command: strings.TrimSpace(string(command))})
	}
	slices.SortFunc(holders, func(a, b Holder) int { return a.PID - b.PID })
	return holders, nil
}

func (s System) holds(pid, path string) bool {
	dir := s.path("proc", pid, "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false // gone, or another user's
	}
	for _, fd := range fds {
		if target, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && target == path {
			return true
		}
	}
	return false
}
