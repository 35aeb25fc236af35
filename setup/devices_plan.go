// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/costream-obs/costream-obs/internal/v4l2"
)

// Options say what the machine should have.
type Options struct {
	// Out and In are the nodes, such as "/dev/video10" and "/dev/video11".
	Out, In string
	// OutLabel and InLabel are the names that other programs show for them.
	OutLabel, InLabel string
	// Aloop: also a loopback sound card, as in 2020.
	Aloop bool
	// User is who runs OBS; empty for root.
	User string
}

// Blocked is the error if a person must do something first.
type Blocked struct {
	What string // a sentence
	Next string // what to do, a sentence with commands in backquotes
}

func (b *Blocked) Error() string { return b.What + " " + b.Next }

var (
	nodePath  = regexp.MustCompile(`^/dev/video(\d{1,3})$`)
	plainCard = regexp.MustCompile(`^[A-Za-z0-9._-]{1,31}$`)
)

// maxNode is the last number that v4l2loopback gives.
const maxNode = 255

// Check says what is wrong with the options.
func (o Options) Check() error {
	for _, path := range []string{o.Out, o.In} {
		if !nodePath.MatchString(path) || number(path) > maxNode {
			return fmt.Errorf("%q is not a device that can be made: give one such as /dev/video10, with a number up to %d", path, maxNode)
		}
	}
	if number(o.Out) >= number(o.In) {
		return fmt.Errorf("%s for OBS's virtual camera must have a smaller number than %s: OBS takes the smallest that it can open", o.Out, o.In)
	}
	for _, label := range []string{o.OutLabel, o.InLabel} {
		if !plainCard.MatchString(label) {
			return fmt.Errorf("label %q: up to 31 letters, digits, dots, dashes and underscores are allowed", label)
		}
	}
	return nil
}

// number is that of a node's path.
func number(path string) int { return atoi(strings.TrimPrefix(path, "/dev/video"), -1) }

func (o Options) numbers() string { return fmt.Sprintf("%d,%d", number(o.Out), number(o.In)) }

// PlanSetup plans what must be done so that the machine has what the options say, now and after a restart. If everything is
// there, the plan is empty. The error is one of Options.Check or a *Blocked.
func PlanSetup(s State, o Options) (Plan, error) {
	if err := o.Check(); err != nil {
		return Plan{}, err
	}
	var p Plan
	r := readRecords(s.Files[optionsPath])
	if err := s.planModule(&p, &r); err != nil {
		return Plan{}, err
	}
	if p.Lists {
		return p, nil
	}
	load, err := s.planLoad(&p, o)
	if err != nil {
		return Plan{}, err
	}
	if !s.Loopback.Loaded {
		r.modules = add(r.modules, "v4l2loopback")
	}
	rights := s.planRights(&p, o, &r)
	var sound []Step
	if o.Aloop {
		if sound, err = s.planAloop(&p); err != nil {
			return Plan{}, err
		}
		if !s.Aloop.Loaded {
			r.modules = add(r.modules, "snd-aloop")
		}
	}
	if files := s.writeFiles(o.wantFiles(r)); len(files) > 0 {
		p.Steps = append(p.Steps, Step{What: "The same devices after each restart of the machine", Commands: files})
		s.noteOthers(&p, o)
	}
	p.Steps = append(p.Steps, load...)
	p.Steps = append(p.Steps, sound...)
	p.Steps = append(p.Steps, rights...)
	return p, nil
}

// planModule plans to install the module for the running kernel.
func (s State) planModule(p *Plan, r *records) error {
	if s.Loopback.Loaded {
		return nil
	}
	if s.Loopback.File != "" {
		if s.SecureBoot && s.Loopback.Unsigned {
			return &Blocked{
				What: "Secure Boot is on, and the kernel module v4l2loopback is not signed, so the kernel would refuse it.",
				Next: "Have it signed: `sudo mokutil --import /var/lib/dkms/mok.pub` (Ubuntu: `sudo update-secureboot-policy --enroll-key`), restart, choose \"Enroll MOK\" in the blue screen, then `sudo dkms install --force v4l2loopback/VERSION` with the version that `dkms status` shows. Or do without: `costream-obs run --route=portable`.",
			}
		}
		return nil
	}
	if !s.KernelDir {
		return &Blocked{
			What: fmt.Sprintf("This system has no modules for the kernel that runs, %s: the kernel was updated without a restart, or this is a container.", s.Kernel),
			Next: "Restart the machine. In a container, run setup on its host, or do without: `costream-obs run --route=portable`.",
		}
	}
	install, err := s.planInstall()
	if err != nil {
		return err
	}
	for _, name := range install.packages {
		if !slices.Contains(s.Present, name) {
			r.packages = add(r.packages, name)
		}
	}
	p.Steps = append(p.Steps, install.step)
	if p.Lists = install.lists; p.Lists {
		p.Notes = append(p.Notes, "After that, setup shows what apt-get would install, and what else has to be done.")
		return nil
	}
	if s.SecureBoot {
		p.Notes = append(p.Notes, "Secure Boot is on. If the installation asks for a password, choose one: after a restart, a blue screen asks for it before it lets the module in (\"Enroll MOK\").")
	}
	return nil
}

