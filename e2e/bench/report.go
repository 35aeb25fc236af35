// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what one call of the program found.
type Report struct {
	Title    string        `json:"title"`
	Taken    time.Time     `json:"taken"`
	Took     time.Duration `json:"took_ns"`
	Machine  Machine       `json:"machine"`
	Rounds   int           `json:"rounds"`
	Window   time.Duration `json:"window_ns"`
	Figures  []Figures     `json:"figures"`
	OBSToOBS *OBSToOBS     `json:"obs_to_obs,omitempty"`
	Goals    []Goal        `json:"goals"`
}

func (r Report) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// header says where the figures come from.
func (r Report) header() string {
	return fmt.Sprintf("%s, %s. Turns of each system: %d of %v.", r.Taken.Format("2 January 2006"), r.Machine, r.Rounds, r.Window)
}

// table is a title, a row of headings and rows.
type table struct {
	title string
	rows  [][]string
}

// tables are the figures, a table for each case, and the goals.
func (r Report) tables() []table {
	var out []table
	for _, f := range r.Figures {
		if len(out) == 0 || out[len(out)-1].title != f.Case {
			out = append(out, table{f.Case, [][]string{headings()}})
		}
		last := &out[len(out)-1]
		last.rows = append(last.rows, f.row())
	}
	goals := table{"Goals", [][]string{{"what", "goal", "measured", ""}}}
	for _, g := range r.Goals {
		verdict := "missed"
		if g.Met {
			verdict = "met"
		}
		goals.rows = append(goals.rows, []string{g.What, g.Goal, g.Result, verdict})
	}
	return append(out, goals)
}

func headings() []string {
	return []string{"system", "p50 ms", "p95", "p99", "frozen", "wrong", "longest ms", "pictures", "CPU send", "receive", "kbit/s", "allowed", "PSNR dB", "worst 5 %", "ear p50 ms", "p95", "breaks"}
}

func (f Figures) row() []string {
	if f.Shown == 0 {
		why := f.Error
		if why == "" {
			why = "no picture"
		}
		return []string{f.Title, why}
	}
	ear50, ear95 := "-", "-"
	if f.EarP50 > 0 {
		ear50, ear95 = fmt.Sprintf("%.0f", f.EarP50), fmt.Sprintf("%.0f", f.EarP95)
	}
	recv, kbps := "-", "-" // of one process
	if f.RecvCPU > 0 {
		recv, kbps = fmt.Sprintf("%.2f", f.RecvCPU), fmt.Sprintf("%.0f", f.Kbps)
	}
	allowed, breaks := "-", "-" // of a program that tells nothing of it
	if f.AllowedKbps > 0 {
		allowed, breaks = fmt.Sprintf("%.0f", f.AllowedKbps), fmt.Sprintf("%.1f", f.Breaks)
	}
	delay := func(millis float64) string {
		if f.P50 == 0 {
			return "-" // No picture was right.
		}
		return fmt.Sprintf("%.1f", millis)
	}
	return []string{
		f.Title, delay(f.P50), delay(f.P95), delay(f.P99),
		percent(f.Frozen), percent(f.Wrong), fmt.Sprintf("%.0f", f.Longest), fmt.Sprintf("%d/%d", f.Shown, f.Sent),
		fmt.Sprintf("%.2f", f.SendCPU), recv, kbps, allowed, fmt.Sprintf("%.1f", f.PSNR), fmt.Sprintf("%.1f", f.PSNRLow), ear50, ear95, breaks,
	}
}

// text is for a terminal.
func (r Report) text(out io.Writer) error {
	fmt.Fprintf(out, "%s: %s\n", r.Title, r.header())
	for _, t := range r.tables() {
		fmt.Fprintf(out, "\n%s\n", t.title)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, row := range t.rows {
			fmt.Fprintln(w, "  "+strings.Join(row, "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
