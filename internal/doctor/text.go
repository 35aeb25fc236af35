// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

// column is where the text of a finding begins.
const column = 4

// A Printer writes findings as they come.
type Printer struct {
	style terminal.Style

	mu          sync.Mutex // the spinner writes, too
	out         io.Writer
	spinning    bool // the spinner is in the last line
	done, total int  // findings of the run
	group       string
	// skipped are the skipped findings of the last group, not yet written.
	skipped []Finding
}

// NewPrinter returns a printer for one run. Text that cannot be written is lost.
func NewPrinter(out io.Writer, style terminal.Style) *Printer {
	if style.Width <= 0 {
		style.Width = terminal.Width
	}
	return &Printer{out: out, style: style}
}

// Print writes one finding, below its group's heading. Skipped ones wait for the end of their group.
func (p *Printer) Print(f Finding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if len(p.skipped) > 0 && p.skipped[0].Group != f.Group {
		p.flush()
	}
	if f.Status == Skip {
		p.skipped = append(p.skipped, f)
		return
	}
	var b strings.Builder
	p.heading(&b, f.Group)
	if p.style.Terminal {
		p.pretty(&b, f)
	} else {
		p.plain(&b, f)
	}
	p.write(b.String())
}

// flush prints in one line which checks of a group were skipped, and why.
func (p *Printer) flush() {
	if len(p.skipped) == 0 {
		return
	}
	var b strings.Builder
	p.heading(&b, p.skipped[0].Group)
	var causes []string
	ids := make(map[string][]string)
	for _, f := range p.skipped {
		if ids[f.Detail] == nil {
			causes = append(causes, f.Detail)
		}
		ids[f.Detail] = append(ids[f.Detail], f.ID)
	}
	form := "%s: %s"
	if p.style.Terminal {
		form = "%s (%s)"
	}
	var parts []string
	for _, cause := range causes {
		parts = append(parts, fmt.Sprintf(form, strings.Join(ids[cause], ", "), cause))
	}
	what := strings.Join(parts, "; ")
	if p.style.Terminal {
		text := p.rest("not checked: "+what, column)
		b.WriteString("  " + p.style.Paint(terminal.Dim, "- "+text) + "\n")
	} else {
		fmt.Fprintf(&b, "  %-5s %s\n", Skip, what)
	}
	p.skipped = nil
	p.write(b.String())
}

func (p *Printer) heading(b *strings.Builder, group string) {
	if group == p.group {
		return
	}
	if p.group != "" {
		b.WriteString("\n")
	}
	b.WriteString(p.style.Paint(terminal.Bold, group) + "\n")
	p.group = group
}

func (p *Printer) pretty(b *strings.Builder, f Finding) {
	s := p.style
	if f.Status == OK {
		line := f.Title
		if f.Detail != "" {
			line += ": " + f.Detail
		}
		text := p.cut(line, column)
		if strings.Contains(f.Detail, "`") { // half a command is useless
			text = p.rest(line, column)
		}
		fmt.Fprintf(b, "  %s %s%s\n", s.Paint(terminal.Green, "✓"), f.Title, s.Paint(terminal.Dim, strings.TrimPrefix(text, f.Title)))
		return
	}
	sign, colour := "!", terminal.Yellow
	if f.Status == Fail {
		sign, colour = "✗", terminal.Red
	}
	head := p.rest(f.Detail, column)
	fmt.Fprintf(b, "  %s %s %s\n", s.Paint(colour, sign), s.Paint(terminal.Bold, head), s.Paint(terminal.Dim, "("+f.ID+")"))
	for _, text := range []string{f.Why, f.Next} {
		b.WriteString(s.Commands(p.wrap(text, column)) + "\n")
	}
	if f.Fix != "" {
		b.WriteString(s.Paint(terminal.Dim, p.wrap("With --fix: "+f.Fix, column)) + "\n")
	}
}

// cut shortens a text to one line that begins at a column.
func (p *Printer) cut(text string, column int) string {
	room := p.style.Width - column
	if utf8.RuneCountInString(text) <= room {
		return text
	}
	return string([]rune(text)[:room-1]) + "…"
}

