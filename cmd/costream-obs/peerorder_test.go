// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/control"
)

// TestStartWithoutOBS: who goes on air by hand while OBS is closed is told what that waits for.
func TestStartWithoutOBS(t *testing.T) {
	for waits, want := range map[bool]string{true: "You go on air when OBS is there.\n", false: "Going on air.\n"} {
		t.Run(want, func(t *testing.T) {
			isolate(t)
			serveControl(t, &control.Server{Peer: func(context.Context, control.PeerOrder) (control.PeerAnswer, error) {
				return control.PeerAnswer{WaitsForOBS: waits}, nil
			}})
			var out, errs strings.Builder
			if code := Run(t.Context(), []string{"peer", "start"}, strings.NewReader(""), &out, &errs); code != 0 || out.String() != want {
				t.Errorf("got %d, %q and %q, want %q", code, out.String(), errs.String(), want)
			}
		})
	}
}
