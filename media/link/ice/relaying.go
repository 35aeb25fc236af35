// SPDX-License-Identifier: Apache-2.0

package ice

import "time"

const (
	// relayAfter is how long nobody must have answered directly before paths through a relay are checked and used.
	relayAfter = 8 * time.Second

	// steady is how many checks in a row must be answered directly before a relay is left, and relayLinger how long the
	// peer must answer directly before the relay is not checked any more either.
	steady      = 5
	relayLinger = 30 * time.Second

	// goneAfter is how long the peer must have given no sign for its next one to begin the search anew.
	goneAfter = 10 * time.Second
)

// relaying says whether paths through a relay are in play: ours, the peer's, or both.
type relaying struct {
	available bool // we have a relay
	on        bool

	began       time.Time // when the search began
	seen        time.Time // when the peer gave its newest sign, be it a request or an answer
	direct      time.Time // when it answered directly
	directSince time.Time // since when it has done so without a break
}

// sign notes a sign of the peer. One that comes long after our search has begun is given the time to answer directly first;
// of one that seems to have searched as long as we have, there is nothing to hope for.
func (p *paths) sign(now time.Time) {
	r := &p.relaying
	back := now.Sub(r.seen) > goneAfter && now.Sub(r.began) > 2*relayAfter
	if r.seen = now; !back {
		return
	}
	r.began, r.on = now, false
	if p.selected != nil && p.selected.relayed() {
		p.selected = nil
	}
}

// answered notes an answer on a path.
func (r *relaying) answered(now time.Time, k *path) {
	if k.relayed() {
		return
	}
	if now.Sub(r.direct) > 2*checkInterval+2*k.rtt+overdue {
		r.directSince = now
	}
	r.direct = now
}

// update decides whether relays are in play.
func (r *relaying) update(now time.Time, p *paths) {
	if r.began.IsZero() {
		r.began = now
	}
	switch {
	case r.on && p.directAnswers(now) && now.Sub(r.directSince) > relayLinger:
		r.on = false
	case !r.on && now.Sub(r.began) > relayAfter && now.Sub(r.direct) > relayAfter:
		r.on = true
		for _, k := range p.all {
			if k.relayed() {
				k.since, k.due = now, now
			}
		}
	}
}
