// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
)

// TestBreakCommands: peer away and peer back ask the costream-obs that runs, and say what the friend gets then.
func TestBreakCommands(t *testing.T) {
	home := isolate(t)
	const order, private = "until `costream-obs peer back`", `the scene "Bank" is private`
	want := func(args []string, want result) {
		t.Helper()
		if diff := cmp.Diff(want, runCLI(t.Context(), append([]string{"peer"}, args...)...)); diff != "" {
			t.Errorf("peer %v (-want +got):\n%s", args, diff)
		}
	}
	want([]string{"away"}, result{Code: exitFailure, Stderr: "costream-obs peer away: costream-obs does not run: start it with `costream-obs run`\n"})

	scene := ""
	s := &control.Server{Path: filepath.Join(home, "run", "costream-obs.sock"), Peer: func(_ context.Context, o control.PeerOrder) (control.PeerAnswer, error) {
		switch {
		case o.Do == control.PeerAway:
			return control.PeerAnswer{Break: order}, nil
		case o.Do == control.PeerBack:
			return control.PeerAnswer{Break: scene}, nil
		}
		return control.PeerAnswer{}, errors.New("no such order")
	}}
	l, release, err := s.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	want([]string{"away"}, result{Stdout: "On a break, your friend gets a card and silence: " + order + ".\n"})
	want([]string{"away", "--json"}, result{Stdout: "{\"break\":\"" + order + "\"}\n"})
	want([]string{"back"}, result{Stdout: "No break: your friend gets your picture and voice.\n"})
	scene = private
	want([]string{"back"}, result{Stdout: "On a break, your friend gets a card and silence: " + private + ".\n"})
	s.Peer = func(context.Context, control.PeerOrder) (control.PeerAnswer, error) {
		return control.PeerAnswer{}, control.ErrOtherOBS
	}
	want([]string{"away"}, result{Code: exitFailure, Stderr: "costream-obs peer away: the costream-obs that runs is from before this command: restart it\n"})
}
