// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// State is what a plan is made from.
type State struct {
	Kernel string
	// KernelDir: the running kernel's modules are there. They are missing in a container, or if the kernel was updated
	// without a restart.
	KernelDir bool
	// Source and Headers are there to build a module from.
	Source, Headers bool
	// Installer is the program that installs packages: "apt-get", "dnf",
	// "pacman" or "zypper"; empty when there is none that we know.
	Installer string
	// Present are the installed packages among those that setup could install.
	Present []string
	// Apt returns what apt-get would do; nil if it cannot be asked.
	Apt func(args ...string) (AptChanges, error)
	// ListsUpdated: the lists of packages were just updated.
	ListsUpdated bool
	SecureBoot   bool

	Loopback KernelModule
	// CanAdd: single devices can be added and deleted, with a module and v4l2loopback-ctl of 0.13 or later.
	CanAdd  bool
	Nodes   []v4l2.Node
	Holders map[string][]v4l2.Holder // of the loopback nodes, as far as this user may see
	Group   string                   // of the loopback nodes
	// Members belong to that group from their next login on.
	Members []string

	Aloop KernelModule
	// AloopCard is the index of snd-aloop's sound card, and -1 without one.
	AloopCard int

	// Files are the current contents of the files that setup writes, by path.
	Files map[string]string
	// Others are files of others with options for v4l2loopback.
	Others []OptionsFile
}

// Survey looks at the machine and changes nothing.
func (m Machine) Survey() (State, error) {
	s := State{
		Kernel:     m.Kernel(),
		SecureBoot: m.SecureBoot(),
		Loopback:   m.KernelModule("v4l2loopback"),
		Aloop:      m.KernelModule("snd-aloop"),
		AloopCard:  m.aloopCard(),
		Files:      make(map[string]string),
		Holders:    make(map[string][]v4l2.Holder),
	}
	s.KernelDir = m.exists("lib", "modules", s.Kernel)
	s.Headers = m.exists("lib", "modules", s.Kernel, "build")
	sources, _ := filepath.Glob(m.path("usr", "src", "v4l2loopback-*"))
	s.Source = len(sources) > 0
	for _, program := range []string{"apt-get", "dnf", "pacman", "zypper"} {
		if m.exists("usr", "bin", program) {
			s.Installer = program
			break
		}
	}
	if s.Installer == "apt-get" && m.Root == "" {
		s.Apt = simulateApt
	}
	for _, name := range []string{"v4l2loopback-dkms", "v4l2loopback-utils", "linux-headers-" + s.Kernel} {
		if m.exists("var", "lib", "dpkg", "info", name+".list") {
			s.Present = append(s.Present, name)
		}
	}
	s.CanAdd = m.exists("dev", "v4l2loopback") && m.controlProgram()
	if err := m.surveyNodes(&s); err != nil {
		return State{}, err
	}
	for _, path := range ourFiles {
		if data, err := os.ReadFile(m.path(path)); err == nil {
			s.Files[path] = string(data)
		}
	}
	s.Others = slices.DeleteFunc(m.Boot().Options, func(f OptionsFile) bool { return slices.Contains(ourFiles, f.Path) })
	return s, nil
}

func (m Machine) surveyNodes(s *State) error {
	var err error
	if s.Nodes, err = m.video().Nodes(); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if !n.Loopback {
			continue
		}
		if s.Holders[n.Path], err = m.video().Holders(n.Path); err != nil {
			return err
		}
		if info, err := os.Stat(m.path(n.Path)); err == nil && s.Group == "" {
			if stat, ok := info.Sys().(*syscall.Stat_t); ok {
				s.Group, s.Members = m.group(int(stat.Gid))
			}
		}
	}
	return nil
}

// group finds a number in /etc/group.
func (m Machine) group(gid int) (name string, members []string) {
	for line := range strings.Lines(m.text("etc", "group")) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) == 4 && fields[2] == itoa(gid) {
			return fields[0], strings.Split(fields[3], ",")
		}
	}
	return "", nil
}

// aloopCard reads lines like " 10 [alooptopeer    ]: Loopback - Loopback".
func (m Machine) aloopCard() int {
	for line := range strings.Lines(m.text("proc", "asound", "cards")) {
		number, rest, found := strings.Cut(line, "[")
		if found && strings.Contains(rest, "]: Loopback") {
			return atoi(strings.TrimSpace(number), -1)
		}
	}
	return -1
}

// controlProgram reports whether there is a v4l2loopback-ctl that can add devices. The one of 0.12 and before is a shell
// script and cannot (measured, 0.12.7; the others: v4l2loopback's utils).
func (m Machine) controlProgram() bool {
	for _, dir := range []string{"usr/bin", "usr/local/bin"} {
		f, err := os.Open(m.path(dir, "v4l2loopback-ctl"))
		if err != nil {
			continue
		}
		head := make([]byte, 2)
		_, err = io.ReadFull(f, head)
		_ = f.Close()
		return err == nil && string(head) != "#!"
	}
	return false
}

func (m Machine) exists(parts ...string) bool {
	_, err := os.Stat(m.path(parts...))
	return err == nil
}
