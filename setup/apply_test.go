// SPDX-License-Identifier: Apache-2.0

package setup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestApply(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a b", "it's"), filepath.Join(dir, "never")
	text := "one $HOME `id`\n'two'\n"
	plan := Plan{Steps: []Step{
		{What: "write", Commands: []Command{run("true"), write(first, text), run("echo", "$HOME", "a  b")}},
		{What: "fail", Commands: []Command{run("false")}, Hint: "It cannot work."},
		{What: "not reached", Commands: []Command{write(second, text)}},
	}}
	var out bytes.Buffer
	err := plan.Apply(t.Context(), nil, Streams{Out: &out, Err: &out})
	var failed *StepError
	if !errors.As(err, &failed) || failed.Step.What != "fail" || err.Error() != "failed: fail. It cannot work." {
		t.Errorf("error: got %v, want one of the step that fails", err)
	}
	if got, err := os.ReadFile(first); err != nil || string(got) != text {
		t.Errorf("%s: got %q (%v), want %q", first, got, err, text)
	}
	if _, err := os.Stat(second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: got %v, want it not to exist", second, err)
	}
	if got, want := out.String(), "$HOME a  b\n"; got != want {
		t.Errorf("output: got %q, want %q", got, want)
	}
}

func TestApplyStops(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	plan := Plan{Steps: []Step{{Commands: []Command{run("sleep", "4")}}}}
	begun := time.Now()
	err := plan.Apply(ctx, nil, Streams{})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 3*time.Second {
		t.Errorf("got %v after %v, want %v at once", err, time.Since(begun), context.DeadlineExceeded)
	}
}

// A program that refuses to make us root is no failed step.
func TestApplyRefused(t *testing.T) {
	plan := Plan{Steps: []Step{{Commands: []Command{run("true")}}}}
	err := plan.Apply(t.Context(), Elevation{"false"}, Streams{})
	var failed *StepError
	if err == nil || errors.As(err, &failed) {
		t.Errorf("got %v, want an error of the program itself", err)
	}
}
