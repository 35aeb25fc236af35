// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"strings"
)

// installation is how v4l2loopback is installed on a machine.
type installation struct {
	step     Step
	packages []string // that --undo removes; may be nil
	lists    bool     // the step only updates the installer's lists of packages
}

// planInstall chooses between installing the module, installing what it is built with, and building it.
func (s State) planInstall() (installation, error) {
	const what = "Install the kernel module v4l2loopback"
	switch {
	case s.Source && s.Headers:
		return installation{step: Step{
			What:     fmt.Sprintf("Build the kernel module v4l2loopback for Linux %s", s.Kernel),
			Commands: []Command{run("dkms", "autoinstall", "-k", s.Kernel)},
			Hint:     "The build's log is below /var/lib/dkms/v4l2loopback. A module that is older than the kernel by years does not build: look for a newer v4l2loopback-dkms.",
		}}, nil
	case s.Source && s.Installer == "apt-get":
		// Installing the headers builds the module, too.
		headers := "linux-headers-" + s.Kernel
		return s.aptInstallation(fmt.Sprintf("Install the headers of Linux %s, which builds the kernel module v4l2loopback", s.Kernel), headers)
	}
	switch s.Installer {
	case "apt-get":
		packages := []string{"v4l2loopback-dkms", "v4l2loopback-utils"}
		if !s.Headers {
			packages = append(packages, "linux-headers-"+s.Kernel)
		}
		return s.aptInstallation(what, packages...)
	case "dnf":
		return installation{step: Step{What: what, Commands: []Command{run("dnf", "install", "-y", "v4l2loopback")},
			Hint: "It is in the repository RPM Fusion free: https://rpmfusion.org/Configuration explains how to add that."}, packages: []string{"v4l2loopback"}}, nil
	case "pacman":
		return installation{step: Step{What: what, Commands: []Command{run("pacman", "-S", "--needed", "--noconfirm", "v4l2loopback-dkms", "linux-headers")},
			Hint: "With a kernel other than the package linux, install its own headers first."}, packages: []string{"v4l2loopback-dkms"}}, nil
	case "zypper":
		return installation{step: Step{What: what, Commands: []Command{run("zypper", "--non-interactive", "install", "v4l2loopback-kmp-default", "v4l2loopback-utils")}},
			packages: []string{"v4l2loopback-kmp-default", "v4l2loopback-utils"}}, nil
	}
	return installation{}, &Blocked{
		What: "The kernel module v4l2loopback is not installed, and this system has no package manager that setup knows.",
		Next: "Install it with your system's tools (https://github.com/umlaeute/v4l2loopback) and run setup again, or do without: `costream-obs run --route=portable`.",
	}
}

const noHeaders = "If a package linux-headers was not found, the running kernel is older than the archive: update the system, restart, and run setup again."

func (s State) aptInstallation(what string, packages ...string) (installation, error) {
	step, lists, err := s.aptInstall(what, packages)
	if lists {
		packages = nil
	}
	return installation{step: step, packages: packages, lists: lists}, err
}

const removeWhat = "Remove the packages that setup installed"

// planRemove undoes planInstall. It keeps packages whose removal would remove others, and all if the package manager cannot
// be asked about that.
func (s State) planRemove(p *Plan, packages []string) {
	switch names := strings.Join(packages, " "); s.Installer {
	case "apt-get":
		s.aptRemove(p, packages)
	case "pacman":
		// It refuses to remove what others need.
		p.Steps = append(p.Steps, Step{What: removeWhat, Commands: []Command{run(append([]string{"pacman", "-R", "--noconfirm"}, packages...)...)}})
	case "dnf", "zypper":
		p.Notes = append(p.Notes, fmt.Sprintf("The packages that setup installed stay: %s. To see what else goes with them, and to remove them: sudo %s remove %s", names, s.Installer, names))
	}
}
