// SPDX-License-Identifier: Apache-2.0

package call

import (
	"sync"
	"time"
)

// presence knows whether the peer's picture arrives. Its methods may be called from any goroutine.
type presence struct {
	// tell is called with each change while mu is locked, so that calls are in order and the last one is about the last
	// change. It must not call presence.
	tell func(seen bool)

	mu   sync.Mutex
	seen bool
	last time.Time // when the newest picture came
}

// came notes a picture.
func (p *presence) came(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = now
	if !p.seen {
		p.seen = true
		p.tell(true)
	}
}

// look returns when the newest picture came, and counts the peer as gone if that was too long ago.
func (p *presence) look(now time.Time) (last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen && now.Sub(p.last) > stallAfter {
		p.seen = false
		p.tell(false)
	}
	return p.last
}
