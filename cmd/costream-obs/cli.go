// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/encoders"
	"github.com/costream-obs/costream-obs/internal/nearest"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // The command line, the environment or the configuration file is wrong; nothing was started.
)

// A command is one word of the command line with what belongs to it.
type command struct {
	name string
	args string // its arguments as the usage line shows them, apart from flags
	// short is a phrase for the list of commands, long the help's sentences below the usage line.
	short, long string
	// settings are the keys in config's table that it takes as flags.
	settings []string
	// reportsSettings: settings that cannot be read do not stop the command, which finds them in its call.
	reportsSettings bool
	// bind adds flags of its own and returns what the command does. It is nil for a command with subcommands.
	bind func(*pflag.FlagSet) action
	subs []*command
}

// An action does what a command is for, once its flags are parsed.
type action func(context.Context, *invocation) error

// A call is one use of a command.
type invocation struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string // what stood on the command line besides flags
	config         *config.Config
	settingsErr    error // why config is nil, for a command that reportsSettings
	log            *slog.Logger
}

// A usageError is a mistake in what the user gave us, found before anything was done.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errReported is the failure of a command that has told all about it on standard output.
var errReported = errors.New("failed, and the reason was printed")

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run is the whole program but for signals: it runs the command that args name until it is done or ctx ends, and
// returns the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0:
		_, _ = io.WriteString(stderr, usage([]*command{root()}))
		return exitUsage
	case args[0] == "help":
		args = append(slices.Clone(args[1:]), "--help")
	case args[0] == encoders.TrialCommand:
		if err := encoders.RunTrial(args[1:], stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return exitFailure
		}
		return exitOK
	case args[0] == "--version":
		args = []string{"version"}
	}
	path, rest := root().find(args)
	cmd := path[len(path)-1]
	name := pathName(path)
	out := &output{to: stdout}
	err := cmd.run(ctx, path, rest, &invocation{stdin: stdin, stdout: out, stderr: stderr})
	if err == nil || errors.Is(err, errReported) && out.err != nil {
		err = out.err
	}
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %v\nSee: %s --help\n", name, err, name)
		return exitUsage
	case errors.Is(err, errReported):
		return exitFailure
	default:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailure
	}
}

// find follows the leading words of args down to a command, and returns the way there and the other args.
func (c *command) find(args []string) (path []*command, rest []string) {
	path = []*command{c}
	for len(args) > 0 {
		i := slices.IndexFunc(c.subs, func(s *command) bool { return s.name == args[0] })
		if i < 0 {
			break
		}
		c, args = c.subs[i], args[1:]
		path = append(path, c)
	}
	return path, args
}

func pathName(path []*command) string {
	var names []string
	for _, c := range path {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

func (c *command) run(ctx context.Context, path []*command, args []string, call *invocation) error {
	if c.bind == nil {
		return c.refuse(path, args, call.stdout)
	}
	set := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	set.Usage = func() {} // We print our own.
	do := c.bind(set)
	var settings *config.Flags
	if len(c.settings) > 0 {
		settings = config.Bind(set, c.settings...)
	}
	err := set.Parse(forPflag(set, args))
	if errors.Is(err, pflag.ErrHelp) {
		_, err = io.WriteString(call.stdout, usage(path))
		return err
	}
	if err != nil {
		return flagError(set, err)
	}
	call.args = set.Args()
	if c.args == "" && len(call.args) > 0 {
		return usagef("unexpected argument %q", call.args[0])
	}
	call.log = slog.New(slog.DiscardHandler)
	if settings != nil {
		for _, unknown := range config.UnknownVariables(os.Environ()) {
			fmt.Fprintf(call.stderr, "%s: %s\n", pathName(path), unknown)
		}
		call.config, err = settings.Load()
		switch {
		case err == nil:
			call.log = logger(call.stderr, call.config.Verbose)
		case c.reportsSettings:
			call.settingsErr = err
		default:
			return usageError{err}
		}
	}
	return do(ctx, call)
}

// refuse answers when a command was called that only leads to others.
func (c *command) refuse(path []*command, args []string, stdout io.Writer) error {
	names := make([]string, 0, len(c.subs))
	for _, s := range c.subs {
		names = append(names, s.name)
	}
	if len(args) == 0 {
		return usagef("missing command; there are: %s", strings.Join(names, ", "))
	}
	switch first := args[0]; {
	case slices.Contains([]string{"-h", "-help", "--help"}, first):
		_, err := io.WriteString(stdout, usage(path))
		return err
	case strings.HasPrefix(first, "-"):
		return usagef("put %s after the command", first)
	default:
		return usagef("unknown command %q%s", first, nearest.Hint(first, names))
	}
}

// noValue is what a flag gets whose value may be left out, and was.
const noValue = "-"

// forPflag writes the args as pflag reads them. Every long flag may have one dash, as in Go programs and the scripts of
// 2020, and a flag whose value may be left out may have it as the next word, which pflag would take for an argument. The
// word after a flag that needs a value is that value, whatever it looks like.
func forPflag(set *pflag.FlagSet, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		name, _, joined := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && (name == "help" || set.Lookup(name) != nil) {
			arg = "-" + arg
		}
		out = append(out, arg)
		if joined || !strings.HasPrefix(arg, "--") || i+1 == len(args) {
			continue
		}
		switch flag := set.Lookup(arg[2:]); {
		case flag == nil:
		case flag.NoOptDefVal == "":
			i++
			out = append(out, args[i])
		case flag.NoOptDefVal == noValue && !strings.HasPrefix(args[i+1], "-"):
			i++
			out[len(out)-1] += "=" + args[i]
		}
	}
	return out
}

// flagError says in our words what pflag found wrong.
func flagError(set *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var incomplete *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return usagef("unknown flag -%s", unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		var names []string
		set.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		name := "--" + unknown.GetSpecifiedName()
		return usagef("unknown flag %s%s", name, nearest.Hint(name, names))
	case errors.As(err, &incomplete):
		return usagef("--%s needs a value", incomplete.GetSpecifiedName())
	case errors.As(err, &invalid):
		return usagef("--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	return usageError{err}
}

// logger is quiet unless asked: what a person should act on is printed or returned as an error.
func logger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// printJSON writes v on a line of its own.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // Nothing here ends up in a web page, and > is common in our texts.
	return e.Encode(v)
}
