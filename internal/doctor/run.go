// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/internal/terminal"
)

// Finding is a check with its result, as it is shown.
type Finding struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Title  string `json:"title"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	Why    string `json:"why,omitempty"`
	Next   string `json:"next,omitempty"`
	// Because is the check whose failure made this one pointless.
	Because string `json:"because,omitempty"`
	// Fix says what --fix would do.
	Fix string `json:"fix,omitempty"`
	// Milliseconds is how long the check took.
	Milliseconds int64 `json:"milliseconds"`

	mend func(context.Context) error
}

// waits begins the reason of a check that another one's failure made pointless.
const waits = "waits for "

// An Observer gets each finding in the order of the table, as soon as all above it are there.
type Observer func(Finding)

// Run runs the chosen checks and those that they need, and returns the findings of the chosen ones in the order of the
// table. observe may be nil.
//
// A check that does not return before its timeout counts as failed. Run does not wait for it, because the program ends soon.
func Run(ctx context.Context, checks []Check, chosen []string, observe Observer) Report {
	checks = withNeeds(checks, chosen)
	type outcome struct {
		finding Finding
		blocks  bool   // checks that need it are skipped
		root    string // the check that is named as the cause
		cause   string
		done    chan struct{}
	}
	outcomes := make(map[string]*outcome, len(checks))
	for _, c := range checks {
		outcomes[c.ID] = &outcome{done: make(chan struct{})}
	}
	for _, c := range checks {
		go func() {
			o := outcomes[c.ID]
			defer close(o.done)
			o.finding = Finding{ID: c.ID, Group: c.Group, Title: c.Title}
			for _, need := range c.Needs {
				n := outcomes[need]
				<-n.done
				if n.blocks && o.root == "" {
					o.root, o.cause = n.root, n.cause
				}
			}
			if o.root != "" {
				o.blocks = true
				o.finding.Status, o.finding.Because, o.finding.Detail = Skip, o.root, o.cause
				return
			}
			begin := time.Now()
			r := runOne(ctx, c)
			o.finding.take(c, r, time.Since(begin))
			switch r.Status {
			case Fail:
				o.blocks, o.root, o.cause = true, c.ID, waits+c.ID
			case Skip:
				o.blocks, o.root, o.cause = !r.Open, c.ID, r.Detail
			}
		}()
	}
	report := Report{Version: SchemaVersion}
	for _, c := range checks {
		o := outcomes[c.ID]
		<-o.done
		// A failure that was not chosen is shown if it explains a skipped one.
		if !slices.Contains(chosen, c.ID) && o.finding.Status != Fail {
			continue
		}
		report.add(o.finding)
		if observe != nil {
			observe(o.finding)
		}
	}
	return report
}

func runOne(ctx context.Context, c Check) Result {
	limit := cmp.Or(c.Timeout, DefaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	results := make(chan Result, 1)
	go func() { results <- c.Run(ctx) }()
	select {
	case r := <-results:
		return r
	case <-ctx.Done():
	}
	select {
	case r := <-results: // It noticed the timeout itself and may know more.
		return r
	case <-time.After(200 * time.Millisecond):
	}
	return Result{
		Status: Fail,
		Detail: fmt.Sprintf("no answer within %v", limit),
		Why:    "Something that this check needs does not answer, so there is no result.",
		Next:   fmt.Sprintf("Try again with `costream-obs doctor --only %s --verbose`; if that does not help, report it with the file that `costream-obs doctor --bundle report.tar.gz` writes.", c.ID),
	}
}

// take fills in a result. What a failure counts as is up to the check's severity.
func (f *Finding) take(c Check, r Result, took time.Duration) {
	f.Status, f.Detail, f.Why, f.Next = r.Status, terminal.OneLine(r.Detail), r.Why, r.Next
	f.Milliseconds = took.Milliseconds()
	if r.Status == Fail && c.Severity == Warning {
		f.Status = Warn
	}
	if r.Fix != nil {
		f.Fix, f.mend = r.Fix.What, r.Fix.Do
	}
}
