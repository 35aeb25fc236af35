// SPDX-License-Identifier: Apache-2.0

// Package doctor is the engine of `costream-obs doctor`: it runs checks in
// parallel, each within a deadline of its own, leaves out those that an
// earlier failure makes pointless, and shows what they found, in a fixed
// order, to a person, a pipe or a program.
//
// It knows nothing of OBS, sound or video: the checks are in package checks.
// It changes nothing, except that Mend carries out the fixes that checks offer.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Severity is what it means when a check fails.
type Severity int

const (
	// Error: two people cannot co-stream like this.
	Error Severity = iota
	// Warning: they can, but not well, or not for long.
	Warning
)

// Status is what became of a check.
type Status string

// The statuses, as --json prints them.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
	// Skip: the check could say nothing, or would have said what another one
	// says already.
	Skip Status = "skip"
)

// Check is one row of the table of checks.
type Check struct {
	// ID names the check for ever: group, dot, what is checked.
	ID    string
	Group string // the heading it stands under
	Title string // what is so when all is well
	// Severity is what a failure counts as. A check may find less: a Warn is
	// one whatever the severity.
	Severity Severity
	// Needs are the checks above this one that it makes no sense without.
	Needs []string
	// OnRequest: it costs something, and is run only when it is chosen by its own id.
	OnRequest bool
	// Timeout is how long it may take; DefaultTimeout when 0.
	Timeout time.Duration
	// Run looks and changes nothing. It must return soon after ctx ends.
	Run func(ctx context.Context) Result
}

// DefaultTimeout is how long a check may take.
const DefaultTimeout = 5 * time.Second

// Result is what a check found.
type Result struct {
	Status Status
	// Detail is what was found, in the user's words. For Skip, it is the cause.
	Detail string
	// Open is for Skip: the checks that need this one run nevertheless.
	Open bool
	// Why says why a Warn or Fail matters, Next what to type or click. Commands
	// stand in backquotes.
	Why, Next string
	// Fix mends it; nil where a person has to.
	Fix *Fix
}

// Fix is how a fault can be mended without surprising anybody.
type Fix struct {
	What string // as a sentence that says what will be done
	Do   func(ctx context.Context) error
}

// Fine is the result of a check that found nothing wrong.
func Fine(format string, args ...any) Result {
	return Result{Status: OK, Detail: fmt.Sprintf(format, args...)}
}

// Skipped is the result of a check that has nothing to look at.
func Skipped(cause string, args ...any) Result {
	return Result{Status: Skip, Detail: fmt.Sprintf(cause, args...)}
}

// Validate says what is wrong with a table of checks.
func Validate(checks []Check) error {
	var above []string
	for _, c := range checks {
		switch {
		case c.ID == "" || c.Group == "" || c.Title == "" || c.Run == nil:
			return fmt.Errorf("check %q is incomplete", c.ID)
		case slices.Contains(above, c.ID):
			return fmt.Errorf("check %q is there twice", c.ID)
		}
		for _, need := range c.Needs {
			if !slices.Contains(above, need) {
				return fmt.Errorf("check %q needs %q, which is not above it", c.ID, need)
			}
		}
		above = append(above, c.ID)
	}
	return nil
}
