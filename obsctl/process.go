// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is a running OBS of this user.
type Process struct {
	PID int
	// Args is the command line without the program's name.
	Args []string
	// ConfigHome is the directory that holds OBS's obs-studio directory:
	// $XDG_CONFIG_HOME or $HOME/.config in that process's environment. Flatpak
	// and Snap set these, so it is right for them, too.
	ConfigHome string
}

// programs are the names that OBS's executable goes by; NixOS wraps it.
var programs = []string{"obs", "obs-studio", ".obs-wrapped"}

// FindProcesses lists the running OBS whose environment this user may read,
// lowest process id first. procRoot replaces /proc when not empty.
func FindProcesses(procRoot string) []Process {
	entries, err := os.ReadDir(orProc(procRoot))
	if err != nil {
		return nil
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(filepath.Join(orProc(procRoot), entry.Name())); ok {
			p.PID = pid
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found
}

func readProcess(dir string) (Process, bool) {
	args := nulSeparated(filepath.Join(dir, "cmdline"))
	// A zombie has no command line.
	if len(args) == 0 {
		return Process{}, false
	}
	comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
	named := slices.Contains(programs, filepath.Base(args[0])) ||
		slices.Contains(programs, strings.TrimSpace(string(comm)))
	if !named {
		return Process{}, false
	}
	environ := nulSeparated(filepath.Join(dir, "environ"))
	if len(environ) == 0 {
		return Process{}, false
	}
	var home, config string
	for _, pair := range environ {
		switch name, value, _ := strings.Cut(pair, "="); name {
		case "HOME":
			home = value
		case "XDG_CONFIG_HOME":
			config = value
		}
	}
	return Process{Args: args[1:], ConfigHome: configHome(config, home)}, true
}

// configHome is the rule of the XDG base directory specification.
func configHome(xdg, home string) string {
	if filepath.IsAbs(xdg) {
		return filepath.Clean(xdg)
	}
	return filepath.Join(home, ".config")
}

// option returns the value of "--name value" or "--name=value", the last one
// when it is given twice, as Qt's parser in OBS does.
func (p Process) option(name string) string {
	var value string
	for i, arg := range p.Args {
		if rest, ok := strings.CutPrefix(arg, "--"+name+"="); ok {
			value = rest
		}
		if arg == "--"+name && i+1 < len(p.Args) {
			value = p.Args[i+1]
		}
	}
	return value
}

func nulSeparated(file string) []string {
	data, err := os.ReadFile(file)
	text := strings.TrimRight(string(data), "\x00")
	if err != nil || text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

func orProc(root string) string {
	if root == "" {
		return "/proc"
	}
	return root
}
