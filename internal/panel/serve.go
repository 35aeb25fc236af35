// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
)

//go:embed page/page.html page/page.css page/page.js page/icon.svg
var page embed.FS

// files are the parts of the page by their path.
var files = map[string]struct{ name, kind string }{
	"":         {"page/page.html", "text/html; charset=utf-8"},
	"page.css": {"page/page.css", "text/css; charset=utf-8"},
	"page.js":  {"page/page.js", "text/javascript; charset=utf-8"},
	"icon.svg": {"page/icon.svg", "image/svg+xml"},
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	s.mu.Lock()
	access := s.access
	s.mu.Unlock()
	path, ok := admit(r, access)
	if !ok || !welcome(r) {
		refuse(w, r)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin + orderWithin)) // TCP has deadlines.
	if file, is := files[path]; is && r.Method == http.MethodGet {
		data, err := page.ReadFile(file.name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", file.kind)
		_, _ = w.Write(data) // The browser may have gone; the same holds below.
		return
	}
	switch r.Method + " " + path {
	case "GET events":
		s.events(w, r)
	case "GET picture/" + string(OfFriend):
		s.picture(w, r, OfFriend)
	case "GET picture/" + string(Sent):
		s.picture(w, r, Sent)
	case "POST do":
		s.do(w, r)
	case "POST fix":
		s.fix(w, r)
	default:
		refuse(w, r)
	}
}

// answer is what came of what the user did.
type answer struct {
	Changes []control.PeerChange `json:"changes,omitempty"`
	// Break is why there is a break after PeerAway or PeerBack; empty for none.
	Break string `json:"break,omitempty"`
	// WaitsForOBS says that PeerStart is carried out when OBS is there.
	WaitsForOBS bool   `json:"waits_for_obs,omitempty"`
	Done        string `json:"done,omitempty"`
	Failed      string `json:"failed,omitempty"`
}

func writeAnswer(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a)
}

// do carries an order out.
func (s *Server) do(w http.ResponseWriter, r *http.Request) {
	order, err := s.readOrder(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.carry(w, r, "costream-obs status", func(ctx context.Context) (a answer, err error) {
		done, err := s.o.Order(ctx, order)
		if errors.Is(err, control.ErrOtherOBS) {
			err = errors.New("costream-obs has no connection to OBS: start OBS")
		}
		return answer{Changes: done.Changes, Break: done.Break, WaitsForOBS: done.WaitsForOBS}, err
	})
}

// fix does what doctor would do about a problem.
func (s *Server) fix(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		ID string `json:"id"`
	}
	if err := decode(http.MaxBytesReader(w, r.Body, maxBody), &asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.carry(w, r, "costream-obs doctor --fix", func(ctx context.Context) (a answer, err error) {
		if s.o.Repairs == nil {
			return answer{}, errors.New("nothing can be repaired from here; see: costream-obs doctor")
		}
		a.Done, err = s.o.Repairs.Do(ctx, asked.ID)
		return a, err
	})
}

// carry does what the user asked for, unless too much is being done already. next is the command that helps where OBS does not
// answer.
func (s *Server) carry(w http.ResponseWriter, r *http.Request, next string, do func(context.Context) (answer, error)) {
	select {
	case s.orders <- struct{}{}:
		defer func() { <-s.orders }()
	default:
		http.Error(w, "costream-obs is busy with other orders: try again", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), orderWithin)
	defer cancel()
	a, err := do(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("OBS did not answer within %v; see: %s", orderWithin, next)
	}
	if err != nil {
		a.Failed = err.Error()
	}
	writeAnswer(w, a)
	s.Changed()
}

// pictureFor is how long a picture is good for. Pages ask for one each second.
const pictureFor = 900 * time.Millisecond

// shot is the last picture of one kind. Several pages share it.
type shot struct {
	mu   sync.Mutex
	data []byte
	err  error
	at   time.Time
}

func (s *shot) take(ctx context.Context, shoot func(context.Context) ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) > pictureFor && ctx.Err() == nil {
		s.data, s.err = shoot(ctx)
		s.at = time.Now()
	}
	return s.data, s.err
}

func (s *Server) picture(w http.ResponseWriter, r *http.Request, whose Whose) {
	if !s.o.Visible(whose) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestWithin)
	defer cancel()
	data, err := s.shots[whose].take(ctx, func(ctx context.Context) ([]byte, error) { return s.o.Picture(ctx, whose) })
	if err != nil {
		s.o.Log.Debug("no picture for the panel", "of", whose, "error", err)
	}
	if err != nil || len(data) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(data)
}
