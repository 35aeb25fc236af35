// SPDX-License-Identifier: Apache-2.0

package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

// ErrNotRunning says that no companion answers on the control socket.
var ErrNotRunning = errors.New("costream-obs does not run: start it with `costream-obs run`")

// answerWithin is how long a companion may take for an answer that it has at hand; it takes milliseconds when all is well.
const answerWithin = 2 * time.Second

// Client asks a running companion. Its errors are ErrNotRunning where there is none.
type Client struct {
	Path string

	pid *int // gets the process id of the companion; may be nil
}

// Running reports whether a companion listens.
func (c Client) Running() bool {
	conn, err := net.DialTimeout("unix", c.Path, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Status asks for the status, and tells which process gave it; 0 where that is not known.
func (c Client) Status(ctx context.Context) (status Status, pid int, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c.pid = &pid
	err = c.ask(ctx, http.MethodGet, "/status", &status)
	return status, pid, err
}

// Graph asks for the running pipelines, in GraphViz's language or as launch lines.
func (c Client) Graph(ctx context.Context, text bool) (drawing string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	path := "/graph"
	if text {
		path += "?text"
	}
	err = c.get(ctx, http.MethodGet, path, func(body io.Reader) error {
		all, err := io.ReadAll(body)
		drawing = string(all)
		return err
	})
	return drawing, err
}

// Panel asks where the panel is. The error is ErrNoPanel where it is not served.
func (c Client) Panel(ctx context.Context) (Panel, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var panel Panel
	err := c.ask(ctx, http.MethodGet, "/panel", &panel)
	if refused := (*refusedError)(nil); errors.As(err, &refused) || err == nil && len(panel.Addresses) == 0 {
		err = ErrNoPanel
	}
	return panel, err
}

// ErrNoPanel says that the companion that runs serves no panel.
var ErrNoPanel = errors.New("the costream-obs that runs serves no panel: see `costream-obs status` for problems, or restart it without --no-panel")

// Probe measures the way to the peer, which takes some seconds.
func (c Client) Probe(ctx context.Context) (report link.ProbeReport, err error) {
	err = c.ask(ctx, http.MethodPost, "/probe", &report)
	return report, err
}

// Reach asks what is known of the way to the peer, and has the rest found out, which takes some seconds.
func (c Client) Reach(ctx context.Context) (state reach.State, err error) {
	err = c.ask(ctx, http.MethodPost, "/reach", &state)
	return state, err
}

// Peer has an order carried out. What was changed is in the answer also when some of it failed. The error is ErrOtherOBS where
// the companion is not connected to that OBS, or takes no orders.
func (c Client) Peer(ctx context.Context, order PeerOrder) (PeerAnswer, error) {
	data, err := json.Marshal(order)
	if err != nil {
		return PeerAnswer{}, err
	}
	var result peerResult
	err = c.send(ctx, http.MethodPost, "/peer", bytes.NewReader(data), func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&result)
	})
	if refused := (*refusedError)(nil); errors.As(err, &refused) && slices.Contains(otherOBS, refused.status) {
		err = ErrOtherOBS
	}
	if err == nil && result.Failed != "" {
		err = errors.New(result.Failed)
	}
	return result.PeerAnswer, err
}

// otherOBS are the answers of a companion that is not connected to that OBS, and of one that is too old.
var otherOBS = []int{http.StatusConflict, http.StatusNotFound, http.StatusMethodNotAllowed}

// refusedError is an answer that says no.
type refusedError struct {
	status int
	said   string
}

func (e *refusedError) Error() string { return "the running costream-obs says: " + e.said }

// ask is for answers in JSON.
func (c Client) ask(ctx context.Context, method, path string, into any) error {
	return c.get(ctx, method, path, func(body io.Reader) error { return json.NewDecoder(body).Decode(into) })
}

func (c Client) get(ctx context.Context, method, path string, read func(io.Reader) error) error {
	return c.send(ctx, method, path, nil, read)
}

func (c Client) send(ctx context.Context, method, path string, body io.Reader, read func(io.Reader) error) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", c.Path)
		if err == nil && c.pid != nil {
			*c.pid = peerOf(conn)
		}
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://costream-obs"+path, body)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return ErrNotRunning
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("costream-obs runs but does not answer on %s: %w", c.Path, context.DeadlineExceeded)
	case err != nil:
		return fmt.Errorf("control socket %s: %w", c.Path, errors.Unwrap(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // The status alone would do.
		return &refusedError{response.StatusCode, cmp.Or(strings.TrimSpace(string(said)), response.Status)}
	}
	if err := read(response.Body); err != nil {
		return fmt.Errorf("control socket %s: %w", c.Path, err)
	}
	return nil
}

// peerOf is the process at the other end of a socket, 0 where it is not known.
func peerOf(conn net.Conn) (pid int) {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // A socket that was just opened.
		if who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(who.Pid)
		}
	})
	return pid
}
