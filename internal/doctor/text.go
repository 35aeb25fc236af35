// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Style says for whom text is written.
type Style struct {
	// Terminal: signs and titles for a person, lines broken at Width letters.
	// Otherwise ids, and one line for each statement, for a pipe.
	Terminal bool
	Colour   bool
	Width    int // 80 when 0
}

// Escape sequences of ECMA-48.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s Style) paint(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// commands makes what stands in backquotes bold where there are colours.
func (s Style) commands(text string) string {
	if !s.Colour {
		return text
	}
	parts := strings.Split(text, "`")
	if len(parts)%2 == 0 {
		return text
	}
	for i := 1; i < len(parts); i += 2 {
		parts[i] = s.paint(bold, parts[i])
	}
	return strings.Join(parts, "")
}

// A Printer writes findings as they come.
type Printer struct {
	out   io.Writer
	style Style
	group string
}

// NewPrinter returns a printer for one run. Text that cannot be written is lost.
func NewPrinter(out io.Writer, style Style) *Printer {
	if style.Width <= 0 {
		style.Width = 80
	}
	return &Printer{out: out, style: style}
}

// Print writes one finding, below its group's heading.
func (p *Printer) Print(f Finding) {
	var b strings.Builder
	if f.Group != p.group {
		if p.group != "" {
			b.WriteString("\n")
		}
		b.WriteString(p.style.paint(bold, f.Group) + "\n")
		p.group = f.Group
	}
	if p.style.Terminal {
		p.pretty(&b, f)
	} else {
		p.plain(&b, f)
	}
	_, _ = io.WriteString(p.out, b.String())
}

func (p *Printer) pretty(b *strings.Builder, f Finding) {
	const indent = "    "
	s := p.style
	switch f.Status {
	case OK:
		fmt.Fprintf(b, "  %s %s\n", s.paint(green, "✓"), s.withDetail(f.Title, f.Detail))
		return
	case Skip:
		fmt.Fprintf(b, "  %s\n", s.paint(dim, "- "+s.withDetail(f.Title, "skipped: "+f.Detail)))
		return
	}
	sign, colour := "!", yellow
	if f.Status == Fail {
		sign, colour = "✗", red
	}
	head := f.Title + " (" + f.ID + ")"
	fmt.Fprintf(b, "  %s %s\n", s.paint(colour, sign), s.paint(bold, head))
	for _, text := range []string{f.Detail, f.Why, f.Next} {
		if text != "" {
			b.WriteString(s.commands(s.wrap(text, indent)) + "\n")
		}
	}
	if f.Fix != "" {
		b.WriteString(s.paint(dim, s.wrap("costream-obs doctor --fix can do this: "+f.Fix, indent)) + "\n")
	}
}

// withDetail is a line of title and detail, the detail cut where the line ends.
func (s Style) withDetail(title, detail string) string {
	if detail == "" {
		return title
	}
	room := s.Width - utf8.RuneCountInString(title) - len("  ✓ : ") + 2
	if n := utf8.RuneCountInString(detail); n > room {
		if room < 12 {
			return title
		}
		detail = string([]rune(detail)[:room-1]) + "…"
	}
	return title + s.paint(dim, ": "+detail)
}

func (p *Printer) plain(b *strings.Builder, f Finding) {
	const column = "        "
	fmt.Fprintf(b, "  %-5s %s: %s\n", f.Status, f.ID, f.Detail)
	if f.Why != "" {
		b.WriteString(column + "why: " + f.Why + "\n")
	}
	if f.Next != "" {
		b.WriteString(column + "next: " + f.Next + "\n")
	}
	if f.Fix != "" {
		b.WriteString(column + "--fix: " + f.Fix + "\n")
	}
}

// Sum writes the last sentences of a run.
func (p *Printer) Sum(r Report) {
	s := p.style
	text := ""
	switch c := r.Counts; {
	case c.Fail > 0:
		text = s.paint(red, fmt.Sprintf("Not ready: %s%s.", count(c.Fail, "problem"), and(c.Warn, "warning"))) +
			" Begin with the first one; the others may go with it."
	case c.Warn > 0:
		text = s.paint(yellow, fmt.Sprintf("Ready to co-stream, with %s.", count(c.Warn, "warning")))
	default:
		text = s.paint(green, "Ready to co-stream: nothing is wrong.")
	}
	if n := len(r.Fixable()); n > 0 {
		text += " " + s.commands(fmt.Sprintf("%s can be mended with `costream-obs doctor --fix`.", capital(count(n, "fault"))))
	}
	if cause, n := r.mainSkip(); n > 0 {
		text += fmt.Sprintf("\n%s left out: %s.", capital(count(n, "check"))+" "+was(n), cause)
	}
	_, _ = io.WriteString(p.out, "\n"+text+"\n")
}

// mainSkip is the cause of most of the skipped checks that no failure caused.
func (r Report) mainSkip() (cause string, n int) {
	counts := make(map[string]int)
	for _, f := range r.Checks {
		if f.Status != Skip || strings.HasPrefix(f.Detail, "needs ") {
			continue
		}
		counts[f.Detail]++
		if counts[f.Detail] > n {
			cause, n = f.Detail, counts[f.Detail]
		}
	}
	if n < 2 { // One alone explains itself.
		return "", 0
	}
	return cause, n
}

// List writes the table of checks.
func (p *Printer) List(checks []Check) {
	var b strings.Builder
	for _, c := range checks {
		if c.Group != p.group {
			if p.group != "" {
				b.WriteString("\n")
			}
			b.WriteString(p.style.paint(bold, c.Group) + "\n")
			p.group = c.Group
		}
		fmt.Fprintf(&b, "  %-22s %s\n", c.ID, c.Title)
	}
	_, _ = io.WriteString(p.out, b.String())
}

// Plan writes what --fix is about to do.
func (p *Printer) Plan(findings []Finding) {
	var b strings.Builder
	b.WriteString("\nThis can be mended:\n")
	for _, f := range findings {
		b.WriteString(p.style.bullet("- ", f.Fix+" ("+f.ID+")") + "\n")
	}
	_, _ = io.WriteString(p.out, b.String())
}

// Done writes what --fix did.
func (p *Printer) Done(mended []Mended) {
	var b strings.Builder
	for _, m := range mended {
		if m.Error != "" {
			b.WriteString(p.style.bullet(p.style.paint(red, "✗")+" ", m.ID+": "+m.Error) + "\n")
			continue
		}
		b.WriteString(p.style.bullet(p.style.paint(green, "✓")+" ", m.What) + "\n")
	}
	b.WriteString("\nChecked again:\n\n")
	_, _ = io.WriteString(p.out, b.String())
	p.group = ""
}

func (s Style) bullet(sign, text string) string {
	if !s.Terminal {
		return "  " + sign + text
	}
	const indent = "    "
	return "  " + sign + strings.TrimPrefix(s.wrap(text, indent), indent)
}

// wrap breaks text into indented lines for a terminal, but no command.
func (s Style) wrap(text, indent string) string {
	if !s.Terminal {
		return indent + text
	}
	var out []string
	line := indent
	for _, word := range words(text) {
		if line != indent && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > s.Width {
			out = append(out, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(out, line), "\n")
}

// words splits at blanks outside backquotes.
func words(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '`' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

func count(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func and(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return " and " + count(n, noun)
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
