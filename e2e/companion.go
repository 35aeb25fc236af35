// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// The states that costream-obs run reports.
const (
	Waiting       = "waiting for OBS"
	Ready         = "ready"
	OnAir         = "on air, waiting for peer"
	OnAirWithPeer = "on air with peer"
	Stopping      = "stopping"
)

// Report is one line of costream-obs run --json.
type Report struct {
	Time     time.Time
	State    string
	Detail   string
	Route    string
	Shared   []string
	Problems []string
	Tally    *control.Tally
	// Recording is the file in which the peer is recorded.
	Recording string
}

// Companion is a costream-obs run that goes on beside the test.
type Companion struct {
	tb      testbed.TB
	name    string
	process *testbed.Process
	reports *reports
}

// StartCompanion starts costream-obs run --json and does not wait for it.
// Name is for messages; env is added to an environment that leads nowhere.
func StartCompanion(tb testbed.TB, binary, name string, env []string, args ...string) *Companion {
	tb.Helper()
	r := &reports{news: make(chan struct{})}
	c := &Companion{tb: tb, name: name, reports: r}
	c.process = testbed.Start(tb, testbed.Command{
		Name:   name,
		Path:   binary,
		Args:   append([]string{"run", "--json"}, args...),
		Env:    append(cleanEnv(), env...),
		Stdout: r,
	})
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("--- what %s reported ---\n%s", name, r.text())
		}
	})
	return c
}

// cleanEnv holds nothing of the user's desktop or configuration, but the
// user's cache: without it GStreamer looks at all its plugins at each start.
func cleanEnv() []string {
	env := []string{"LC_ALL=C.UTF-8"}
	for _, key := range []string{"PATH", "TMPDIR"} {
		if value := os.Getenv(key); value != "" {
			env = append(env, key+"="+value)
		}
	}
	if dir, err := os.UserCacheDir(); err == nil {
		env = append(env, "XDG_CACHE_HOME="+dir)
	}
	return env
}

// Mark is the number of reports so far, for AwaitSince.
func (c *Companion) Mark() int {
	c.reports.mu.Lock()
	defer c.reports.mu.Unlock()
	return len(c.reports.all)
}

// Last is the latest report; there must be one.
func (c *Companion) Last() Report {
	c.reports.mu.Lock()
	defer c.reports.mu.Unlock()
	return c.reports.all[len(c.reports.all)-1]
}

// Figures are the newest figures, or nil.
func (c *Companion) Figures() *call.Figures {
	c.reports.mu.Lock()
	defer c.reports.mu.Unlock()
	return c.reports.figures
}

// Since are the reports since a mark.
func (c *Companion) Since(mark int) []Report {
	all, _ := c.reports.since(mark)
	return all
}

// Await returns when the latest report has the state.
func (c *Companion) Await(state string, limit time.Duration) Report {
	c.tb.Helper()
	return c.await(max(0, c.Mark()-1), state, limit)
}

// AwaitSince returns the first report with the state that came after a mark.
func (c *Companion) AwaitSince(mark int, state string, limit time.Duration) Report {
	c.tb.Helper()
	return c.await(mark, state, limit)
}

// AwaitProblem returns the first report with the state and a problem that contains the word.
func (c *Companion) AwaitProblem(state, word string, limit time.Duration) Report {
	c.tb.Helper()
	return c.awaitThat(0, fmt.Sprintf("%q with a problem about %q", state, word), limit, func(r Report) bool {
		return r.State == state && strings.Contains(strings.Join(r.Problems, "\n"), word)
	})
}

// AwaitTally returns the first report that came after a mark and whose tally is as wanted. What is for messages.
func (c *Companion) AwaitTally(mark int, what string, limit time.Duration, want func(control.Tally) bool) Report {
	c.tb.Helper()
	return c.awaitThat(mark, what, limit, func(r Report) bool { return r.Tally != nil && want(*r.Tally) })
}

func (c *Companion) await(from int, state string, limit time.Duration) Report {
	c.tb.Helper()
	return c.awaitThat(from, fmt.Sprintf("%q", state), limit, func(r Report) bool { return r.State == state })
}

func (c *Companion) awaitThat(from int, what string, limit time.Duration, want func(Report) bool) Report {
	c.tb.Helper()
	deadline := time.After(limit)
	for {
		all, news := c.reports.since(from)
		for _, r := range all {
			if want(r) {
				return r
			}
		}
		select {
		case <-news:
		case <-c.process.Done():
			c.tb.Fatalf("%s ended while it was awaited to be %s; it wrote:\n%s", c.name, what, c.process.Output())
		case <-c.tb.Context().Done():
			c.tb.Fatalf("%s: awaited %s: %v", c.name, what, c.tb.Context().Err())
		case <-deadline:
			c.tb.Fatalf("%s: awaited %s for %v; it reported:\n%s", c.name, what, limit, c.reports.text())
		}
	}
}

// PID is the companion's process id.
func (c *Companion) PID() int { return c.process.PID() }

// Kill kills the companion as a crash would.
func (c *Companion) Kill() { c.process.Kill() }

// Stop asks the companion to end, as Ctrl-C does, and does AwaitEnd.
func (c *Companion) Stop() {
	c.tb.Helper()
	c.process.Interrupt()
	c.AwaitEnd()
}

// AwaitEnd waits for the companion's end and fails when that takes longer than
// 10 s, which it then is asked to explain, or is a failure.
func (c *Companion) AwaitEnd() {
	c.tb.Helper()
	select {
	case <-c.process.Done():
	case <-time.After(10 * time.Second):
		c.process.Quit()
		c.tb.Fatalf("%s still ran after 10 s; it wrote:\n%s", c.name, c.process.Output())
	}
	code, err := c.process.Wait(c.tb.Context())
	if err != nil || code != 0 {
		c.tb.Fatalf("%s: exit code %d (%v), want 0; it wrote:\n%s", c.name, code, err, c.process.Output())
	}
}

// reports collects JSON lines as they are written.
type reports struct {
	mu      sync.Mutex
	partial []byte
	all     []Report
	figures *call.Figures // the newest, which come in lines of their own
	bad     []string      // lines that are no reports
	news    chan struct{} // closed and replaced at each report
}

func (r *reports) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.partial = append(r.partial, b...)
	for {
		line, rest, found := bytes.Cut(r.partial, []byte("\n"))
		if !found {
			return len(b), nil
		}
		var report struct {
			Report
			Figures *call.Figures
		}
		switch err := json.Unmarshal(line, &report); {
		case err != nil || report.State == "":
			r.bad = append(r.bad, string(line))
		case report.Figures != nil:
			r.figures = report.Figures
		default:
			r.all = append(r.all, report.Report)
		}
		r.partial = bytes.Clone(rest)
		close(r.news)
		r.news = make(chan struct{})
	}
}

// since returns the reports from a mark on, and what is closed at the next.
func (r *reports) since(mark int) ([]Report, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[min(mark, len(r.all)):], r.news
}

func (r *reports) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, report := range r.all {
		fmt.Fprintf(&b, "%s %s [%s] %s", report.Time.Format("15:04:05.000"), report.State, report.Route, report.Detail)
		if report.Tally != nil {
			fmt.Fprintf(&b, " me %+v", report.Tally.Me)
			if report.Tally.Peer != nil {
				fmt.Fprintf(&b, " peer %+v", *report.Tally.Peer)
			}
		}
		for _, p := range report.Problems {
			fmt.Fprintf(&b, "\n  ! %s", p)
		}
		b.WriteString("\n")
	}
	for _, line := range r.bad {
		fmt.Fprintf(&b, "no report: %s\n", line)
	}
	return b.String()
}
