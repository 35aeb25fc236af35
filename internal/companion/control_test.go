// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/media/link"
)

func TestControlSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "control") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "run", "control.sock")
	c := &control{
		path:   path,
		status: func() Report { return Report{State: Ready} },
		graph: func(text bool) string {
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

	l, release, err := c.listen(t.Context())
	if err != nil {
		t.Fatalf("listen over a dead socket: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.serve(ctx, l) }()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket's mode: got %v (%v), want 0600", info.Mode().Perm(), err)
	}
	if _, _, err := c.listen(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("a second companion: got %v, want ErrRunning", err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	for url, want := range map[string]string{"http://x/status": `"state":"ready"`, "http://x/graph": "digraph {}", "http://x/graph?text": "videotestsrc"} {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: got %q (%v), want it to contain %q", url, body, err, want)
		}
	}
	for want, err := range map[string]error{`"sent":5`: nil, errNoLink.Error(): errNoLink} {
		c.probe = func(context.Context) (link.ProbeReport, error) { return link.ProbeReport{Sent: 5}, err }
		resp, err := client.Post("http://x/probe", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(body), want) || (resp.StatusCode == http.StatusOK) == (want == errNoLink.Error()) {
			t.Errorf("probe: got %s %q (%v), want %q", resp.Status, body, err, want)
		}
	}
	cancel()
	if err := await(t, served, "the server's end"); err != nil {
		t.Errorf("serve: %v", err)
	}
	release()
	if _, release, err = c.listen(t.Context()); err != nil {
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
		c := &control{path: filepath.Join(dir, "control.sock")}
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
				l, release, err := c.listen(t.Context())
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
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", c.path)
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
