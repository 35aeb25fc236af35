// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/obsctl"
	"github.com/costream-obs/costream-obs/setup"
)

// setupFlags are the flags of the setup command itself.
type setupFlags struct {
	undo, print, yes, restart *bool
	audio                     *string
	labelOut, labelIn         *string
	settings                  func() string // path of the configuration file, for doctor
	places                    obsctl.FindOptions
}

func setupCommand() *command {
	return &command{
		name:  "setup",
		short: "prepare this machine, or undo that",
		long: "Prepares this machine for the devices route: installs the kernel module v4l2loopback and loads it, now and after each restart, with the two video devices through which OBS and costream-obs exchange pictures. It shows each command, asks, and runs them through sudo or pkexec; run it as yourself. Then it prepares OBS for the clean feed, as costream-obs setup clean-feed does, and asks before that, too. Sound needs no setup: costream-obs run makes what it needs. At the end costream-obs doctor checks the result.\n\n" +
			"  costream-obs setup --print     print what would be done, as a shell script\n" +
			"  costream-obs setup --undo      undo what setup did\n\n" +
			"The portable route needs none of this, except that the last step hides the scenes for the peer from your list of scenes.",
		subs:     []*command{setupHotkeysCommand(), setupCleanFeedCommand(), setupDockCommand()},
		settings: []string{"video-out", "video-in"},
		bind: func(set *pflag.FlagSet) action {
			f := setupFlags{
				undo:     set.Bool("undo", false, "undo what setup did"),
				print:    set.Bool("print", false, "show the commands and files, and do nothing"),
				yes:      set.Bool("yes", false, "do not ask"),
				restart:  set.Bool("restart", false, "with --yes: allow unloading a module that is already loaded, with its devices"),
				audio:    set.String("audio", "null", "`KIND` of sound nodes: null (costream-obs run makes them) or aloop (also a loopback sound card, as in 2020)"),
				labelOut: set.String("label-out", "costream-topeer", "`LABEL` of the device that OBS writes"),
				labelIn:  set.String("label-in", "costream-frompeer", "`LABEL` of the device that OBS reads"),
			}
			f.settings = func() string { return settingsFile(set) }
			return f.run
		},
	}
}

// setupRounds bounds how often the machine is looked at again: what one round makes may show what else is missing.
const setupRounds = 4

func (f setupFlags) run(ctx context.Context, c *invocation) error {
	o := setup.Options{Out: c.config.VideoOut, In: c.config.VideoIn, OutLabel: *f.labelOut, InLabel: *f.labelIn, User: userName()}
	switch *f.audio {
	case "null":
	case "aloop":
		o.Aloop = true
	default:
		return usagef("--audio: %q is not one of: null, aloop", *f.audio)
	}
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	done, listsUpdated := false, false
	for range setupRounds {
		plan, err := f.plan(o, listsUpdated)
		if err != nil {
			return err
		}
		if *f.print {
			return f.printPlan(c, plan)
		}
		if plan.Empty() {
			printNotes(c, plan)
			break
		}
		if agreed, err := f.apply(ctx, c, plan); err != nil || !agreed {
			return err
		}
		done, listsUpdated = true, listsUpdated || plan.Lists
	}
	if f.feed(ctx, c) {
		done = true
	}
	switch {
	case *f.undo && done:
		fmt.Fprintln(c.stdout, "\nDone: what setup did is undone.")
		return nil
	case *f.undo:
		fmt.Fprintln(c.stdout, "There is nothing to undo.")
		return nil
	case done:
		fmt.Fprint(c.stdout, "\nDone. costream-obs doctor checks the result:\n\n")
	default:
		fmt.Fprint(c.stdout, "This machine is already set up. costream-obs doctor checks it:\n\n")
	}
	return f.doctor(ctx, c)
}

// plan looks at the machine and says what is to be done to it.
func (f setupFlags) plan(o setup.Options, listsUpdated bool) (setup.Plan, error) {
	state, err := setup.Machine{}.Survey()
	if err != nil {
		return setup.Plan{}, err
	}
	state.ListsUpdated = listsUpdated
	if *f.undo {
		return setup.PlanUndo(state, *f.yes && !*f.restart)
	}
	return setup.PlanSetup(state, o)
}

// printPlan writes a plan as a script for a person to read or to run.
func (f setupFlags) printPlan(c *invocation, plan setup.Plan) error {
	by, err := setup.Elevate(true)
	if err != nil {
		by = nil
	}
	text := plan.Text(by.Program())
	if plan.Empty() {
		text = "# There is nothing to do.\n"
	}
	for _, note := range plan.Notes {
		text += "\n" + comment(note)
	}
	_, err = fmt.Fprint(c.stdout, text+f.feedHint(c))
	return err
}

// comment breaks a text into lines that a shell passes over.
func comment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(terminal.Wrap(text, 2, usageWidth) + "\n") {
		b.WriteString("# " + strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

// apply shows a plan, asks and carries it out. It returns false when the answer was no.
func (f setupFlags) apply(ctx context.Context, c *invocation, plan setup.Plan) (agreed bool, err error) {
	terminal := terminal.Is(c.stdin)
	by, err := setup.Elevate(terminal)
	if err != nil {
		return false, err
	}
	how := ""
	if by.Program() != "" {
		how = ", through " + by.Program()
	}
	fmt.Fprintf(c.stdout, "These commands run as root%s:\n\n%s\n", how, plan.Text(by.Program()))
	printNotes(c, plan)
	switch {
	case *f.yes && plan.Unloads && !*f.restart:
		return false, errors.New("nothing was changed: a loaded kernel module must be unloaded, with its devices; add --restart to allow that")
	case *f.yes:
	case !terminal:
		return false, errors.New("nothing was changed, because there is no terminal to ask on; add --yes to go ahead")
	case !agree(ctx, c):
		fmt.Fprintln(c.stdout, "Nothing was changed.")
		return false, nil
	}
	return true, plan.Apply(ctx, by, setup.Streams{In: c.stdin, Out: bare(c.stdout), Err: c.stderr})
}

func printNotes(c *invocation, plan setup.Plan) {
	for _, note := range plan.Notes {
		fmt.Fprintln(c.stdout, terminal.Wrap("Note: "+note, 0, usageWidth)+"\n")
	}
}

// doctor shows what is still amiss. That is no failure of setup's: OBS may not run yet.
func (f setupFlags) doctor(ctx context.Context, c *invocation) error {
	var only []string
	var no bool
	var none string
	doctor := doctorFlags{only: &only, list: &no, fix: &no, yes: &no, bundle: &none, peer: &none}
	if err := doctor.run(ctx, c, f.settings(), false); err != nil && !errors.Is(err, errReported) {
		return err
	}
	return nil
}

// userName is who is to use the devices, and empty for root.
func userName() string {
	if os.Geteuid() == 0 {
		return ""
	}
	u, err := user.Current()
	if err != nil {
		return os.Getenv("USER")
	}
	return u.Username
}
