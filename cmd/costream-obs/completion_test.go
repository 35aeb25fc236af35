// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/doctor/checks"
	"github.com/costream-obs/costream-obs/internal/golden"
	"github.com/costream-obs/costream-obs/scenes"
)

// completionDir has the files by which shells complete our command lines. Like the manual page they are written by make
// docs, so that no shell must start costream-obs for each Tab.
const completionDir = "../../setup/completions"

// TestGoldenCompletions keeps the completions in step with the commands and the table of settings.
func TestGoldenCompletions(t *testing.T) {
	isolate(t)
	commands := completable()
	golden.Check(t, filepath.Join(completionDir, "costream-obs.bash"), bashCompletion(commands))
	golden.Check(t, filepath.Join(completionDir, "_costream-obs"), zshCompletion(commands))
	golden.Check(t, filepath.Join(completionDir, "costream-obs.fish"), fishCompletion(commands))
}

// completionHead is what each file begins with, after what its shell wants first.
const completionHead = "# SPDX-License-Identifier: Apache-2.0\n#\n# Completes the command line of costream-obs. Written by make docs from the commands and the table of settings; do not\n# edit.\n"

// A completableCommand is a command as shells complete it.
type completableCommand struct {
	path  string // "costream-obs peer layout"
	args  string
	flags []completableFlag
	subs  []*command
}

// A completableFlag is a flag as shells complete it. Its value is one of words, a file that matches files, or free.
type completableFlag struct {
	flagHelp
	words []string
	files string
}

// phrase is the first part of the flag's help, for a list with one line each.
func (f completableFlag) phrase() string {
	end := len(f.help)
	for _, mark := range []string{"; ", ": ", " (", ", as in ", ", such as "} {
		if i := strings.Index(f.help, mark); i >= 0 {
			end = min(end, i)
		}
	}
	return f.help[:end]
}

// repeats: the flag may be given more than once.
func (f completableFlag) repeats() bool {
	return strings.Contains(f.help, "may be repeated") || strings.HasSuffix(f.arg, ",...")
}

// optional: the flag's value may be left out.
func (f completableFlag) optional() bool { return strings.HasPrefix(f.arg, "[") }

// completable lists all commands that lead to others or have flags.
func completable() []completableCommand {
	var out []completableCommand
	leaves([]*command{root()}, func(path []*command) {
		c := path[len(path)-1]
		command := completableCommand{path: pathName(path), args: c.args, subs: c.subs}
		for _, g := range flagGroups(c) {
			for _, f := range g.flags {
				flag := completableFlag{flagHelp: f}
				if flag.words, flag.files = completableValue(f.arg); len(f.choices) > 0 {
					flag.words = f.choices
				}
				command.flags = append(command.flags, flag)
				if f.off {
					flag.name, flag.help = "no-"+f.name, "do not "+f.help
					command.flags = append(command.flags, flag)
				}
			}
		}
		out = append(out, command)
	})
	slices.SortFunc(out, func(a, b completableCommand) int { return cmp.Compare(a.path, b.path) })
	return out
}

// completableValue tells the values that have this name in help texts: words, or a pattern for files.
func completableValue(arg string) (words []string, files string) {
	switch arg {
	case "LAYOUT":
		for _, s := range scenes.Shapes() {
			words = append(words, string(s))
		}
	case "CORNER":
		for _, c := range scenes.Corners() {
			words = append(words, string(c))
		}
	case "ID,...":
		for _, c := range checks.All(checks.New(checks.Options{})) {
			if group, _, _ := strings.Cut(c.ID, "."); !slices.Contains(words, group) {
				words = append(words, group)
			}
			words = append(words, c.ID)
		}
	case "KIND":
		words = []string{"null", "aloop"}
	case "DEVICE":
		files = "/dev/video*"
	case "FILE", "DIR":
		files = "*"
	}
	return words, files
}

// commandPaths are the ways to all commands but the first, quoted for a shell.
func commandPaths(commands []completableCommand) []string {
	var paths []string
	for _, c := range commands[1:] {
		paths = append(paths, "'"+c.path+"'")
	}
	return paths
}

// bashCompletion needs no bash-completion.
func bashCompletion(commands []completableCommand) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# shellcheck shell=bash\n%s", completionHead)
	p(`_costream_obs() {
  local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]} at=costream-obs words='' i=1
  COMPREPLY=()
  # To bash --flag=value is three words.
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $flag == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} != help ]] || i=2
  for (( ; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
      %s) at+=" ${COMP_WORDS[i]}" ;;
      *) break ;;
    esac
  done`, strings.Join(commandPaths(commands), " | \\\n        "))
	p("  [[ $word != -* ]] || flag='' # A flag follows: the one before it was a switch.\n  case $flag in")
	for _, v := range flagsByValue(commands) {
		switch {
		case len(v.words) > 0:
			p("    %s) words='%s' ;;", v.patterns, strings.Join(v.words, " "))
		case v.files == "*":
			p("    %s)\n      compopt -o filenames\n      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n      return\n      ;;", v.patterns)
		case v.files != "":
			p("    %s)\n      mapfile -t COMPREPLY < <(compgen -W \"$(compgen -G '%s')\" -- \"$word\")\n      return\n      ;;", v.patterns, v.files)
		default:
			p("    %s) return ;;", v.patterns)
		}
	}
	p("  esac\n  if [[ -z $words ]]; then\n    case $at in")
	for _, c := range commands {
		var words []string
		for _, s := range c.subs {
			words = append(words, s.name)
		}
		for _, f := range c.flags {
			words = append(words, "--"+f.name)
		}
		if len(words) > 0 {
			p("      '%s') words='%s' ;;", c.path, strings.Join(words, " "))
		}
	}
	p(`    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _costream_obs costream-obs`)
	return b.String()
}

