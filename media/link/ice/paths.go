// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// checkInterval is the time between two checks of one path. It bounds how soon a peer that was away is found again,
	// and keeps NATs and firewalls open.
	checkInterval = 200 * time.Millisecond

	// restInterval takes its place on paths where nobody has answered for restAfter.
	restInterval = 500 * time.Millisecond
	restAfter    = 30 * time.Second

	// checkSpacing bounds the checks of all silent paths together: with many of them each is checked less often.
	checkSpacing = 25 * time.Millisecond

	// overdue is how long beyond the round trip an answer may take before another path is preferred.
	overdue = 100 * time.Millisecond

	// consent is how long after the last answer packets may go on (RFC 7675, which allows 30 s).
	consent = 3 * time.Second

	// learnInterval is the shortest time between two addresses learned from the peer's requests, and maxLearned how many
	// are kept: whoever repeats old requests from many addresses shall not fill anything.
	learnInterval = 50 * time.Millisecond
	maxLearned    = 4
	learnedLife   = 10 * time.Second // without an answer

	// maxPending is how many of the newest checks of a path may still be answered.
	maxPending = 16

	// Who repeats a request of the peer in another's name gets an answer, which is shorter, sent to that other. A check
	// costs checkCost more of what such requests bring in, so that both are no more than 1.5 times as long; and one check
	// is free in ten seconds, so that a peer that has moved need not ask twice.
	checkCost     = 10 * time.Second
	requestBrings = 7 * time.Second

	// MaxCandidates bounds the addresses that are known beforehand.
	MaxCandidates = 32
)

// paths are the ways to where the peer may be, and which of them to use. There is no signalling, so the candidates of
// ICE come from our user, and from the source of the peer's own requests (peer-reflexive). Both sides check all of them
// all the time, except those through a relay, and each sends to one that answers.
type paths struct {
	all      []*path
	selected *path // the one to send to; it stays when nobody answers any more
	learned  time.Time
	spent    time.Time // how far the checks of addresses that prove nothing are paid for
	hurried  bool      // all paths were checked since the selected one was late
	relaying relaying
}

type path struct {
	way        Way
	theirRelay bool // the peer says that its address is one at a relay
	configured bool
	since      time.Time
	due        time.Time      // of the next check
	answered   time.Time      // when the newest answer came
	inARow     int            // how many of the newest checks were answered, each before the next one
	rtt        time.Duration  // smoothed; 0 before the first answer
	pending    []pendingCheck // oldest first
}

type pendingCheck struct {
	transaction transaction
	at          time.Time
}

// configure says which addresses are known beforehand. Each is reached through our relay as well where we have one.
func (p *paths) configure(now time.Time, addrs []netip.AddrPort) {
	var ways []Way
	for _, a := range addrs {
		if w := (Way{Addr: a}); len(ways) < MaxCandidates && !slices.Contains(ways, w) {
			ways = append(ways, w)
		}
	}
	if p.relaying.available {
		for _, w := range ways {
			ways = append(ways, Way{Addr: w.Addr, Relayed: true})
		}
	}
	for _, known := range p.all {
		known.configured = slices.Contains(ways, known.way)
	}
	for _, w := range ways {
		if p.find(w) == nil {
			p.all = append(p.all, &path{way: w, configured: true, since: now, due: now})
		}
	}
}

func (p *paths) find(w Way) *path {
	for _, known := range p.all {
		if known.way == w {
			return known
		}
	}
	return nil
}

// heard notes that a request of the peer came from an address, which is no proof that the peer is there. It tells
// whether to check now.
func (p *paths) heard(now time.Time, from Way) bool {
	p.sign(now)
	known := p.find(from)
	if known == nil || known.unproven() {
		p.spent = p.spent.Add(-requestBrings)
	}
	if known != nil {
		if now.Sub(known.answered) > checkInterval && known.last(now) > checkInterval/4 {
			known.due = now
			return true
		}
		return false
	}
	if now.Sub(p.learned) < learnInterval {
		return false
	}
	p.learned = now
	count := 0
	var oldest *path
	for _, known := range p.all {
		if known.configured || known == p.selected {
			continue
		}
		count++
		if oldest == nil || known.answered.Before(oldest.answered) || known.answered.Equal(oldest.answered) && known.since.Before(oldest.since) {
			oldest = known
		}
	}
	if count >= maxLearned {
		p.remove(oldest)
	}
	p.all = append(p.all, &path{way: from, since: now, due: now})
	// The peer may have moved: is it still where we send to?
	if p.selected != nil && p.selected.last(now) > checkInterval/4 {
		p.selected.due = now
	}
	return true
}

func (p *paths) remove(gone *path) {
	p.all = slices.DeleteFunc(p.all, func(k *path) bool { return k == gone })
}

// expire forgets learned addresses where nobody answers.
func (p *paths) expire(now time.Time) {
	p.all = slices.DeleteFunc(p.all, func(k *path) bool {
		return !k.configured && k != p.selected && now.Sub(k.since) > learnedLife && now.Sub(k.answered) > learnedLife
	})
}

