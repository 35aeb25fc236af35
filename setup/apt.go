// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// AptChanges is what apt-get would do, by the names of packages.
type AptChanges struct{ Install, Upgrade, Remove []string }

// simulateApt asks apt-get what it would do. It changes nothing and needs no rights.
func simulateApt(args ...string) (AptChanges, error) {
	cmd := exec.Command("apt-get", append([]string{"-s", "-q"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		return readAptChanges(string(out)), nil
	}
	for line := range strings.Lines(said.String()) {
		if why, is := strings.CutPrefix(line, "E: "); is {
			return AptChanges{}, errors.New(strings.TrimSuffix(strings.TrimSpace(why), "."))
		}
	}
	return AptChanges{}, fmt.Errorf("apt-get -s: %w", err)
}

// readAptChanges reads lines such as "Inst dkms (3.0.10-8 Debian:12 [all])", with the old version as in "Inst libc6 [2.36-9]
// (2.36-10 ...)", and "Remv dkms [3.0.10-8]".
func readAptChanges(text string) AptChanges {
	var c AptChanges
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch name := fields[1]; fields[0] {
		case "Inst":
			if len(fields) > 2 && strings.HasPrefix(fields[2], "[") {
				c.Upgrade = append(c.Upgrade, name)
			} else {
				c.Install = append(c.Install, name)
			}
		case "Remv", "Purg":
			c.Remove = append(c.Remove, name)
		}
	}
	for _, names := range []*[]string{&c.Install, &c.Upgrade, &c.Remove} {
		slices.Sort(*names)
	}
	return c
}

func (s State) simulate(args ...string) (AptChanges, error) {
	if s.Apt == nil {
		return AptChanges{}, errors.New("apt-get cannot be asked")
	}
	return s.Apt(args...)
}

// aptInstall installs packages, and says which others come with them. If apt-get's lists do not know them, the step only
// updates the lists, and lists is true: only after that can apt-get say what it would do. What is shown and what is done use
// the same lists, so that no more is done than is shown.
func (s State) aptInstall(what string, packages []string) (step Step, lists bool, err error) {
	args := append([]string{"install", "--no-remove"}, packages...)
	changes, err := s.simulate(args...)
	switch {
	case err != nil && s.ListsUpdated:
		return Step{}, false, &Blocked{
			What: fmt.Sprintf("apt-get cannot install %s: %v.", strings.Join(packages, ", "), err),
			Next: noHeaders + " To see all that apt-get says: `apt-get -s " + strings.Join(args, " ") + "`.",
		}
	case err != nil:
		return Step{What: "Update the package lists: with the present ones apt-get cannot install " + strings.Join(packages, ", "),
			Commands: []Command{run("apt-get", "update", "-q")}}, true, nil
	}
	step = Step{What: what, Hint: noHeaders + " If packages could not be downloaded: sudo apt-get update, and run setup again.",
		Commands: []Command{run(append([]string{"apt-get", "-y", "-q"}, args...)...)}}
	if len(changes.Install) > 0 {
		step.Shows = append(step.Shows, "apt-get installs: "+strings.Join(changes.Install, " "))
	}
	if len(changes.Upgrade) > 0 {
		step.Shows = append(step.Shows, "apt-get upgrades: "+strings.Join(changes.Upgrade, " "))
	}
	return step, false, nil
}

// aptRemove removes packages that nothing else needs. It uses dpkg, which removes only what it is told to, whatever has
// changed since.
func (s State) aptRemove(p *Plan, packages []string) {
	var removable []string
	for _, name := range packages {
		changes, err := s.simulate("remove", name)
		others := slices.Concat(changes.Remove, changes.Install, changes.Upgrade)
		others = slices.DeleteFunc(others, func(other string) bool { return slices.Contains(packages, other) })
		switch {
		case err != nil:
			p.Notes = append(p.Notes, fmt.Sprintf("The package %s stays, because apt-get cannot tell what else it would remove: %v.", name, err))
		case len(others) > 0:
			p.Notes = append(p.Notes, fmt.Sprintf("The package %s stays, because apt-get would also remove or change these: %s. To remove it all the same: sudo apt-get remove %s", name, strings.Join(others, " "), name))
		case slices.Contains(changes.Remove, name):
			removable = append(removable, name)
		}
	}
	if len(removable) > 0 {
		p.Steps = append(p.Steps, Step{What: removeWhat, Commands: []Command{run(append([]string{"dpkg", "--remove"}, removable...)...)},
			Hint: "If it says \"dependency problems\", another package needs one of them by now; run setup --undo again."})
	}
}
