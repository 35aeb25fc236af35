// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
)

const (
	// every is the time between two messages while nothing changes.
	every = time.Second
	// kept is how many samples the curves have: two minutes.
	kept = 120
	// repairsEvery is the least time between two searches for what can be repaired, which ask OBS and the sound server.
	repairsEvery = 5 * time.Second
)

// sample is one point of each curve. What is not known is left out.
type sample struct {
	At      int64    `json:"t"` // in milliseconds, since the curves began
	Picture *float64 `json:"picture,omitempty"`
	Voice   *float64 `json:"voice,omitempty"`
	LossIn  *float64 `json:"loss_in,omitempty"`
	LossOut *float64 `json:"loss_out,omitempty"`
	In      *float64 `json:"in,omitempty"`
	Out     *float64 `json:"out,omitempty"`
}

func newSample(status control.Status, at time.Duration) sample {
	s := sample{At: at.Milliseconds()}
	f := status.Figures
	if f == nil {
		return s
	}
	number := func(v float64) *float64 { return &v }
	if f.Picture != nil {
		s.Picture = number(f.Picture.Total.Duration().Seconds() * 1000)
	}
	if f.Voice != nil {
		s.Voice = number(f.Voice.Total.Duration().Seconds() * 1000)
	}
	if f.In.Loss != nil {
		s.LossIn = number(float64(*f.In.Loss))
	}
	if f.Out.Loss != nil {
		s.LossOut = number(float64(*f.Out.Loss))
	}
	s.In, s.Out = number(float64(f.In.Kbps)), number(float64(f.Out.Kbps))
	return s
}

// news is what a page is told each second, and when something changes.
type news struct {
	Status control.Status `json:"status"`
	Sample sample         `json:"sample"`
	Saved  []string       `json:"saved,omitempty"`
	Fixes  []Repair       `json:"fixes,omitempty"`
}

// feed is what the pages are told.
type feed struct {
	changed chan struct{} // has room for one

	mu      sync.Mutex
	history []sample
	pages   map[chan []byte]bool // each has room for one
}

func (f *feed) init() {
	f.changed, f.pages = make(chan struct{}, 1), make(map[chan []byte]bool)
}

func (f *feed) wake() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// join is for a page that opens: what it must know first, and what comes. ok is false where there are too many.
func (f *feed) join() (first []byte, more chan []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pages) >= maxPages {
		return nil, nil, false
	}
	more = make(chan []byte, 1)
	f.pages[more] = true
	f.wake()
	return message("history", map[string]any{"samples": append([]sample{}, f.history...)}), more, true
}

func (f *feed) leave(page chan []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pages, page)
}

func (f *feed) watched() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pages) > 0
}

func (f *feed) record(s sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.history = append(f.history, s)
	f.history = slices.Delete(f.history, 0, max(0, len(f.history)-kept))
}

// tell offers a message to all pages. One that has not taken the last one gets this one in its place.
func (f *feed) tell(m []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for page := range f.pages {
		select {
		case <-page:
		default:
		}
		page <- m
	}
}

// follow samples the figures, and tells the pages, until ctx ends.
func (s *Server) follow(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	repairs := repairs{from: s.o.Repairs, changed: s.feed.wake}
	for {
		status := s.o.Status()
		now := newSample(status, time.Since(s.begun))
		if s.feed.watched() {
			n := news{Status: status, Sample: now, Fixes: repairs.of(ctx, status)}
			if saved, err := s.o.Saved(); err == nil {
				for name := range saved {
					n.Saved = append(n.Saved, name)
				}
				slices.Sort(n.Saved)
			}
			s.feed.tell(message("status", n))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.feed.record(now)
		case <-s.feed.changed:
		}
	}
}

// repairs looks for what can be repaired, beside the one who asks. Nobody waits for it.
type repairs struct {
	from    Repairs
	changed func()

	mu    sync.Mutex
	busy  bool
	found []Repair
	codes []string // for which was looked last
	at    time.Time
}

// of returns what is known, and begins to look anew where that is old.
func (r *repairs) of(ctx context.Context, status control.Status) []Repair {
	if r.from == nil {
		return nil
	}
	var codes []string
	for _, code := range status.Codes {
		codes = append(codes, string(code))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	due := time.Since(r.at) > repairsEvery && (!slices.Equal(codes, r.codes) || len(codes) > 0)
	if due && !r.busy {
		r.busy = true
		go func() {
			var found []Repair
			if len(codes) > 0 {
				found = r.from.Find(ctx, codes)
			}
			r.mu.Lock()
			r.busy, r.found, r.codes, r.at = false, found, codes, time.Now()
			r.mu.Unlock()
			r.changed()
		}()
	}
	return slices.DeleteFunc(slices.Clone(r.found), func(f Repair) bool { return !slices.Contains(codes, f.ID) })
}

// message is one server-sent event.
func message(event string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("null")
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, bytes.ReplaceAll(text, []byte("\n"), nil))
}

// events tells a page what happens until it goes, or is too slow.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	first, more, ok := s.feed.join()
	w.Header().Set("Content-Type", "text/event-stream")
	if !ok {
		_, _ = w.Write(message("full", nil)) // A page does not learn the status of an answer that has no events.
		return
	}
	defer s.feed.leave(more)
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	for m := first; ; {
		if conn.SetWriteDeadline(time.Now().Add(writeWithin)) != nil {
			return
		}
		if _, err := w.Write(m); err != nil || conn.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case m = <-more:
		}
	}
}
