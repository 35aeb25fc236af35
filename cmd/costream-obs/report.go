// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

// summaryEvery is the time between two lines with all figures where no line can be kept alive.
const summaryEvery = 30 * time.Second

// A reportPrinter shows what the companion reports: to a person at a terminal, in a log, or to a program as JSON. Its methods
// may be called from any goroutine.
type reportPrinter struct {
	out     io.Writer
	config  *config.Config
	secure  bool
	style   terminal.Style
	columns func() int // of the terminal

	mu     sync.Mutex
	before control.Report // the one that was printed last
	last   control.Status // what the live line shows
	line   terminal.Live
	summed time.Time // when the last summary was printed
}

func newReportPrinter(out io.Writer, c *config.Config, secure bool) *reportPrinter {
	return &reportPrinter{
		out: out, config: c, secure: secure,
		style: terminal.StyleOf(out), columns: func() int { return terminal.Columns(out) },
	}
}

// live reports whether the last line is kept alive.
func (p *reportPrinter) live() bool { return p.style.Terminal && p.style.Rewrite && !p.config.JSON }

// begin greets a person.
func (p *reportPrinter) begin() {
	if !p.style.Terminal || p.config.JSON {
		return
	}
	peer := p.config.Peer
	switch name := p.config.PeerName; {
	case peer == "" && name == "":
		peer = "your friend"
	case peer == "":
		peer = name
	case name != "" && name != peer:
		peer = name + " (" + peer + ")"
	}
	ports := fmt.Sprintf("on UDP ports %d to %d", p.config.BasePort, p.config.BasePort+7)
	if p.secure {
		ports = fmt.Sprintf("on UDP port %d, encrypted", p.config.BasePort)
	}
	fmt.Fprintf(p.out, "Co-streaming with %s %s. Ctrl-C stops.\n\n", p.style.Paint(terminal.Bold, peer), ports)
}

// print shows one report. A report that cannot be written is lost: a closed terminal is no reason to go off air.
func (p *reportPrinter) print(r control.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.before = r }()
	p.last.Report = r
	if r.State != control.OnAir && r.State != control.OnAirWithPeer {
		p.last.Figures = nil
	}
	switch {
	case p.config.JSON:
		_ = printJSON(p.out, r)
	case p.style.Terminal:
		text := ""
		if !p.tallyAlone(r) {
			text = p.pretty(r)
		}
		for _, news := range tallyNews(p.before.Tally, r.Tally, p.config.PeerName) {
			text += terminal.Wrap(news, len(indent), usageWidth) + "\n"
		}
		if p.live() {
			if text != "" {
				text = p.line.Above(text)
			}
			text += p.line.Show(p.lastLine(r.Time))
		}
		_, _ = io.WriteString(p.out, text)
	default:
		text := ""
		if !p.tallyAlone(r) {
			text = p.plain(r)
		}
		for _, news := range tallyNews(p.before.Tally, r.Tally, p.config.PeerName) {
			text += r.Time.Format(time.RFC3339) + " " + news + "\n"
		}
		_, _ = io.WriteString(p.out, text)
	}
}

// tallyAlone reports whether the tally is all that is new.
func (p *reportPrinter) tallyAlone(r control.Report) bool {
	if r.Same(p.before) {
		return false
	}
	r.Tally = p.before.Tally
	return r.Same(p.before)
}

// lastLine is the live line.
func (p *reportPrinter) lastLine(now time.Time) string {
	return p.style.Line(statusParts(p.last, now, p.config.Verbose), p.columns())
}

// tick shows the figures of now: on the last line, or once in a while in a line of its own, or as JSON. Those that would wait
// for a reader are not shown.
func (p *reportPrinter) tick(s control.Status, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.State != "" {
		p.last = s
	}
	var text string
	switch {
	case p.live():
		text = p.line.Show(p.lastLine(now))
	case s.Figures == nil:
		p.summed = time.Time{}
		return
	case p.config.JSON:
		var b bytes.Buffer
		_ = printJSON(&b, s)
		text = b.String()
	case p.summed.IsZero():
		p.summed = now // The report that we are on air is a line of its own.
		return
	case now.Sub(p.summed) < summaryEvery:
		return
	default:
		p.summed = now
		text = summary(s, now)
	}
	if patient, ok := p.out.(*patientWriter); ok {
		patient.Offer([]byte(text))
		return
	}
	_, _ = io.WriteString(p.out, text)
}

// follow shows the figures each second, and anew when the terminal has another size, until ctx ends.
func (p *reportPrinter) follow(ctx context.Context, status func() control.Status) {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.tick(status(), time.Now())
		case <-resized:
			if p.live() {
				p.tick(status(), time.Now())
			}
		}
	}
}