// planLoad plans to have both devices now.
func (s State) planLoad(p *Plan, o Options) ([]Step, error) {
	if !s.Loopback.Loaded {
		return []Step{{
			What:     fmt.Sprintf("Make %s and %s now", o.Out, o.In),
			Commands: []Command{run(append([]string{"modprobe", "v4l2loopback"}, o.loopbackParameters()...)...), settle()},
			Hint:     "If it says \"Key was rejected by service\", Secure Boot is on and does not know the module's key: see `mokutil --help` and your distribution's page on Secure Boot. If it says \"not found\", the module was not built: see `dkms status`. Meanwhile `costream-obs run --route=portable` works without.",
		}}, nil
	}
	var missing, wrong []string
	for _, path := range []string{o.Out, o.In} {
		n, there := s.node(path)
		switch {
		case !there:
			missing = append(missing, path)
		case !n.Loopback:
			return nil, &Blocked{
				What: fmt.Sprintf("%s is there already, and belongs to %q.", path, n.Label),
				Next: fmt.Sprintf("Choose other numbers, for example `costream-obs setup --video-out=/dev/video%d --video-in=/dev/video%d`, and give them to `costream-obs run` too.", 20, 21),
			}
		case n.Output && n.Capture && len(s.Holders[path]) == 0:
			// While it is open, a device with exclusive_caps=1 shows both capabilities, too.
			wrong = append(wrong, path)
		}
	}
	if first, found := s.before(o); found {
		p.Notes = append(p.Notes, fmt.Sprintf("%s (%q) is a loopback device, too, and has a smaller number than %s. OBS's virtual camera takes the first that it can open, so it would take %s. %s",
			first.Path, first.Label, o.Out, first.Path, s.beforeRemedy(o, first)))
	}
	switch {
	case len(missing)+len(wrong) == 0:
		return nil, nil
	case s.CanAdd && !s.held(wrong):
		return []Step{s.addNodes(o, missing, wrong)}, nil
	}
	return s.planReload(p, o, missing, wrong)
}

// addNodes adds single devices, and replaces those without exclusive_caps.
func (s State) addNodes(o Options, missing, wrong []string) Step {
	step := Step{What: "Add to the devices of v4l2loopback, which is loaded already",
		Hint: "If it says \"busy\", a program has one of the devices open; `sudo fuser -v /dev/video*` names it."}
	for _, path := range wrong {
		step.Commands = append(step.Commands, run("v4l2loopback-ctl", "delete", path))
	}
	for _, path := range []string{o.Out, o.In} {
		if slices.Contains(missing, path) || slices.Contains(wrong, path) {
			step.Commands = append(step.Commands, run("v4l2loopback-ctl", "add", "-n", o.label(path), "-x", "1", "-b", maxBuffers, path))
		}
	}
	step.Commands = append(step.Commands, settle())
	return step
}

// planReload unloads the module, with all its devices, and loads it again.
func (s State) planReload(p *Plan, o Options, missing, wrong []string) ([]Step, error) {
	why := fmt.Sprintf("v4l2loopback is loaded, but without %s", strings.Join(missing, " and "))
	if len(missing) == 0 {
		why = fmt.Sprintf("v4l2loopback is loaded, but without exclusive_caps for %s", strings.Join(wrong, " and "))
	}
	if err := s.idle(why + ". It must be reloaded"); err != nil {
		return nil, err
	}
	p.Unloads = true
	if gone := s.others(o); len(gone) > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("Reloading v4l2loopback removes %s. If you need that, say no, and add our numbers to your own configuration of the module: video_nr, card_label and exclusive_caps are lists.", strings.Join(gone, ", ")))
	}
	return []Step{{
		What: why + ": reload it",
		Commands: []Command{run("modprobe", "-r", "v4l2loopback"),
			run(append([]string{"modprobe", "v4l2loopback"}, o.loopbackParameters()...)...), settle()},
		Hint: "If it says \"in use\", a program has one of the devices open; `sudo fuser -v /dev/video*` names it.",
	}}, nil
}

