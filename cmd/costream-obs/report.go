// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

// A reportPrinter shows what the companion reports: to a person at a terminal, in a log, or to a program as JSON.
type reportPrinter struct {
	out    io.Writer
	config *config.Config
	secure bool
	style  terminal.Style
	// Of the report before.
	problems []string
	detail   string
	rest     string // the break
}

func newReportPrinter(out io.Writer, c *config.Config, secure bool) *reportPrinter {
	return &reportPrinter{out: out, config: c, secure: secure, style: terminal.StyleOf(out)}
}

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
	defer func() { p.problems, p.detail, p.rest = r.Problems, r.Detail, r.Break }()
	switch {
	case p.config.JSON:
		_ = printJSON(p.out, r)
	case p.style.Terminal:
		_, _ = io.WriteString(p.out, p.pretty(r))
	default:
		_, _ = io.WriteString(p.out, p.plain(r))
	}
}

// pretty is a report for a terminal: the state with its time, what is new below it.
func (p *reportPrinter) pretty(r control.Report) string {
	const indent = "            "
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s %s", p.style.Paint(terminal.Dim, r.Time.Format("15:04:05")), p.style.Paint(lamp(r.State), "●"), p.style.Paint(terminal.Bold, string(r.State)))
	if w := way(r); w != "" {
		b.WriteString(p.style.Paint(terminal.Dim, w))
	}
	b.WriteString("\n")
	if r.Detail != p.detail && r.Detail != "" {
		b.WriteString(terminal.Wrap(r.Detail, len(indent), usageWidth) + "\n")
	}
	if text := p.pause(r); text != "" {
		b.WriteString(terminal.Wrap(text, len(indent), usageWidth) + "\n")
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
	if r.Detail != p.detail && r.Detail != "" {
		line += ": " + r.Detail
	}
	line += "\n"
	if text := p.pause(r); text != "" {
		line += at + " " + text + "\n"
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
	case r.Break == p.rest:
		return ""
	case r.Break == "":
		return "The break is over: your friend gets your picture and voice again."
	}
	return "On a break, your friend gets a card and silence: " + r.Break + "."
}

// news are the problems that the report before did not have.
func (p *reportPrinter) news(r control.Report) []string {
	return slices.DeleteFunc(slices.Clone(r.Problems), func(s string) bool { return slices.Contains(p.problems, s) })
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
