// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
	"golang.org/x/text/width"
)

// Columns is how wide a terminal is now, or Width where it does not say.
func Columns(output any) int {
	if f, ok := output.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return Width
}

// Same reports whether two outputs are one terminal.
func Same(a, b any) bool {
	if !Is(a) || !Is(b) {
		return false
	}
	first, err := a.(*os.File).Stat()
	if err != nil {
		return false
	}
	second, err := b.(*os.File).Stat()
	return err == nil && os.SameFile(first, second)
}

// Part is a piece of a line that may have to be short.
type Part struct {
	// Texts are ways to write the part, the longest first. Without any the part is left out.
	Texts []string
	// Rank decides which parts a narrow line has: those with the lowest.
	Rank   int
	Colour Colour
}

// gap is what stands between two parts.
const gap = "  "

// Line puts parts into one line of less than so many columns: as many parts as fit, by their rank, each as long as
// possible. The part with the lowest rank is cut if even that does not fit.
func (s Style) Line(parts []Part, columns int) string {
	room := columns - 1 // A terminal would begin a new line after its last column.
	byRank := slices.Clone(parts)
	for i := range byRank {
		byRank[i].Texts = clean(byRank[i].Texts)
	}
	order := make([]int, 0, len(parts))
	for i, p := range byRank {
		if len(p.Texts) > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(byRank[a].Rank, byRank[b].Rank) })
	chosen := make([]string, len(parts))
	used := -len(gap)
	for _, i := range order {
		short := byRank[i].Texts[len(byRank[i].Texts)-1]
		if used < 0 {
			short = cut(short, room)
		}
		if need := len(gap) + Cells(short); used+need <= room {
			chosen[i], used = short, used+need
		} else {
			break
		}
	}
	for _, i := range order {
		for _, longer := range byRank[i].Texts {
			if more := Cells(longer) - Cells(chosen[i]); chosen[i] != "" && used+more <= room {
				chosen[i], used = longer, used+more
				break
			}
		}
	}
	var texts []string
	for i, text := range chosen {
		if text != "" && parts[i].Colour != "" {
			text = s.Paint(parts[i].Colour, text)
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, gap)
}

// clean removes what moves the cursor.
func clean(texts []string) []string {
	var out []string
	for _, text := range texts {
		if text = strings.Map(printable, text); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func printable(r rune) rune {
	if unicode.IsControl(r) || r == unicode.ReplacementChar {
		return -1
	}
	return r
}

// cut shortens text to so many columns.
func cut(text string, columns int) string {
	if Cells(text) <= columns {
		return text
	}
	used := 1 // the dots
	for i, r := range text {
		if used += cells(r); used > columns {
			return text[:i] + strings.Repeat("…", min(max(columns, 0), 1))
		}
	}
	return text
}

// Cells is how many columns a text takes.
func Cells(text string) int {
	n := 0
	for _, r := range text {
		n += cells(r)
	}
	return n
}

// cells is how many columns a letter takes, and never too few.
func cells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me) && (r < 0xfe00 || r > 0xfe0f):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Live is the control text of one last line of a terminal that is written again and again, while other lines scroll above
// it. It writes nothing itself. The zero value has no line yet.
//
// The cursor rests at the beginning of the line. Thus it stays in the right place where a terminal that becomes narrower
// breaks the line into several, and where it does not.
type Live struct{ line string }

// erase erases from the cursor to the end of the screen.
const erase = "\x1b[J"

// Show is the text that shows a line in the place of the last one.
func (l *Live) Show(line string) string {
	l.line = line
	return "\r" + line + erase + "\r"
}

// Above is the text that writes lines, each with its end, above the live line.
func (l *Live) Above(lines string) string {
	if l.line == "" {
		return lines
	}
	return "\r" + erase + strings.TrimSuffix(lines, "\n") + "\n" + l.line + "\r"
}

// Clear is the text that removes the line.
func (l *Live) Clear() string {
	if l.line == "" {
		return ""
	}
	l.line = ""
	return "\r" + erase
}