// idle returns an error with the processes that have a loopback device open, or nil.
func (s State) idle(why string) error {
	var who []string
	for _, n := range s.Nodes {
		for _, h := range s.Holders[n.Path] {
			who = append(who, fmt.Sprintf("%s has %s open", h, n.Path))
		}
	}
	switch {
	case len(who) > 0:
		return &Blocked{What: fmt.Sprintf("%s, which is not possible while it is used: %s.", why, strings.Join(who, ", ")), Next: "Close it and try again."}
	case s.Loopback.Users > 0:
		return &Blocked{What: why + ", which is not possible while it is used: a program of another user has one of its devices open.",
			Next: "Find it with `sudo fuser -v /dev/video*`, close it and try again."}
	}
	return nil
}

func (s State) node(path string) (v4l2.Node, bool) {
	i := slices.IndexFunc(s.Nodes, func(n v4l2.Node) bool { return n.Path == path })
	if i < 0 {
		return v4l2.Node{}, false
	}
	return s.Nodes[i], true
}

func (s State) held(paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return len(s.Holders[path]) > 0 })
}

// before is the loopback device that comes before ours, if there is one.
func (s State) before(o Options) (v4l2.Node, bool) {
	for _, n := range s.Nodes {
		if n.Loopback && n.Number < number(o.Out) {
			return n, true
		}
	}
	return v4l2.Node{}, false
}

func (s State) beforeRemedy(o Options, first v4l2.Node) string {
	if s.CanAdd {
		return fmt.Sprintf("Delete it with `sudo v4l2loopback-ctl delete %s`, or use it: `costream-obs setup --video-out=%s`.", first.Path, first.Path)
	}
	return fmt.Sprintf("Use it with `costream-obs setup --video-out=%s` (and the same for `costream-obs run`), or remove all devices and make only ours: `sudo modprobe -r v4l2loopback && costream-obs setup`.", first.Path)
}

// others are the loopback devices that are not ours.
func (s State) others(o Options) []string {
	var paths []string
	for _, n := range s.Nodes {
		if n.Loopback && n.Path != o.Out && n.Path != o.In {
			paths = append(paths, fmt.Sprintf("%s (%q)", n.Path, n.Label))
		}
	}
	return paths
}

func (o Options) label(path string) string {
	if path == o.Out {
		return o.OutLabel
	}
	return o.InLabel
}

// planRights lets the user open the devices, if they cannot.
func (s State) planRights(p *Plan, o Options, r *records) []Step {
	denied := slices.ContainsFunc(s.Nodes, func(n v4l2.Node) bool {
		return (n.Path == o.Out || n.Path == o.In) && errors.Is(n.Err, fs.ErrPermission)
	})
	if !denied || o.User == "" || s.Group == "" || s.Group == "root" {
		return nil
	}
	if slices.Contains(s.Members, o.User) {
		p.Notes = append(p.Notes, fmt.Sprintf("%s may use the video devices after the next login: log out and in again before you start OBS and costream-obs.", o.User))
		return nil
	}
	r.members = add(r.members, o.User+" in "+s.Group)
	return []Step{{
		What:     fmt.Sprintf("Let %s use the video devices (it takes effect at the next login)", o.User),
		Commands: []Command{run("usermod", "-aG", s.Group, o.User)},
	}}
}

// noteOthers notes files that set other options. Ours is read last, so it wins, but somebody wanted the others.
func (s State) noteOthers(p *Plan, o Options) {
	for _, other := range s.Others {
		if numbers := other.Options["video_nr"]; numbers != "" && numbers != o.numbers() {
			p.Notes = append(p.Notes, fmt.Sprintf("%s asks for video_nr=%s. The module takes one list only, and from the next restart on it will be ours. If you need the others, remove the v4l2loopback line from it and join both lists in %s.",
				other.Path, numbers, optionsPath))
		}
	}
}

// settle waits until udev has given the devices their names and rights.
func settle() Command { return run("udevadm", "settle", "--timeout=10") }
