// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/problem"
	"github.com/costream-obs/costream-obs/internal/supervisor"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestWithoutOBS: an OBS that refuses us ends run at the first attempt alone. Later it is a problem, and run keeps trying.
func TestWithoutOBS(t *testing.T) {
	type outcome struct {
		GoesOn   bool
		Detail   string
		Problems []problem.Code
	}
	password, tooOld, closed := fmt.Errorf("login: %w", obsctl.ErrAuth), fmt.Errorf("OBS 27: %w", obsctl.ErrTooOld), errors.New("nothing listens")
	waits, refused := outcome{GoesOn: true, Detail: closed.Error()}, outcome{GoesOn: true, Problems: []problem.Code{problem.Connection}}
	for _, tt := range []struct {
		name     string
		attempts []error
		want     []outcome
	}{
		{"OBS is closed", []error{closed, closed}, []outcome{waits, waits}},
		{"a wrong password at the beginning", []error{password}, []outcome{{}}},
		{"an old OBS at the beginning", []error{tooOld}, []outcome{{}}},
		{"OBS starts later and refuses us", []error{closed, password, closed}, []outcome{waits, refused, waits}},
		{"OBS starts again with another password", []error{obsctl.ErrLost, password}, []outcome{{GoesOn: true, Detail: obsctl.ErrLost.Error()}, refused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Companion{reports: &reporter{out: func(control.Report) {}}, parts: supervisor.New(slog.New(slog.DiscardHandler), func() {})}
			var got []outcome
			for _, err := range tt.attempts {
				o := outcome{GoesOn: c.noteDown(err)}
				if r := c.reports.current(); o.GoesOn {
					o.Detail, o.Problems = r.Detail, r.Codes
				}
				got = append(got, o)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestPartsWithoutOBS: what does not work beside OBS is reported while OBS is closed, too, until it works.
func TestPartsWithoutOBS(t *testing.T) {
	c := &Companion{reports: &reporter{out: func(control.Report) {}}, parts: supervisor.New(slog.New(slog.DiscardHandler), func() {})}
	for _, failing := range []error{errors.New("another program has the port"), nil} {
		c.parts.Note(problem.Panel, failing)
		c.noteDown(errors.New("OBS does not run"))
		got := c.reports.current()
		if has := slices.Contains(got.Codes, problem.Panel); has != (failing != nil) || got.Detail != "OBS does not run" {
			t.Errorf("the panel fails: %v; reported: %q, %q", failing, got.Detail, got.Problems)
		}
	}
}

// TestPeerIsThisMachine: on the plain link a peer that is this machine is refused; the secure link does not connect to itself.
func TestPeerIsThisMachine(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want bool
	}{
		{"the loopback address", Options{Peer: "127.0.0.1"}, true},
		{"a name of this machine", Options{Peer: "localhost"}, true},
		{"where we listen", Options{Peer: "127.0.0.1", Listen: "127.0.0.1"}, true},
		{"where we do not listen", Options{Peer: "127.0.0.2", Listen: "127.0.0.1"}, false},
		{"another machine", Options{Peer: "192.0.2.1"}, false},
		{"a secure link", Options{Peer: "127.0.0.1", Link: func(link.Handler) (link.Link, error) { return nil, nil }}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := (&Companion{o: tt.o}).checkPeer(); (err != nil) != tt.want {
				t.Errorf("got error %v, want one: %t", err, tt.want)
			}
		})
	}
}