func (p *Printer) plain(b *strings.Builder, f Finding) {
	const margin = "        "
	what := cmp.Or(f.Detail, f.Title)
	if f.Status == OK && f.Detail != "" { // The detail continues the title.
		what = f.Title + ": " + f.Detail
	}
	fmt.Fprintf(b, "  %-5s %s: %s\n", f.Status, f.ID, what)
	if f.Why != "" {
		b.WriteString(margin + "why: " + f.Why + "\n")
	}
	if f.Next != "" {
		b.WriteString(margin + "next: " + f.Next + "\n")
	}
	if f.Fix != "" {
		b.WriteString(margin + "--fix: " + f.Fix + "\n")
	}
}

// Sum prints the last sentences of a run.
func (p *Printer) Sum(r Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
	s := p.style
	text := ""
	cause, left := r.mainSkip()
	switch c := r.Counts; {
	case c.Fail > 0:
		text = s.Paint(terminal.Red, fmt.Sprintf("Not ready: %s%s.", count(c.Fail, "problem"), and(c.Warn, "warning"))) +
			" Start with the first one; that may fix the others."
	case c.Warn > 0:
		text = s.Paint(terminal.Yellow, fmt.Sprintf("Ready to co-stream, with %s.", count(c.Warn, "warning")))
	case left > 0:
		text = s.Paint(terminal.Green, "Nothing is wrong in what was checked.")
	default:
		text = s.Paint(terminal.Green, "Ready to co-stream: nothing is wrong.")
	}
	if n := len(r.Fixable()); n > 0 {
		text += " " + s.Commands(fmt.Sprintf("%s can be fixed with `costream-obs doctor --fix`.", capital(count(n, "fault"))))
	}
	if left > 0 {
		text += fmt.Sprintf("\n%s were left out: %s.", capital(count(left, "check")), cause)
	}
	p.write("\n" + text + "\n")
}

// mainSkip is the most frequent reason of checks that were skipped without a failure.
func (r Report) mainSkip() (cause string, n int) {
	counts := make(map[string]int)
	for _, f := range r.Checks {
		if f.Status != Skip || strings.HasPrefix(f.Detail, waits) {
			continue
		}
		counts[f.Detail]++
		if counts[f.Detail] > n {
			cause, n = f.Detail, counts[f.Detail]
		}
	}
	if n < 2 { // One check alone explains itself.
		return "", 0
	}
	return cause, n
}

// List prints the table of checks.
func (p *Printer) List(checks []Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, c := range checks {
		p.heading(&b, c.Group)
		fmt.Fprintf(&b, "  %-22s %s\n", c.ID, c.Title)
	}
	p.write(b.String())
}

// Plan prints what --fix is about to do.
func (p *Printer) Plan(findings []Finding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flush()
	var b strings.Builder
	b.WriteString("\nThis can be fixed:\n")
	for _, f := range findings {
		b.WriteString(p.bullet("- ", f.Fix+" ("+f.ID+")") + "\n")
	}
	p.write(b.String())
}

// Done prints what --fix did.
func (p *Printer) Done(mended []Mended) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, m := range mended {
		if m.Error != "" {
			b.WriteString(p.bullet(p.style.Paint(terminal.Red, "✗")+" ", m.ID+": "+m.Error) + "\n")
			continue
		}
		b.WriteString(p.bullet(p.style.Paint(terminal.Green, "✓")+" ", m.What) + "\n")
	}
	b.WriteString("\nChecked again:\n\n")
	p.write(b.String())
	p.group = ""
}

func (p *Printer) bullet(sign, text string) string {
	if !p.style.Terminal {
		return "  " + sign + text
	}
	return "  " + sign + p.rest(text, column)
}

// wrap breaks text into indented lines for a terminal.
func (p *Printer) wrap(text string, indent int) string {
	if !p.style.Terminal {
		return strings.Repeat(" ", indent) + text
	}
	return terminal.Wrap(text, indent, p.style.Width)
}

// rest is wrap without the indentation of the first line.
func (p *Printer) rest(text string, indent int) string {
	return strings.TrimPrefix(p.wrap(text, indent), strings.Repeat(" ", indent))
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

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
