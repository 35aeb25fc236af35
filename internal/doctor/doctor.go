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

// Severity is what a failed check means.
type Severity int

const (
	// Error: two people cannot co-stream like this.
	Error Severity = iota
	// Warning: they can, but not well, or not for long.
	Warning
)

// Status is the result of a check.
type Status string

// The statuses, as --json prints them.
const (
	OK   Status = "ok"
	Warn Status = "warn"
	Fail Status = "fail"
	// Skip: the check could find nothing, or would have repeated another one.
	Skip Status = "skip"
)

// Check is one row of the table of checks.
type Check struct {
	// ID names the check for ever: a group, a dot, what is checked.
	ID    string
	Group string // its heading
	Title string // what is true if nothing is wrong
	// Severity is what a failure means. A check may report less: Warn always means a warning.
	Severity Severity
	// Needs are the checks above this one without which it is pointless.
	Needs []string
	// OnRequest: it is expensive, and runs only when its own id is given.
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
	// Open is for Skip: the checks that need this one run anyway.
	Open bool
	// Why says why a Warn or Fail matters, Next what to type or click. Commands are in backquotes.
	Why, Next string
	// Fix repairs it; nil if a person must do that.
	Fix *Fix
}

// Fix is a repair that surprises nobody.
type Fix struct {
	What string // a sentence: what will be done
	Do   func(ctx context.Context) error
}

// Fine is the result of a check that found nothing wrong.
func Fine(format string, args ...any) Result {
	return Result{Status: OK, Detail: fmt.Sprintf(format, args...)}
}

// Skipped is the result of a check that has nothing to check.
func Skipped(cause string, args ...any) Result {
	return Result{Status: Skip, Detail: fmt.Sprintf(cause, args...)}
}

// Validate returns what is wrong with a table of checks.
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
