// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

func resize(t *testing.T, f *os.File, columns int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(f.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
}

// screen is a model of a terminal: what it shows of what was written to it. It knows the control sequences that we use, and
// takes down any other.
type screen struct {
	mu      sync.Mutex
	columns int
	reflow  bool // lines are broken anew when the width changes, as by VTE and others; xterm cuts them off
	rows    [][]rune
	joined  []bool // the row goes on in the next one
	row     int
	column  int
	rest    string // a sequence that has no end yet
	wrapped int    // how often text went over the right edge
	unknown []string
	drawn   int // how often the cursor went back to the beginning of the row
}

func newScreen(columns int, reflow bool) *screen {
	return &screen{columns: columns, reflow: reflow, rows: make([][]rune, 1), joined: make([]bool, 1)}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.rest + string(b)
	s.rest = ""
	for text != "" {
		if text[0] == 0x1b {
			end := strings.IndexFunc(text[min(2, len(text)):], func(r rune) bool { return r >= '@' && r <= '~' })
			if len(text) < 3 || end < 0 {
				s.rest = text
				break
			}
			s.control(text[:2+end+1])
			text = text[2+end+1:]
			continue
		}
		r := []rune(text[:min(4, len(text))])[0]
		size := len(string(r))
		if r == '\uFFFD' && len(text) < 4 {
			s.rest = text // half a letter
			break
		}
		s.put(r)
		text = text[size:]
	}
	return len(b), nil
}

func (s *screen) control(sequence string) {
	switch {
	case sequence == "\x1b[J":
		if len(s.rows[s.row]) > s.column {
			s.rows[s.row] = s.rows[s.row][:s.column]
		}
		s.rows, s.joined = s.rows[:s.row+1], s.joined[:s.row+1]
		s.joined[s.row] = false
	case strings.HasSuffix(sequence, "m"):
	default:
		s.unknown = append(s.unknown, sequence)
	}
}

func (s *screen) put(r rune) {
	switch r {
	case '\r':
		s.column = 0
		s.drawn++
		return
	case '\n':
		s.down(false)
		return
	}
	for range terminal.Cells(string(r)) {
		if s.column == s.columns {
			s.wrapped++
			s.down(true)
			s.column = 0
		}
		for len(s.rows[s.row]) <= s.column {
			s.rows[s.row] = append(s.rows[s.row], ' ')
		}
		s.rows[s.row][s.column] = r
		s.column++
	}
}

func (s *screen) down(joined bool) {
	s.joined[s.row] = joined
	s.row++
	if s.row == len(s.rows) {
		s.rows, s.joined = append(s.rows, nil), append(s.joined, false)
	}
}

// resize changes the width. The cursor stays at its letter.
func (s *screen) resize(columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.columns = columns
	if !s.reflow {
		for i := range s.rows {
			s.rows[i] = s.rows[i][:min(len(s.rows[i]), columns)]
		}
		s.column = min(s.column, columns-1)
		return
	}
	var rows [][]rune
	var joined []bool
	cursorRow, cursorColumn := 0, 0
	for i := 0; i < len(s.rows); i++ {
		line, at := append([]rune(nil), s.rows[i]...), -1
		if i == s.row {
			at = s.column
		}
		for s.joined[i] && i+1 < len(s.rows) {
			i++
			if i == s.row {
				at = len(line) + s.column
			}
			line = append(line, s.rows[i]...)
		}
		if at >= 0 {
			cursorRow, cursorColumn = len(rows)+at/columns, at%columns
		}
		for len(line) > columns {
			rows, joined = append(rows, line[:columns:columns]), append(joined, true)
			line = line[columns:]
		}
		rows, joined = append(rows, line), append(joined, false)
	}
	for len(rows) <= cursorRow {
		rows, joined = append(rows, nil), append(joined, false)
	}
	s.rows, s.joined, s.row, s.column = rows, joined, cursorRow, cursorColumn
}

// lines is what the screen shows.
func (s *screen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, row := range s.rows {
		lines = append(lines, strings.TrimRight(string(row), " "))
	}
	return lines
}

// TestLiveLine shows the live line on a terminal whose width changes, while states change: it never breaks into two lines,
// what scrolls above it stays whole, and one line is alive at a time.
func TestLiveLine(t *testing.T) {
	for _, reflow := range []bool{false, true} {
		t.Run(fmt.Sprintf("reflow %t", reflow), func(t *testing.T) {
			t.Setenv("TERM", "xterm-256color")
			t.Setenv("NO_COLOR", "")
			person, program := openTerminal(t)
			resize(t, person, 200)
			shown := newScreen(200, reflow)
			copied := make(chan struct{})
			go func() {
				defer close(copied)
				_, _ = io.Copy(shown, person) // ends with an error when the last program has closed the terminal
			}()
			p := newReportPrinter(program, &config.Config{}, false)
			if !p.live() {
				t.Fatal("no live line on a terminal")
			}
			var mu sync.Mutex
			now := statuses()[1].Status
			set := func(s control.Status) {
				mu.Lock()
				now = s
				mu.Unlock()
				p.print(s.Report)
			}
			status := func() control.Status {
				mu.Lock()
				defer mu.Unlock()
				return now
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			followed := make(chan struct{})
			go func() {
				defer close(followed)
				p.follow(ctx, status)
			}()
			want := 0 // lines above the live line
			expect := func(columns int, parts ...string) {
				t.Helper()
				testbed.Await(t, fmt.Sprintf("the live line at %d columns", columns), 10*time.Second, func() error {
					lines := shown.lines()
					if len(lines) != want+1 {
						return fmt.Errorf("got %d lines, want %d: %q", len(lines), want+1, lines)
					}
					live := lines[want]
					for _, part := range parts {
						if !strings.Contains(live, part) {
							return fmt.Errorf("%q is not in %q", part, live)
						}
					}
					for i, line := range lines[:want] {
						if strings.Count(line, "●") != 1 || !strings.HasPrefix(line, "20:41:07  ●") {
							return fmt.Errorf("line %d: %q", i, line)
						}
					}
					return nil
				})
			}
			narrow := func(columns int) {
				t.Helper()
				shown.resize(columns)
				resize(t, person, columns)
				// The kernel tells only those who have the terminal as their own.
				if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
					t.Fatal(err)
				}
			}
			set(statuses()[1].Status)
			want++
			expect(200, "● ready")
			secure := statuses()[4].Status
			secure.Figures.Since = time.Now().Add(-time.Hour)
			secure.Tally.Peer.PeerShown = false // or a line without a state would scroll by
			set(secure)
			want++
			expect(200, "● on air with Bob", "not shown, friend muted, you muted", "picture 142 ms", "dropped")
			// Nothing above the live line is longer than the narrowest width.
			narrow(60)
			expect(60, "● Bob  ", "142 ms")
			narrow(200)
			expect(200, "x264enc 4.1 of 33.3 ms")
			set(secure)
			want++
			_, _ = io.WriteString(p.beside(), "20:41:07  ● from a log\n")
			want++
			expect(200, "● on air with Bob", "not shown, friend muted, you muted", "dropped")
			cancel()
			<-followed
			p.end()
			testbed.Await(t, "the end of the live line", 10*time.Second, func() error {
				if lines := shown.lines(); len(lines) != want+1 || lines[want] != "" {
					return errors.New("it is still there: " + strings.Join(lines, "\n"))
				}
				return nil
			})
			_ = program.Close()
			<-copied
			if shown.wrapped > 0 || len(shown.unknown) > 0 {
				t.Errorf("text went over the edge %d times; sequences that no terminal needs to know: %q", shown.wrapped, shown.unknown)
			}
		})
	}
}

// TestNoLiveLine holds where there is none.
func TestNoLiveLine(t *testing.T) {
	_, program := openTerminal(t)
	t.Setenv("TERM", "dumb")
	if p := newReportPrinter(program, &config.Config{}, false); p.live() {
		t.Error("a live line on a dumb terminal")
	}
	t.Setenv("TERM", "xterm")
	if p := newReportPrinter(program, &config.Config{JSON: true}, false); p.live() {
		t.Error("a live line between objects")
	}
	t.Setenv("NO_COLOR", "1")
	p := newReportPrinter(program, &config.Config{}, false)
	line := p.style.Line(statusParts(statuses()[4].Status, evening, false), 200)
	if !p.live() || strings.Contains(line, "\x1b") {
		t.Errorf("without colours: live %v, line %q", p.live(), line)
	}
}

// TestFiguresThatNobodyReads holds that they are not kept for later, and hold nothing up.
func TestFiguresThatNobodyReads(t *testing.T) {
	blocked, release := io.Pipe()
	defer func() { _ = blocked.Close() }()
	out := newPatientWriter(release)
	p := newReportPrinter(io.Discard, &config.Config{JSON: true}, false)
	p.out = out
	secure := statuses()[4].Status
	p.print(secure.Report)
	for i := range 100_000 {
		p.tick(secure, evening.Add(time.Duration(i)*time.Second))
	}
	p.print(control.Report{State: control.Stopping})
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(blocked)
		read <- string(all)
	}()
	_ = out.Close()
	_ = release.Close()
	got := testbed.Receive(t, read, "what was printed")
	if lines := strings.Count(got, "\n"); lines != 2 || !strings.Contains(got, string(control.Stopping)) {
		t.Errorf("got %d lines, want the two reports: %.300s", lines, got)
	}
}
