// SPDX-License-Identifier: Apache-2.0

package control

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

func TestControlSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "control") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "run", "control.sock")
	c := &Server{
		Path:   path,
		Status: func() Status { return Status{Report: Report{State: Ready}} },
		Graph: func(text bool) string {
			if text {
				return "videotestsrc ! fakesink"
			}
			return "digraph {}"
		},
	}
	// What a killed companion left is no obstacle.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()

	l, release, err := c.Listen(t.Context())
	if err != nil {
		t.Fatalf("listen over a dead socket: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx, l) }()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket's mode: got %v (%v), want 0600", info.Mode().Perm(), err)
	}
	if _, _, err := c.Listen(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("a second companion: got %v, want ErrRunning", err)
	}
	client := Client{Path: path}
	if !client.Running() {
		t.Error("the companion is said not to run")
	}
	if got, pid, err := client.Status(t.Context()); err != nil || got.State != Ready || pid != os.Getpid() {
		t.Errorf("status: got %v of process %d (%v), want %q of %d", got, pid, err, Ready, os.Getpid())
	}
	for text, want := range map[bool]string{false: "digraph {}", true: "videotestsrc ! fakesink"} {
		if got, err := client.Graph(t.Context(), text); err != nil || got != want {
			t.Errorf("graph, text %t: got %q (%v), want %q", text, got, err, want)
		}
	}
	noLink := errors.New("no link")
	for _, want := range []error{nil, noLink} {
		c.Probe = func(context.Context) (link.ProbeReport, error) { return link.ProbeReport{Sent: 5}, want }
		got, err := client.Probe(t.Context())
		if want == nil && (err != nil || got.Sent != 5) {
			t.Errorf("probe: got %+v (%v), want 5 packets sent", got, err)
		}
		if want != nil && (err == nil || !strings.Contains(err.Error(), want.Error())) {
			t.Errorf("probe: got error %v, want %v", err, want)
		}
	}
	for _, want := range []error{nil, noLink} {
		state := reach.State{Auto: true, Port: 5000, Way: reach.WayRelay, At: netip.MustParseAddrPort("192.0.2.1:5000"), Opened: []string{"192.0.2.2:5000"}}
		c.Reach = func(context.Context) (reach.State, error) { return state, want }
		got, err := client.Reach(t.Context())
		if diff := cmp.Diff(state, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); want == nil && (err != nil || diff != "") {
			t.Errorf("reach: %v (-want +got):\n%s", err, diff)
		}
		if want != nil && (err == nil || !strings.Contains(err.Error(), want.Error())) {
			t.Errorf("reach: got error %v, want %v", err, want)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, _, err := client.Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("status after the end: got error %v, want %v", err, ErrNotRunning)
	}
	release()
	if _, release, err = c.Listen(t.Context()); err != nil {
		t.Errorf("after the end of the first: %v", err)
	} else {
		release()
	}
}

// Of companions that start at once, over a socket that a dead one left, one has it, and it answers.
func TestOneControlSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for range 50 {
		c := &Server{Path: filepath.Join(dir, "control.sock")}
		type claim struct {
			l       net.Listener
			release func()
			err     error
		}
		const starters = 4
		claims, start := make(chan claim, starters), make(chan struct{})
		for range starters {
			go func() {
				<-start
				l, release, err := c.Listen(t.Context())
				claims <- claim{l, release, err}
			}()
		}
		close(start)
		var won []claim
		for range starters {
			switch claim := <-claims; {
			case claim.err == nil:
				won = append(won, claim)
			case !errors.Is(claim.err, ErrRunning):
				t.Errorf("got %v, want ErrRunning", claim.err)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d have the socket, want one", len(won))
		}
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", c.Path)
		if err != nil {
			t.Fatalf("the socket of the one that runs: %v", err)
		}
		_ = conn.Close()
		// A dead one leaves its socket.
		won[0].l.(*net.UnixListener).SetUnlinkOnClose(false)
		_ = won[0].l.Close()
		won[0].release()
	}
}