// hurry makes all paths due that have not just been checked.
func (p *paths) hurry(now time.Time) {
	for _, k := range p.all {
		if k.last(now) > checkInterval/4 && k.due.After(now) {
			k.due = now
		}
	}
}

// next returns the way whose check is due, with the transaction noted as under way, or when one will be.
func (p *paths) next(now time.Time, t transaction) (Way, time.Time) {
	p.relaying.update(now, p)
	if late := p.selected != nil && p.selected.late(now); late != p.hurried {
		if p.hurried = late; late {
			p.hurry(now)
		}
	}
	at := now.Add(checkInterval)
	for _, k := range p.all {
		if k.relayed() && !p.relaying.on {
			continue
		}
		if !k.due.After(now) {
			k.due = now.Add(p.interval(now, k))
			if k.unproven() && !p.pay(now) {
				continue
			}
			if len(k.pending) == maxPending {
				k.pending = append(k.pending[:0], k.pending[1:]...)
			}
			k.pending = append(k.pending, pendingCheck{t, now})
			return k.way, now
		}
		if k.due.Before(at) {
			at = k.due
		}
	}
	return Way{}, at
}

// interval is the time until the next check of a path.
func (p *paths) interval(now time.Time, k *path) time.Duration {
	if now.Sub(k.answered) <= consent {
		return checkInterval
	}
	checked := 0
	for _, other := range p.all {
		if p.relaying.on || !other.relayed() {
			checked++
		}
	}
	interval := time.Duration(checked) * checkSpacing
	if now.Sub(k.since) > restAfter && now.Sub(k.answered) > restAfter {
		return max(restInterval, interval)
	}
	return max(checkInterval, interval)
}

// answer notes a response and tells whether it answers a check that is under way there, so that the peer is there now.
// TheirRelay is what the peer says of its address.
func (p *paths) answer(now time.Time, from Way, t transaction, theirRelay bool) bool {
	k := p.find(from)
	if k == nil {
		return false
	}
	i := slices.IndexFunc(k.pending, func(c pendingCheck) bool { return c.transaction == t })
	if i < 0 {
		return false
	}
	rtt := now.Sub(k.pending[i].at)
	if k.rtt > 0 {
		rtt = k.rtt + (rtt-k.rtt)/4
	}
	if k.inARow++; i > 0 {
		k.inARow = 1
	}
	k.answered, k.rtt, k.theirRelay = now, rtt, theirRelay
	k.pending = append(k.pending[:0], k.pending[i+1:]...)
	p.sign(now)
	p.relaying.answered(now, k)
	if p.better(now, k) {
		p.selected = k
	}
	return true
}

// better tells whether to send to a path that has just answered rather than to the selected one.
func (p *paths) better(now time.Time, k *path) bool {
	switch {
	case k.relayed() && !p.relaying.on:
		return false
	case p.selected == nil:
		return true
	case k.relayed() && p.directAnswers(now):
		return false
	case p.selected.late(now):
		return true
	}
	return p.selected.relayed() && !k.relayed() && k.inARow >= steady
}

// directAnswers tells whether the peer answers on a path without a relay.
func (p *paths) directAnswers(now time.Time) bool {
	return slices.ContainsFunc(p.all, func(k *path) bool {
		return !k.relayed() && now.Sub(k.answered) < checkInterval+2*k.rtt+overdue && !k.late(now)
	})
}

// alive tells whether the peer was heard on the selected path lately.
func (p *paths) alive(now time.Time) bool {
	return p.selected != nil && now.Sub(p.selected.answered) < consent
}

// unproven tells whether nothing but its own requests speaks for a path.
func (k *path) unproven() bool { return !k.configured && k.answered.IsZero() }

// pay takes the price of a check of an unproven path from what there is, and tells whether it sufficed.
func (p *paths) pay(now time.Time) bool {
	if free := now.Add(-checkCost); p.spent.Before(free) {
		p.spent = free // no more than one check is saved up
	}
	if p.spent.Add(checkCost).After(now) {
		return false
	}
	p.spent = p.spent.Add(checkCost)
	return true
}

// relayed tells whether a path leads through a relay, ours or the peer's.
func (k *path) relayed() bool { return k.way.Relayed || k.theirRelay }

// asked tells whether a check is under way.
func (p *paths) asked(t transaction) bool {
	return slices.ContainsFunc(p.all, func(k *path) bool {
		return slices.ContainsFunc(k.pending, func(c pendingCheck) bool { return c.transaction == t })
	})
}

// late tells whether a check of the path should have been answered by now.
func (k *path) late(now time.Time) bool {
	return len(k.pending) > 0 && now.Sub(k.pending[0].at) > 2*k.rtt+overdue
}

// last is how long ago the newest check that is under way was sent.
func (k *path) last(now time.Time) time.Duration {
	if len(k.pending) == 0 {
		return time.Hour
	}
	return now.Sub(k.pending[len(k.pending)-1].at)
}
