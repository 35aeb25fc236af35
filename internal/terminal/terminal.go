// SPDX-License-Identifier: Apache-2.0

// Package terminal knows for whom text is written: whether an output is a terminal, how wide it is, whether it may have colours;
// and it breaks text into lines. It prints nothing.
package terminal

import (
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Width is how wide text is where the terminal does not say.
const Width = 80

// Is reports whether an input or output is a terminal.
func Is(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Style says how to write to an output.
type Style struct {
	// Terminal: a person reads it as it comes. Otherwise it is a pipe or a file.
	Terminal bool
	Colour   bool
	// Rewrite: the last line can be written again.
	Rewrite bool
	Width   int // in columns
}

// StyleOf is how to write to an output.
func StyleOf(output any) Style {
	if !Is(output) {
		return Style{Width: Width}
	}
	dumb := os.Getenv("TERM") == "dumb"
	style := Style{Terminal: true, Colour: os.Getenv("NO_COLOR") == "" && !dumb, Rewrite: !dumb, Width: Width}
	size, err := unix.IoctlGetWinsize(int(output.(*os.File).Fd()), unix.TIOCGWINSZ)
	if err == nil && size.Col >= 40 {
		style.Width = min(int(size.Col), 100)
	}
	return style
}

// Colour is an escape sequence of ECMA-48.
type Colour string

// The colours.
const (
	Bold   Colour = "1"
	Dim    Colour = "2"
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
)

// Paint gives text a colour, where the output may have colours.
func (s Style) Paint(c Colour, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// Commands makes what stands in backquotes bold, where the output may have colours.
func (s Style) Commands(text string) string {
	if !s.Colour {
		return text
	}
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 {
		return text
	}
	for i := 1; i < len(parts); i += 2 {
		parts[i] = s.Paint(Bold, parts[i])
	}
	return strings.Join(parts, "")
}

// OneLine joins the lines of a text, such as that of several errors, into one.
func OneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Wrap breaks text into lines of at most width letters, each indented by so many blanks, but no command, which stands in
// backquotes. Empty lines part paragraphs, and paragraphs that begin with a blank stay as they are.
func Wrap(text string, indent, width int) string {
	pad := strings.Repeat(" ", indent)
	var out []string
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			out = append(out, "")
		}
		if strings.HasPrefix(paragraph, " ") {
			out = append(out, strings.TrimRight(paragraph, "\n"))
			continue
		}
		line := pad
		for _, word := range words(paragraph) {
			if line != pad && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				out = append(out, line)
				line = pad
			}
			if line != pad {
				line += " "
			}
			line += word
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// words splits at blanks outside backquotes.
func words(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '`' {
			quoted = !quoted
		}
		return (r == ' ' || r == '\n' || r == '\t') && !quoted
	})
}
