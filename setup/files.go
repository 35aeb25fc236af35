// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"slices"
	"strings"
)

// The files that setup writes. The one with the options comes last in modprobe's order, in which the last value of an option
// wins.
const (
	optionsPath = "/etc/modprobe.d/zz-costream-obs.conf"
	loadPath    = "/etc/modules-load.d/costream-obs.conf"
	namesPath   = "/etc/udev/rules.d/85-costream-obs.rules"
)

var ourFiles = []string{optionsPath, loadPath, namesPath}

// fileHead is the first line of each.
const fileHead = "# Written by costream-obs setup; costream-obs setup --undo takes it away."

// records are what setup did apart from its files. They are comments in the file with the options, for --undo.
type records struct {
	packages []string
	members  []string // who was made a member: "alice in video"
	modules  []string // that we loaded
}

const (
	packagesRecord = "# installed: "
	memberRecord   = "# member: "
	modulesRecord  = "# loaded: "
)

func readRecords(text string) records {
	var r records
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, packagesRecord); ok {
			r.packages = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(line, memberRecord); ok {
			r.members = append(r.members, rest)
		}
		if rest, ok := strings.CutPrefix(line, modulesRecord); ok {
			r.modules = strings.Fields(rest)
		}
	}
	return r
}

func (r records) String() string {
	var b strings.Builder
	if len(r.packages) > 0 {
		b.WriteString(packagesRecord + strings.Join(r.packages, " ") + "\n")
	}
	for _, m := range r.members {
		b.WriteString(memberRecord + m + "\n")
	}
	if len(r.modules) > 0 {
		b.WriteString(modulesRecord + strings.Join(r.modules, " ") + "\n")
	}
	return b.String()
}

// maxBuffers is how many pictures a device holds; the module's default is 2.
const maxBuffers = "4"

// loopbackParameters make both devices. exclusive_caps is a list, and a device that is not in it has it off (measured,
// 0.12.7).
func (o Options) loopbackParameters() []string {
	return []string{
		"video_nr=" + o.numbers(),
		fmt.Sprintf("card_label=%s,%s", o.OutLabel, o.InLabel),
		"exclusive_caps=1,1",
		"max_buffers=" + maxBuffers,
	}
}

// aloopParameters are those of the setup.go of 2020. The kernel drops the dash.
func aloopParameters() []string {
	return []string{"enable=1", fmt.Sprint("index=", aloopIndex), "id=aloop-topeer"}
}

// wantFiles are the files that there should be, by path.
func (o Options) wantFiles(r records) map[string]string {
	options := fileHead + "\n" + r.String() + "options v4l2loopback " + strings.Join(o.loopbackParameters(), " ") + "\n"
	load := fileHead + "\nv4l2loopback\n"
	files := make(map[string]string)
	if o.Aloop {
		options += "options snd-aloop " + strings.Join(aloopParameters(), " ") + "\n"
		load += "snd-aloop\n"
		files[namesPath] = fileHead + "\n" + aloopNames
	}
	files[optionsPath], files[loadPath] = options, load
	return files
}

// writeFiles are the commands for the files that differ from what should be.
func (s State) writeFiles(want map[string]string) []Command {
	var commands []Command
	for _, path := range ourFiles {
		text, wanted := want[path]
		old, there := s.Files[path]
		switch {
		case wanted && old != text:
			commands = append(commands, write(path, text))
		case !wanted && there && ours(old):
			commands = append(commands, run("rm", path))
		}
	}
	if want[namesPath] != "" && s.Files[namesPath] != want[namesPath] {
		commands = append(commands, run("udevadm", "control", "--reload"))
	}
	return commands
}

func ours(text string) bool { return strings.HasPrefix(text, fileHead) }

func add(list []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
