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
	mu   sync.Mutex
	last control.Report
	out  func(control.Report)
}

func (r *reporter) report(next control.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next.Detail = terminal.OneLine(next.Detail)
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