// end takes the live line away.
func (p *reportPrinter) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.out, p.line.Clear())
}

// beside returns a writer for what else is written to the same terminal, such as a log: above the live line.
func (p *reportPrinter) beside() io.Writer { return &besideWriter{printer: p} }

type besideWriter struct {
	printer *reportPrinter
	begun   []byte // a line that has no end yet
}

func (w *besideWriter) Write(b []byte) (int, error) {
	w.printer.mu.Lock()
	defer w.printer.mu.Unlock()
	w.begun = append(w.begun, b...)
	if end := bytes.LastIndexByte(w.begun, '\n') + 1; end > 0 {
		_, _ = io.WriteString(w.printer.out, w.printer.line.Above(string(w.begun[:end])))
		w.begun = append(w.begun[:0], w.begun[end:]...)
	}
	return len(b), nil
}

// indent stands before what is said below a state.
const indent = "            "

// pretty is a report for a terminal: the state with its time, what is new below it.
func (p *reportPrinter) pretty(r control.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s %s", p.style.Paint(terminal.Dim, r.Time.Format("15:04:05")), p.style.Paint(lamp(r.State), "●"), p.style.Paint(terminal.Bold, string(r.State)))
	if w := way(r); w != "" {
		b.WriteString(p.style.Paint(terminal.Dim, w))
	}
	b.WriteString("\n")
	if r.Detail != p.before.Detail && r.Detail != "" {
		b.WriteString(terminal.Wrap(r.Detail, len(indent), usageWidth) + "\n")
	}
	for _, text := range []string{p.pause(r), p.recording(r)} {
		if text != "" {
			b.WriteString(terminal.Wrap(text, len(indent), usageWidth) + "\n")
		}
	}
	for _, problem := range p.news(r) {
		text := strings.TrimPrefix(terminal.Wrap(problem, len(indent)+2, usageWidth), indent+"  ")
		b.WriteString(indent + p.style.Paint(terminal.Yellow, "!") + " " + text + "\n")
	}
	return b.String()
}

// plain is a report for a log: one line each for the state and for what is new in the way.
func (p *reportPrinter) plain(r control.Report) string {
	at := r.Time.Format(time.RFC3339)
	line := at + " " + string(r.State) + way(r)
	if r.Detail != p.before.Detail && r.Detail != "" {
		line += ": " + r.Detail
	}
	line += "\n"
	for _, text := range []string{p.pause(r), p.recording(r)} {
		if text != "" {
			line += at + " " + text + "\n"
		}
	}
	for _, problem := range p.news(r) {
		line += at + " problem: " + problem + "\n"
	}
	return line
}

// way says in brackets how pictures travel.
func way(r control.Report) string {
	var parts []string
	if r.Route != "" {
		parts = append(parts, string(r.Route))
	}
	if r.Bitrate != 0 {
		parts = append(parts, fmt.Sprintf("%.1f Mbit/s", float64(r.Bitrate)/1000))
	}
	if r.Way != "" {
		parts = append(parts, r.Way)
	}
	if len(parts) == 0 {
		return ""
	}
	return " [" + strings.Join(parts, ", ") + "]"
}

// pause says what is new of a break.
func (p *reportPrinter) pause(r control.Report) string {
	switch {
	case r.Break == p.before.Break:
		return ""
	case r.Break == "" && r.State != control.OnAir && r.State != control.OnAirWithPeer:
		return "The break is over."
	case r.Break == "":
		return "The break is over: your friend gets your picture and voice again."
	}
	return "On a break, your friend gets a card and silence: " + r.Break + "."
}

// recording says what is new of the recording.
func (p *reportPrinter) recording(r control.Report) string {
	switch {
	case r.Recording == p.before.Recording:
		return ""
	case r.Recording == "":
		return "The recording is in " + p.before.Recording
	}
	return "Your friend is recorded in " + r.Recording
}

// news are the problems that the report before did not have.
func (p *reportPrinter) news(r control.Report) []string {
	return slices.DeleteFunc(slices.Clone(r.Problems), func(s string) bool { return slices.Contains(p.before.Problems, s) })
}

// lamp is the colour of a state: red on air, as on a studio's door.
func lamp(s control.State) terminal.Colour {
	switch s {
	case control.OnAir, control.OnAirWithPeer:
		return terminal.Red
	case control.Ready:
		return terminal.Green
	case control.Stopping:
		return terminal.Yellow
	}
	return terminal.Dim
}
