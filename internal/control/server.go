// SPDX-License-Identifier: Apache-2.0

package control

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
	"github.com/costream-obs/costream-obs/internal/reach"
	"github.com/costream-obs/costream-obs/media/link"
)

// ErrRunning says that another companion answers on the control socket.
var ErrRunning = errors.New("costream-obs is already running: stop that one first, or use its commands (`costream-obs peer`, `costream-obs graph`)")

// Server answers what other commands ask a running companion, on a socket that only its user can open.
//
//	GET /status  a Status as JSON
//	GET /graph   the running pipelines as GraphViz text; with ?text as launch lines
//	POST /probe  measures the way to the peer and returns a link.ProbeReport as JSON
//	POST /reach  finds out what is not known yet of the way to the peer and returns a reach.State as JSON
//	GET /panel   a Panel as JSON
//	POST /peer   carries out a PeerOrder and returns a PeerAnswer, with "failed" where some of it failed
type Server struct {
	Path   string
	Status func() Status
	Graph  func(text bool) string
	Probe  func(context.Context) (link.ProbeReport, error)
	Reach  func(context.Context) (reach.State, error)
	// Peer carries an order out. Its error is ErrOtherOBS where the companion is not connected to that OBS.
	Peer func(context.Context, PeerOrder) (PeerAnswer, error)
	// Panel are the addresses of the panel, none where it is not served.
	Panel func() []string
}

// Panel is where the page is on which the user sees and steers the co-stream.
type Panel struct {
	// Addresses contain a secret. The first is for this machine.
	Addresses []string `json:"addresses"`
}

// Listen claims the socket until release is called. A socket that nobody answers on is a dead companion's and is
// replaced. Two that start at once cannot take each other's socket for that: the lock lets one of them look. The error is
// ErrRunning where another companion has it.
func (s *Server) Listen(ctx context.Context) (_ net.Listener, release func(), err error) {
	release, err = lockfile.Acquire(ctx, s.Path+".lock", 0)
	if held := (*lockfile.HeldError)(nil); errors.As(err, &held) {
		return nil, nil, ErrRunning
	}
	if err != nil {
		return nil, nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := s.bind()
	if err != nil {
		release()
		return nil, nil, err
	}
	return l, release, nil
}

func (s *Server) bind() (net.Listener, error) {
	if (Client{Path: s.Path}).Running() {
		return nil, ErrRunning
	}
	if err := os.Remove(s.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", s.Path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(s.Path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// Serve answers until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Status()) })
	mux.HandleFunc("GET /panel", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, Panel{s.Panel()}) })
	mux.HandleFunc("GET /graph", func(w http.ResponseWriter, r *http.Request) {
		text := r.URL.Query().Has("text")
		if !text {
			w.Header().Set("Content-Type", "text/vnd.graphviz")
		}
		_, _ = io.WriteString(w, s.Graph(text))
	})
	mux.HandleFunc("POST /probe", answer(func(ctx context.Context) (link.ProbeReport, error) { return s.Probe(ctx) }))
	mux.HandleFunc("POST /reach", answer(func(ctx context.Context) (reach.State, error) { return s.Reach(ctx) }))
	mux.HandleFunc("POST /peer", func(w http.ResponseWriter, r *http.Request) {
		var order PeerOrder
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder)).Decode(&order); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := s.Peer(r.Context(), order)
		switch {
		case errors.Is(err, ErrOtherOBS):
			http.Error(w, err.Error(), http.StatusConflict)
		case err != nil:
			writeJSON(w, peerResult{answer, err.Error()})
		default:
			writeJSON(w, peerResult{PeerAnswer: answer})
		}
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 2 * time.Second, WriteTimeout: 25 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// answer makes a handler of a question that may fail.
func answer[T any](ask func(context.Context) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, err := ask(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		writeJSON(w, found)
	}
}

// maxOrder is the largest order in bytes: names of scenes, and one layout for each of them.
const maxOrder = 1 << 20

// peerResult is the answer to an order on its way.
type peerResult struct {
	PeerAnswer
	Failed string `json:"failed,omitempty"`
}

// writeJSON answers. Who asked may have gone.
func writeJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}
