// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"fmt"
	"strconv"
	"strings"
)

// Plan is what root must do to a machine, in this order. It is a value: making one changes nothing.
type Plan struct {
	Steps []Step
	// Notes are what else the user should know, one sentence or two each.
	Notes []string
	// Unloads: a loaded module is unloaded, with all its devices.
	Unloads bool
	// Lists: this plan only updates the package manager's lists. Only a plan made after that can show what must be done.
	Lists bool
}

// Empty reports whether nothing must be done.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// Step is a part of a plan that succeeds or fails as a whole.
type Step struct {
	// What it is for, as a phrase.
	What string
	// Shows are effects that the commands do not show, one line each.
	Shows    []string
	Commands []Command
	// Hint is what to check if it fails.
	Hint string
}

// Command is one command, or one file to be written.
type Command struct {
	Args  []string
	Stdin string // its standard input; empty, or ending in a newline
}

func run(args ...string) Command { return Command{Args: args} }

// write makes a file that everybody can read, and its directory.
func write(path, text string) Command {
	return Command{Args: []string{"install", "-D", "-m", "0644", "/dev/stdin", path}, Stdin: text}
}

// shell is the command as a line for a shell, run with a program such as "sudo", or directly. then is appended.
func (c Command) shell(by, then string) string {
	var b strings.Builder
	if by != "" {
		b.WriteString(by + " ")
	}
	for i, arg := range c.Args {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(quote(arg))
	}
	if c.Stdin == "" {
		return b.String() + then + "\n"
	}
	return b.String() + " <<'END'" + then + "\n" + c.Stdin + "END\n"
}

// quote leaves text alone that a shell takes literally.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/+=,:@", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Text is the plan as a shell script that a person could run, each command with by, such as "sudo", before it.
func (p Plan) Text(by string) string {
	var b strings.Builder
	for i, s := range p.Steps {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("# " + s.What + "\n")
		for _, line := range s.Shows {
			b.WriteString(remark(line))
		}
		for _, c := range s.Commands {
			b.WriteString(c.shell(by, ""))
		}
	}
	return b.String()
}

// remarkWidth is the width of a remark.
const remarkWidth = 100

// remark is a text as comment lines of a shell script.
func remark(text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			b.WriteString("#")
		case width+1+len(word) > remarkWidth:
			b.WriteString("\n#  ")
			width = 2
		}
		b.WriteString(" " + word)
		width += 1 + len(word)
	}
	return b.String() + "\n"
}

// firstFailure is the exit status if the first step failed; the following ones are for the next steps.
const firstFailure = 64

// Script is the plan as a script for root's shell.
func (p Plan) Script() string {
	var b strings.Builder
	b.WriteString("umask 022\nPATH=$PATH:/usr/sbin:/sbin\n")
	for i, s := range p.Steps {
		for _, c := range s.Commands {
			b.WriteString(c.shell("", fmt.Sprintf(" || exit %d", firstFailure+i)))
		}
	}
	return b.String()
}

// Failed is the step that an exit status of Script means.
func (p Plan) Failed(status int) (Step, bool) {
	if i := status - firstFailure; i >= 0 && i < len(p.Steps) {
		return p.Steps[i], true
	}
	return Step{}, false
}

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(s string, otherwise int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return otherwise
	}
	return n
}
