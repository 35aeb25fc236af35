// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/e2e"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// A shell script that reports like the companion shows that the harness reads
// what it should.
func TestCompanionReports(t *testing.T) {
	script := filepath.Join(t.TempDir(), "costream-obs")
	err := os.WriteFile(script, []byte(`#!/bin/sh
trap 'echo "{\"state\":\"stopping\"}"; exit 0' INT
[ "$1 $2 $3" = "run --json --peer=x" ] || exit 2
printf '{"time":"2026-01-01T00:00:00Z","state":"waiting for OBS"}\n{"time":"2026-01-01T00:00:01Z","sta'
printf 'te":"ready","route":"portable","problems":["no sound"]}\nnot a report\n'
while :; do sleep 0.01; done
`), 0o700)
	if err != nil {
		t.Fatal(err)
	}
	c := e2e.StartCompanion(t, script, "companion", nil, "--peer=x")
	r := c.Await(e2e.Ready, 10*time.Second)
	if got, want := r.Route+" "+strings.Join(r.Problems, ","), "portable no sound"; got != want {
		t.Errorf("report: got %q, want %q", got, want)
	}
	if got := c.AwaitSince(0, e2e.Waiting, time.Second); got.Time.Year() != 2026 {
		t.Errorf("first report: got %v, want one of 2026", got.Time)
	}
	mark := c.Mark()
	c.Stop()
	if got, want := c.Mark(), mark+1; got != want {
		t.Errorf("reports after the stop: got %d, want %d", got, want)
	}

	err = testbed.Main(t.Context(), t.Logf, func(tb testbed.TB) {
		e2e.StartCompanion(tb, script, "companion", nil).Await(e2e.Ready, 10*time.Second)
	})
	if err == nil || !strings.Contains(err.Error(), `ended while it was awaited to be "ready"`) {
		t.Errorf("a companion that ended: got %v, want an error that says so", err)
	}
}