// flagValues are flags whose values are completed alike.
type flagValues struct {
	completableFlag
	patterns string // for bash's case: "--link | --route"
}

// flagsByValue groups the flags of all commands that take a value. One name stands for one kind of value everywhere.
func flagsByValue(commands []completableCommand) []flagValues {
	groups := make(map[string]*flagValues)
	for _, c := range commands {
		for _, f := range c.flags {
			if f.arg == "" {
				continue
			}
			key := f.files + " " + strings.Join(f.words, " ")
			if groups[key] == nil {
				groups[key] = &flagValues{completableFlag: f, patterns: "--" + f.name}
			} else if names := strings.Split(groups[key].patterns, " | "); !slices.Contains(names, "--"+f.name) {
				groups[key].patterns = strings.Join(append(names, "--"+f.name), " | ")
			}
		}
	}
	var out []flagValues
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[key])
	}
	return out
}

// TestFlagsMeanOneThing: the completion for bash knows a flag's values by its name alone.
func TestFlagsMeanOneThing(t *testing.T) {
	kinds := make(map[string]string)
	for _, c := range completable() {
		for _, f := range c.flags {
			kind := fmt.Sprint(f.arg != "", f.words, f.files)
			if other, ok := kinds[f.name]; ok && other != kind {
				t.Errorf("%s --%s: its value is %s, elsewhere %s", c.path, f.name, kind, other)
			}
			kinds[f.name] = kind
		}
	}
}

func zshCompletion(commands []completableCommand) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("#compdef costream-obs\n%s", completionHead)
	p(`local at=costream-obs
local -i next=2
((CURRENT == 2)) || [[ $words[2] != help ]] || next=3
while ((next < CURRENT)); do
  case "$at $words[next]" in
    (%s) at+=" $words[next]" ;;
    (*) break ;;
  esac
  ((next++))
done
# From here on the command is one word.
words=("$at" "${(@)words[next,-1]}")
((CURRENT -= next - 2))
case $at in`, strings.Join(commandPaths(commands), "|\\\n     "))
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	for _, c := range commands {
		var specs []string
		for _, f := range c.flags {
			spec := "--" + f.name
			if f.repeats() {
				spec = "*" + spec
			}
			phrase := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(f.phrase())
			name := strings.NewReplacer(":", `\:`).Replace(strings.Trim(f.arg, "[]"))
			switch {
			case f.arg == "":
				spec += "[" + phrase + "]"
			case len(f.words) > 0:
				spec += "=[" + phrase + "]:" + name + ":(" + strings.Join(f.words, " ") + ")"
			case f.files == "*":
				spec += "=[" + phrase + "]:" + name + ":_files"
			case f.files != "":
				spec += "=[" + phrase + "]:" + name + ":{compadd -- " + f.files + "(N)}"
			case f.optional():
				spec += "=-[" + phrase + "]::" + name + ": " // As a word of its own it would swallow a flag.
			default:
				spec += "=[" + phrase + "]:" + name + ": "
			}
			specs = append(specs, quote(spec))
		}
		switch {
		case len(c.subs) > 0:
			var words []string
			for _, s := range c.subs {
				short := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", ":", `\:`).Replace(s.short)
				words = append(words, s.name+`\:"`+short+`"`)
			}
			specs = append(specs, quote(":command:(("+strings.Join(words, " ")+"))"))
		case c.args != "":
			specs = append(specs, quote(":"+strings.Trim(c.args, "[]")+": "))
		}
		if len(specs) > 0 {
			p("  ('%s')\n    _arguments %s\n    ;;", c.path, strings.Join(specs, " \\\n      "))
		}
	}
	p("esac")
	return b.String()
}

func fishCompletion(commands []completableCommand) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("%s", completionHead)
	p(`# Whether the words before the cursor lead to this command.
function __costream_obs_at
    set -l words (commandline -opc)[2..]
    set -l at costream-obs
    if test "$words[1]" = help
        set -e words[1]
    end
    for word in $words
        if not contains -- "$at $word" \
                %s
            break
        end
        set at "$at $word"
    end
    test "$at" = "$argv"
end

complete -c costream-obs -f`, strings.Join(commandPaths(commands), " \\\n                "))
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'" }
	for _, c := range commands {
		p("\nset -l at '__costream_obs_at %s'", c.path)
		for _, s := range c.subs {
			p("complete -c costream-obs -n $at -a %s -d %s", s.name, quote(s.short))
		}
		for _, f := range c.flags {
			value := ""
			switch {
			case f.arg == "" || f.optional():
			case len(f.words) > 0:
				value = " -x -a " + quote(strings.Join(f.words, " "))
			case f.files == "*":
				value = " -r -F"
			case f.files != "":
				value = " -x -a " + quote("(for f in "+f.files+"; echo $f; end)")
			default:
				value = " -x"
			}
			p("complete -c costream-obs -n $at -l %s%s -d %s", f.name, value, quote(f.phrase()))
		}
	}
	return b.String()
}
