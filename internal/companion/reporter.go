// SPDX-License-Identifier: Apache-2.0

package companion

import (
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/control"
	"github.com/costream-obs/costream-obs/internal/terminal"
)

// reporter passes on reports that differ from the one before.
type reporter struct {
	tally func() *control.Tally // what each report has of it; may be nil

	mu   sync.Mutex
	last control.Report
	out  func(control.Report)
}

func (r *reporter) report(next control.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next.Detail = terminal.OneLine(next.Detail)
	r.pass(next)
}

// again passes the last report on with what the tally is now.
func (r *reporter) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.State != "" {
		r.pass(r.last)
	}
}

// waitsForPeer passes the last report on with the peer gone.
func (r *reporter) waitsForPeer() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.State == control.OnAirWithPeer {
		next := r.last
		next.State = control.OnAir
		r.pass(next)
	}
}

// pass passes a report on if it is news. The mutex is held.
func (r *reporter) pass(next control.Report) {
	if r.tally != nil {
		next.Tally = r.tally()
	}
	if r.last.Same(next) {
		return
	}
	next.Time = time.Now()
	r.last = next
	r.out(next)
}

func (r *reporter) current() control.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}
