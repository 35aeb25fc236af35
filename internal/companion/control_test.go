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

	l, err := c.listen(t.Context())
	if err != nil {
		t.Fatalf("listen over a dead socket: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.serve(ctx, l) }()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket's mode: got %v (%v), want 0600", info.Mode().Perm(), err)
	}
	if _, err := c.listen(t.Context()); !errors.Is(err, ErrRunning) {
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
}
