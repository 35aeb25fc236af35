// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/priority"
)

// pipeWirePrograms are the processes of PipeWire through which sound goes; each has a thread for it.
var pipeWirePrograms = []string{"pipewire", "pipewire-pulse"}

// priority is audio.priority.
func (m *Machine) priority(ctx context.Context) doctor.Result {
	sound, err := m.Sound(ctx)
	if err != nil {
		return unknownSound(err)
	}
	if !strings.Contains(sound.Info.Name, "PipeWire") {
		return doctor.Fine("not looked at with PulseAudio")
	}
	var seen, lacking []string
	entries, _ := filepath.Glob(m.path("proc", "[0-9]*", "comm"))
	for _, comm := range entries {
		dir := filepath.Dir(comm)
		name, err := os.ReadFile(comm)
		program := strings.TrimSpace(string(name))
		if err != nil || !slices.Contains(pipeWirePrograms, program) || !own(dir) {
			continue
		}
		seen = append(seen, program)
		if !realTime(dir) {
			lacking = append(lacking, fmt.Sprintf("%s, process %s", program, filepath.Base(dir)))
		}
	}
	switch {
	case len(seen) == 0:
		return doctor.Skipped("PipeWire runs outside of this container")
	case len(lacking) == 0:
		return doctor.Fine("%s", strings.Join(seen, ", "))
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("PipeWire's sound threads have no real-time priority (%s).", strings.Join(lacking, "; ")),
		Why:    "When the machine is busy, sound drops out: your voice for the peer, and the peer's voice for you and your viewers.",
		Next:   m.rtkit(),
	}
}

// rtkit is how to get real-time priority.
func (m *Machine) rtkit() string {
	if _, err := os.Stat(m.path("usr/libexec/rtkit-daemon")); err == nil {
		return "Log out and in again. If it stays so, see whether the service that grants it runs: `systemctl status rtkit-daemon`"
	}
	return "Install the service that grants it: `sudo apt install rtkit`, then log out and in again."
}

// ownPriority is audio.urgent.
func (m *Machine) ownPriority(context.Context) doctor.Result {
	realTime, nice := m.Urgent()
	switch {
	case realTime == nil && nice == nil:
		return doctor.Fine("for sound; and a nice level below 0")
	case realTime == nil:
		return doctor.Fine("for sound; the nice level stays 0")
	case errors.Is(realTime, priority.ErrBusy):
		return doctor.Fine("rtkit grants it, but to no more threads just now: costream-obs asks again")
	}
	return doctor.Result{
		Status: doctor.Fail,
		Detail: fmt.Sprintf("costream-obs gets no real-time priority for its sound threads (%v).", realTime),
		Why:    "When the machine is busy, the voices break off more often.",
		Next:   m.rtkit(),
	}
}

// own reports whether a process is this user's. Other users' sound servers do not matter.
func own(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// realTime reports whether a thread of a process has a real-time policy, SCHED_FIFO or SCHED_RR: proc(5), stat, policy.
func realTime(dir string) bool {
	const policy = 41 - 3 // counted from the state, the third field, behind the name, which may hold blanks
	files, _ := filepath.Glob(filepath.Join(dir, "task", "*", "stat"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		if fields := strings.Fields(rest); len(fields) > policy && (fields[policy] == "1" || fields[policy] == "2") {
			return true
		}
	}
	return false
}
