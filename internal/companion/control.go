// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/costream-obs/costream-obs/internal/lockfile"
	"github.com/costream-obs/costream-obs/media/link"
)

// ErrRunning says that another companion answers on the control socket.
var ErrRunning = errors.New("costream-obs is already running: stop that one first, or use its commands (`costream-obs peer`, `costream-obs graph`)")

// control serves what other commands ask a running companion, on a socket that only its user can open.
//
//	GET /status  the last Report as JSON
//	GET /graph   the running pipelines as GraphViz text; with ?text as launch lines
//	POST /probe  measures the way to the peer and returns a link.ProbeReport as JSON
type control struct {
	path   string
	status func() Report
	graph  func(text bool) string
	probe  func(context.Context) (link.ProbeReport, error)
}

// listen claims the socket until release is called. A socket that nobody answers on is a dead companion's and is
// replaced. Two that start at once cannot take each other's socket for that: the lock lets one of them look.
func (c *control) listen(ctx context.Context) (_ net.Listener, release func(), err error) {
	release, err = lockfile.Acquire(ctx, c.path+".lock", 0)
	if held := (*lockfile.HeldError)(nil); errors.As(err, &held) {
		return nil, nil, ErrRunning
	}
	if err != nil {
		return nil, nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := c.bind(ctx)
	if err != nil {
		release()
		return nil, nil, err
	}
	return l, release, nil
}

func (c *control) bind(ctx context.Context) (net.Listener, error) {
	dialer := net.Dialer{Timeout: time.Second}
	if conn, err := dialer.DialContext(ctx, "unix", c.path); err == nil {
		_ = conn.Close()
		return nil, ErrRunning
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", c.path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(c.path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// serve answers until ctx ends.
func (c *control) serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.status())
	})
	mux.HandleFunc("GET /graph", func(w http.ResponseWriter, r *http.Request) {
		text := r.URL.Query().Has("text")
		if !text {
			w.Header().Set("Content-Type", "text/vnd.graphviz")
		}
		_, _ = io.WriteString(w, c.graph(text))
	})
	mux.HandleFunc("POST /probe", func(w http.ResponseWriter, r *http.Request) {
		report, err := c.probe(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(report)
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 2 * time.Second, WriteTimeout: 15 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}
