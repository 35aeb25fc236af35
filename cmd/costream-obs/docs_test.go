// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/golden"
)

// TestGoldenManual keeps the manual page in step with the commands and the table of settings.
func TestGoldenManual(t *testing.T) {
	golden.Check(t, "../../docs/costream-obs.1", manual())
}

// TestGoldenReadme keeps the README's tables in step with them.
func TestGoldenReadme(t *testing.T) {
	const file = "../../README.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, table := range map[string]string{"commands": readmeCommands(), "settings": readmeSettings()} {
		begin, end := "<!-- "+name+": written by make docs -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the %s: %s...%s", file, name, begin, end)
		}
		text = before + begin + table + end + after
	}
	golden.Check(t, file, text)
}

func readmeCommands() string {
	var b strings.Builder
	b.WriteString("| command | what it does |\n|---|---|\n")
	leaves([]*command{root()}, func(path []*command) {
		if c := path[len(path)-1]; c.bind != nil {
			fmt.Fprintf(&b, "| `%s` | %s |\n", pathName(path), c.short)
		}
	})
	return b.String()
}

func readmeSettings() string {
	var b strings.Builder
	b.WriteString("| flag and key | default | what it sets |\n|---|---|---|\n")
	for _, s := range config.Table() {
		flag := "`" + flagHelp{name: s.Key, arg: s.Arg, off: s.OnByDefault()}.spelling() + "`"
		if s.Secret {
			flag = "`" + s.Key + "` (no flag)"
		}
		def := s.Otherwise
		switch {
		case s.OnByDefault():
			def = "on"
		case s.Default != "":
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", flag, def, s.Help)
	}
	return b.String()
}

// manual is the manual page in the macros of man(7).
func manual() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	top := root()
	p(`.\" Written by make docs from the commands and the table of settings; do not edit.`)
	p(`.TH COSTREAM\-OBS 1 "" costream\-obs "User Commands"`)
	p(".SH NAME\ncostream\\-obs \\- %s", roff(top.short))
	p(".SH SYNOPSIS\n.B costream\\-obs\n.I COMMAND\n.RI [ flags ]")
	p(".SH DESCRIPTION\n%s", roffText(top.long))
	p(".SH COMMANDS")
	leaves([]*command{top}, func(path []*command) {
		c := path[len(path)-1]
		if c == path[0] {
			return
		}
		p(".SS %s\n%s", roff(synopsis(path)), roffText(c.long))
		groups := flagGroups(c)
		if len(groups) > 0 && groups[0].title == "Flags" {
			for _, f := range groups[0].flags {
				p(".TP\n.B %s\n%s", roff(f.spelling()), roff(sentence(f.help)))
			}
		}
		var settings []string
		for _, key := range c.settings {
			settings = append(settings, `\fB`+roff("--"+key)+`\fR`)
		}
		if len(settings) > 0 {
			p(".PP\nSettings: %s.", strings.Join(settings, ", "))
		}
	})
	p(".SH SETTINGS\n%s", roffText("Each setting is a flag of the commands that name it above, an environment variable, and a key of the configuration file. A flag beats a variable, a variable beats the file."))
	group := ""
	for _, s := range config.Table() {
		if s.Group != group {
			group = s.Group
			p(".SS %s", roff(group))
		}
		name := flagHelp{name: s.Key, arg: s.Arg, off: s.OnByDefault()}.spelling()
		if s.Secret {
			name = s.Key
		}
		p(".TP\n.B %s\n%s", roff(name), roff(sentence(s.Help+fallback(s))))
		if s.Secret {
			p("It has no flag, because every process on the machine can read a command line.")
		}
		if len(s.Aliases) > 0 {
			p("In 2020: %s.", roff("-"+strings.Join(s.Aliases, ", -")))
		}
		p(".br\nVariable: %s. Key: %s", roff(s.Env()), roff(s.Example()))
	}
	p(".SH FILES")
	p(".TP\n.I %s\nThe configuration file, in TOML; another one with \\fB\\-\\-config\\fR or %s. A file that holds a password must be closed to others (mode 0600).",
		roff("$XDG_CONFIG_HOME/costream-obs/config.toml"), roff(config.FileEnv))
	p(".TP\n.I %s\nThe secret that is shared with the peer, written by \\fBcostream\\-obs pair\\fR. It must be closed to others (mode 0600).",
		roff("$XDG_CONFIG_HOME/costream-obs/pair.json"))
	p(".TP\n.I %s\nThe layouts saved by \\fBcostream\\-obs peer layout save\\fR.",
		roff("$XDG_CONFIG_HOME/costream-obs/layouts.json"))
	p(".TP\n.I %s\nWhere \\fBcostream\\-obs graph\\fR asks a running \\fBcostream\\-obs run\\fR.", roff("$XDG_RUNTIME_DIR/costream-obs.sock"))
	p(".TP\n.I %s\nWhat outlives the program.", roff("$XDG_STATE_HOME/costream-obs/"))
	p(".SH EXIT STATUS")
	p(".TP\n.B 0\nAll went well.\n.TP\n.B 1\nSomething failed; the message says what, where, and what to do.\n.TP\n.B 2\nThe command line, the environment or the configuration file is wrong; nothing was started.")
	p(".SH SEE ALSO\n.BR obs (1),\n.BR pactl (1),\n.BR gst\\-launch\\-1.0 (1),\n.BR dot (1)")
	return b.String()
}

// roffText turns paragraphs of help text into roff; those that begin with a space are examples.
func roffText(text string) string {
	var out []string
	for i, paragraph := range strings.Split(text, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, " "):
			out = append(out, ".PP\n.nf\n"+roff(paragraph)+"\n.fi")
		case i > 0:
			out = append(out, ".PP\n"+roff(paragraph))
		default:
			out = append(out, roff(paragraph))
		}
	}
	return strings.Join(out, "\n")
}

// roff escapes text for a line of roff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "~", `\(ti`, "^", `\(ha`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// sentence makes one of a phrase.
func sentence(phrase string) string {
	return strings.ToUpper(phrase[:1]) + phrase[1:] + "."
}
