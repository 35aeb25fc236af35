// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"slices"
	"strings"
)

// PlanUndo plans to undo what setup did, as its files say. Without these files the plan is empty. With keepModules, loaded
// modules stay until the machine restarts. The error is a *Blocked.
func PlanUndo(s State, keepModules bool) (Plan, error) {
	var p Plan
	var files []string
	for _, path := range ourFiles {
		if ours(s.Files[path]) {
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		return p, nil
	}
	r := readRecords(s.Files[optionsPath])
	o := optionsOf(s.Files[optionsPath])
	modules, err := s.unloadLoopback(&p, o, r, keepModules)
	if err != nil {
		return Plan{}, err
	}
	modules = append(modules, s.unloadAloop(&p, r, keepModules)...)
	p.Steps = append(p.Steps, modules...)
	for _, m := range r.members {
		user, group, _ := strings.Cut(m, " in ")
		p.Steps = append(p.Steps, Step{
			What:     fmt.Sprintf("Remove %s from the group %s", user, group),
			Commands: []Command{run("gpasswd", "-d", user, group)},
		})
	}
	if len(r.packages) > 0 {
		s.planRemove(&p, r.packages)
	}
	// The files go last, because they say what is left to undo if a step fails.
	p.Steps = append(p.Steps, Step{What: "Remove the files that setup wrote", Commands: []Command{run(append([]string{"rm", "-f"}, files...)...)}})
	return p, nil
}

// optionsOf reads the devices from our file.
func optionsOf(text string) Options {
	options := loopbackOptions(text)
	out, in, _ := strings.Cut(options["video_nr"], ",")
	return Options{Out: "/dev/video" + out, In: "/dev/video" + in}
}

// unloadLoopback removes our devices.
func (s State) unloadLoopback(p *Plan, o Options, r records, keep bool) ([]Step, error) {
	var there []string
	for _, path := range []string{o.Out, o.In} {
		if n, ok := s.node(path); ok && n.Loopback {
			there = append(there, path)
		}
	}
	if !s.Loopback.Loaded || len(there) == 0 {
		return nil, nil
	}
	others := len(s.others(o)) > 0
	single := s.CanAdd && (others || !slices.Contains(r.modules, "v4l2loopback"))
	if others && !single || keep {
		p.Notes = append(p.Notes, fmt.Sprintf("%s stay until the machine restarts.", strings.Join(there, " and ")))
		return nil, nil
	}
	if err := s.idle("To remove the devices, v4l2loopback must be unloaded"); err != nil {
		return nil, err
	}
	p.Unloads = true
	if single {
		step := Step{What: "Remove our devices"}
		for _, path := range there {
			step.Commands = append(step.Commands, run("v4l2loopback-ctl", "delete", path))
		}
		return []Step{step}, nil
	}
	return []Step{{What: "Unload the kernel module v4l2loopback", Commands: []Command{run("modprobe", "-r", "v4l2loopback")},
		Hint: "If it says \"in use\", a program has one of the devices open; `sudo fuser -v /dev/video*` names it."}}, nil
}

func (s State) unloadAloop(p *Plan, r records, keep bool) []Step {
	if !s.Aloop.Loaded || !slices.Contains(r.modules, "snd-aloop") || noAloop(s.Files[loadPath]) {
		return nil
	}
	// A sound server keeps the card's control device open all the time.
	if keep || s.Aloop.Users > 0 {
		p.Notes = append(p.Notes, "The loopback sound card stays until the machine restarts.")
		return nil
	}
	p.Unloads = true
	return []Step{{What: "Unload the kernel module snd-aloop", Commands: []Command{run("modprobe", "-r", "snd-aloop")}}}
}
