// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// serveStatus is a companion that tells its status and does nothing else. It ends with the test, or when end is called.
func serveStatus(t *testing.T, home string, status func() control.Status) (end func()) {
	t.Helper()
	server := &control.Server{Path: filepath.Join(home, "run", "costream-obs.sock"), Status: status}
	l, release, err := server.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ctx, l)
	}()
	end = func() { cancel(); <-done; release() }
	t.Cleanup(end)
	return end
}

// TestStatusExit holds the exit codes, and that what is printed says why.
func TestStatusExit(t *testing.T) {
	t.Run("nothing runs", func(t *testing.T) {
		isolate(t)
		if got := runCLI(t.Context(), "status"); got.Code != exitFailure || !strings.Contains(got.Stderr, "costream-obs does not run") {
			t.Errorf("got %+v", got)
		}
	})
	for _, s := range statuses() {
		t.Run(s.name, func(t *testing.T) {
			serveStatus(t, isolate(t), func() control.Status { return s.Status })
			want := exitFailure
			if s.State == control.OnAirWithPeer {
				want = exitOK
			}
			for _, args := range [][]string{{"status"}, {"status", "--json"}} {
				got := runCLI(t.Context(), args...)
				if got.Code != want || got.Stderr != "" || !strings.Contains(got.Stdout, string(s.State)) {
					t.Errorf("%v: got %+v, want exit code %d and %q", args, got, want, s.State)
				}
			}
		})
	}
	t.Run("json", func(t *testing.T) {
		s := statuses()[4].Status
		serveStatus(t, isolate(t), func() control.Status { return s })
		var got control.Status
		if err := json.Unmarshal([]byte(runCLI(t.Context(), "status", "--json").Stdout), &got); err != nil {
			t.Fatal(err)
		}
		if got.Peer != "Bob" || got.Figures == nil || got.Figures.Picture.Total != s.Figures.Picture.Total {
			t.Errorf("got %+v, want %+v", got, s)
		}
	})
}

// TestStatusWatch goes on until the companion ends, or until it is stopped itself.
func TestStatusWatch(t *testing.T) {
	s := statuses()[4].Status
	for _, companionEnds := range []bool{false, true} {
		asked := make(chan struct{}, 1000)
		end := serveStatus(t, isolate(t), func() control.Status {
			asked <- struct{}{}
			return s
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan result, 1)
		go func() { ended <- runCLI(ctx, "status", "--watch", "--json") }()
		for range 3 { // What is answered is printed before the next question.
			testbed.Receive(t, asked, "a question")
		}
		if companionEnds {
			end()
		} else {
			stop()
		}
		got := testbed.Receive(t, ended, "the end of status --watch")
		stop()
		if want := map[bool]int{false: exitOK, true: exitFailure}[companionEnds]; got.Code != want {
			t.Errorf("companion ends %v: got exit code %d, want %d: %s", companionEnds, got.Code, want, got.Stderr)
		}
		if n := strings.Count(got.Stdout, `"figures"`); n < 1 || !strings.HasPrefix(got.Stdout, `{"time"`) {
			t.Errorf("got %d objects with figures: %s", n, got.Stdout)
		}
		end()
	}
}
