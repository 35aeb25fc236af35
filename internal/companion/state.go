// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/call"
)

// State is what a person sees of the companion.
type State string

// The states, in the order in which a co-stream goes through them.
const (
	Waiting       State = "waiting for OBS"
	Ready         State = "ready"
	OnAir         State = "on air, waiting for peer"
	OnAirWithPeer State = "on air with peer"
	Stopping      State = "stopping"
)

// A Report is one change of state, or of what is wrong in it.
type Report struct {
	Time  time.Time `json:"time"`
	State State     `json:"state"`
	// Detail says why, or how, in a sentence.
	Detail string `json:"detail,omitempty"`
	// Route is the route in use, while on air.
	Route Route `json:"route,omitempty"`
	// Bitrate is what the way to the peer allows our picture, in kbit/s, while on air on the secure link. Small changes
	// are no news.
	Bitrate int `json:"bitrate,omitempty"`
	// Problems are what stands in the way now, one sentence each with its remedy.
	Problems []string `json:"problems,omitempty"`
}

// reporter passes on reports that differ from the one before.
type reporter struct {
	mu   sync.Mutex
	last Report
	out  func(Report)
}

func (r *reporter) report(next Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sameReport(r.last, next) {
		return
	}
	next.Time = time.Now()
	r.last = next
	r.out(next)
}

func (r *reporter) current() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func sameReport(a, b Report) bool {
	return a.State == b.State && a.Detail == b.Detail && a.Route == b.Route && call.Alike(a.Bitrate, b.Bitrate) && slices.Equal(a.Problems, b.Problems)
}
