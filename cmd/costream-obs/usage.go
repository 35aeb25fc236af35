// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

const (
	usageWidth = 80
	// flagColumn is where the explanations of flags begin.
	flagColumn = 28
)

// usage is the help text of the command at the end of path.
func usage(path []*command) string {
	c := path[len(path)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n", synopsis(path), terminal.Wrap(c.long, 0, usageWidth))
	if len(c.subs) > 0 {
		fmt.Fprintf(&b, "\nCommands:\n")
		column := 12
		for _, s := range c.subs {
			column = max(column, len(s.name)+4)
		}
		for _, s := range c.subs {
			fmt.Fprintf(&b, "  %-*s%s\n", column-2, s.name, strings.TrimLeft(terminal.Wrap(s.short, column, usageWidth), " "))
		}
	}
	for _, g := range flagGroups(c) {
		fmt.Fprintf(&b, "\n%s:\n", g.title)
		for _, f := range g.flags {
			b.WriteString(entry(f.spelling(), f.help))
		}
	}
	if len(c.settings) > 0 {
		b.WriteString("\n" + terminal.Wrap("Each setting can also be in the configuration file, for example layout = \"full\", or in the environment, for example COSTREAM_LAYOUT=full.", 0, usageWidth) + "\n")
	}
	return b.String()
}

func synopsis(path []*command) string {
	c := path[len(path)-1]
	line := pathName(path)
	switch {
	case len(c.subs) > 0 && c.bind != nil:
		line += " [COMMAND]"
	case len(c.subs) > 0:
		line += " COMMAND"
	}
	if c.args != "" {
		line += " " + c.args
	}
	if c.bind == nil || len(flagGroups(c)) > 0 {
		line += " [flags]"
	}
	return line
}

// A flagHelp is a flag as help texts show it.
type flagHelp struct {
	name string // "layout"
	arg  string // what its value is called, "LAYOUT"; empty for a switch
	help string
	// choices are the words that a setting takes; nil where the table does not list them.
	choices []string
	// off: there is --no-NAME as well, for a switch that is on by default.
	off bool
}

// spelling is "--layout LAYOUT", or "--[no-]clean-feed".
func (f flagHelp) spelling() string {
	if f.off {
		return "--[no-]" + f.name
	}
	return strings.TrimSpace("--" + f.name + " " + f.arg)
}

// A flagGroup is a heading with its flags.
type flagGroup struct {
	title string
	flags []flagHelp
}

// flagGroups lists the flags of a command: its own, then those that are settings, under the table's headings.
func flagGroups(c *command) []flagGroup {
	if c.bind == nil {
		return nil
	}
	var groups []flagGroup
	var own flagGroup
	set := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	set.SortFlags = false
	c.bind(set)
	set.VisitAll(func(f *pflag.Flag) {
		arg, help := pflag.UnquoteUsage(f)
		own.flags = append(own.flags, flagHelp{name: f.Name, arg: arg, help: help})
	})
	if len(own.flags) > 0 {
		own.title = "Flags"
		groups = append(groups, own)
	}
	for _, s := range config.Table() {
		if !slices.Contains(c.settings, s.Key) {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].title != s.Group {
			groups = append(groups, flagGroup{title: s.Group})
		}
		g := &groups[len(groups)-1]
		g.flags = append(g.flags, flagHelp{s.Key, s.Arg, s.Help + fallback(s), s.Choices(), s.OnByDefault()})
	}
	if len(c.settings) > 0 {
		g := &groups[len(groups)-1]
		g.flags = append(g.flags, flagHelp{name: config.FileFlag, arg: "FILE", help: "configuration file (default ~/.config/costream-obs/config.toml)"})
	}
	return groups
}

// fallback says in brackets what holds where a setting is not given.
func fallback(s config.Setting) string {
	switch {
	case s.OnByDefault():
		return " (on by default)"
	case s.Default != "":
		return " (default " + s.Default + ")"
	case s.Otherwise != "":
		return " (default: " + s.Otherwise + ")"
	}
	return ""
}

// entry is one flag with its explanation beside it, or below it where the flag is long.
func entry(spelling, help string) string {
	line := "  " + spelling
	text := terminal.Wrap(help, flagColumn, usageWidth)
	if utf8.RuneCountInString(line)+2 > flagColumn {
		return line + "\n" + text + "\n"
	}
	return line + strings.Repeat(" ", flagColumn-utf8.RuneCountInString(line)) + text[flagColumn:] + "\n"
}
