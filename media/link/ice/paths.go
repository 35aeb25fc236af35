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
)

// paths are the addresses where the peer may be, and which of them to use. There is no signalling, so the candidates of
// ICE come from the configuration, and from the source of the peer's own requests (peer-reflexive). Both sides check all
// of them all the time, and each sends to one that answers.
type paths struct {
	all      []*path
	selected *path // the one to send to; it stays when nobody answers any more
	learned  time.Time
}

type path struct {
	addr       netip.AddrPort
	configured bool
	since      time.Time
	due        time.Time      // of the next check
	answered   time.Time      // when the newest answer came
	rtt        time.Duration  // smoothed; 0 before the first answer
	pending    []pendingCheck // oldest first
}

type pendingCheck struct {
	transaction transaction
	at          time.Time
}

// configure says which addresses are known beforehand.
func (p *paths) configure(now time.Time, addrs []netip.AddrPort) {
	for _, known := range p.all {
		known.configured = slices.Contains(addrs, known.addr)
	}
	for _, a := range addrs {
		if p.find(a) == nil {
			p.all = append(p.all, &path{addr: a, configured: true, since: now, due: now})
		}
	}
}

func (p *paths) find(a netip.AddrPort) *path {
	for _, known := range p.all {
		if known.addr == a {
			return known
		}
	}
	return nil
}

// heard notes that a request of the peer came from an address, which is no proof that the peer is there. It tells
// whether to check now.
func (p *paths) heard(now time.Time, from netip.AddrPort) bool {
	if known := p.find(from); known != nil {
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
	p.all = append(p.all, &path{addr: from, since: now, due: now})
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

// next returns the path whose check is due, with the transaction noted as under way, or when one will be.
func (p *paths) next(now time.Time, t transaction) (netip.AddrPort, time.Time) {
	at := now.Add(checkInterval)
	for _, k := range p.all {
		if !k.due.After(now) {
			k.due = now.Add(checkInterval)
			if now.Sub(k.since) > restAfter && now.Sub(k.answered) > restAfter {
				k.due = now.Add(restInterval)
			}
			if len(k.pending) == maxPending {
				k.pending = append(k.pending[:0], k.pending[1:]...)
			}
			k.pending = append(k.pending, pendingCheck{t, now})
			return k.addr, now
		}
		if k.due.Before(at) {
			at = k.due
		}
	}
	return netip.AddrPort{}, at
}

// answer notes a response and tells whether it answers a check that is under way there, so that the peer is there now.
func (p *paths) answer(now time.Time, from netip.AddrPort, t transaction) bool {
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
	k.answered, k.rtt = now, rtt
	k.pending = append(k.pending[:0], k.pending[i+1:]...)
	if p.selected == nil || p.selected.late(now) {
		p.selected = k
	}
	return true
}

// alive tells whether the peer was heard on the selected path lately.
func (p *paths) alive(now time.Time) bool {
	return p.selected != nil && now.Sub(p.selected.answered) < consent
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
