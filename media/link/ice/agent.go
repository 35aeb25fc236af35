// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
)

// askAgain is how long beyond the round trip a check waits for its answer before the peer's news are worth another one.
const askAgain = 25 * time.Millisecond

// Options say whom an Agent looks for and how. Its functions must not block, since they are called with a lock held.
type Options struct {
	Credentials Credentials
	Send        func(to Way, datagram []byte)
	Found       func(at Way, rtt time.Duration) // the peer answers on a way that is the one to send on from now on
	Lost        func()                          // the peer does not answer any more
}

// Agent is our side of the search for the peer. Take and TakeProbe are for one goroutine, all other methods are safe for
// concurrent use.
type Agent struct {
	o       Options
	checker checker
	prober  *prober

	lookNow chan struct{} // a check is due earlier than the checking goroutine knows
	changed chan struct{} // the peer or an offer has changed

	mu         sync.Mutex
	paths      paths
	own        instance // what we offer
	offered    instance // what the peer offers; 0 before it was heard
	understood bool     // the peer knows what we offer
	candidates []netip.AddrPort
	local      local
	status     Status // without Connected and Way, which target tells

	target atomic.Pointer[Way] // where to send; nil while the peer is not there
	rtt    atomic.Int64        // nanoseconds
}

// NewAgent returns an agent that knows no address of the peer.
func NewAgent(o Options) *Agent {
	a := &Agent{o: o, own: newInstance(), lookNow: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	a.status.Since = time.Now()
	a.checker.id = &a.o.Credentials
	a.prober = newProber(&a.o.Credentials, o.Send)
	return a
}

// SetCandidates sets the addresses at which the peer may be, of which the first MaxCandidates count. It replaces earlier
// ones, but leaves alone where the peer answers.
func (a *Agent) SetCandidates(addrs []netip.AddrPort) {
	a.mu.Lock()
	a.candidates = slices.Clone(addrs)
	a.paths.configure(time.Now(), a.candidates)
	a.mu.Unlock()
	wait.Signal(a.lookNow)
}

// SetRelay says whether we have a relay, through which the peer is then looked for as well.
func (a *Agent) SetRelay(available bool) {
	a.mu.Lock()
	a.paths.relaying.available = available
	a.paths.configure(time.Now(), a.candidates)
	a.mu.Unlock()
	wait.Signal(a.lookNow)
}

// SetLocal sets the addresses that all machines of the local networks listen at, which are asked once a second while the
// peer is not there.
func (a *Agent) SetLocal(addrs []netip.AddrPort) {
	a.mu.Lock()
	a.local.addrs = slices.Clone(addrs)
	a.mu.Unlock()
	wait.Signal(a.lookNow)
}

// Hurry checks all ways now: the network of this machine has changed.
func (a *Agent) Hurry() {
	a.mu.Lock()
	a.paths.hurry(time.Now())
	a.mu.Unlock()
	wait.Signal(a.lookNow)
}

// Addresses are those where the peer may be.
func (a *Agent) Addresses() (known []netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.paths.all {
		if addr := p.way.Addr.Addr(); !slices.Contains(known, addr) {
			known = append(known, addr)
		}
	}
	return known
}

// Run sends the checks that are due until ctx ends.
func (a *Agent) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-a.lookNow:
		}
		timer.Reset(time.Until(a.checkDue()))
	}
}

// checkDue sends the checks that are due and returns when the next one will be.
func (a *Agent) checkDue() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.paths.expire(now)
	a.setTarget(now)
	if a.target.Load() == nil {
		for _, to := range a.local.due(now) {
			a.check(Way{Addr: to}, a.local.begin())
		}
	}
	for {
		t := newTransaction()
		to, next := a.paths.next(now, t)
		if !to.Addr.IsValid() {
			if a.target.Load() == nil {
				next = wait.Earlier(next, a.local.next())
			}
			return next
		}
		a.check(to, t)
	}
}

// check asks whether the peer is somewhere.
func (a *Agent) check(to Way, t transaction) {
	if b, err := a.checker.encode(check{transaction: t, from: a.own, knows: a.offered}, netip.AddrPort{}); err == nil {
		a.o.Send(to, b)
	}
}

// Target is where to send, or nil while the peer is not there. It must not be written to.
func (a *Agent) Target() *Way { return a.target.Load() }

// Status is the way in use.
func (a *Agent) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.status
	if to := a.target.Load(); to != nil {
		s.Connected, s.Way = true, *to
	}
	return s
}

// RTT is the smoothed round-trip time of the newest checks on the path to the peer.
func (a *Agent) RTT() time.Duration { return time.Duration(a.rtt.Load()) }

// Silent is how long the peer has not answered.
func (a *Agent) Silent() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paths.selected == nil {
		return 0
	}
	return time.Since(a.paths.selected.answered)
}

// Consents tells whether the peer has proved lately that it is at an address (RFC 7675).
func (a *Agent) Consents(at Way) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.paths.find(at)
	return p != nil && time.Since(p.answered) < consent
}

// Changed passes a message on after Target, or the peer's offer, has changed.
func (a *Agent) Changed() <-chan struct{} { return a.changed }

// Offer is what the two sides make a DTLS session from: an instance of each.
type Offer struct{ own, peer instance }

// AwaitOffer returns when the peer is there and each side knows what the other offers, or false when ctx ends.
func (a *Agent) AwaitOffer(ctx context.Context) (Offer, bool) {
	for {
		a.mu.Lock()
		o := Offer{a.own, a.offered}
		ready := a.offered != 0 && a.target.Load() != nil && (a.understood || !a.o.Credentials.Controlling)
		a.mu.Unlock()
		if ready {
			return o, true
		}
		select {
		case <-ctx.Done():
			return Offer{}, false
		case <-a.changed:
		}
	}
}

// Stands tells whether both sides still offer the same.
func (a *Agent) Stands(o Offer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.own == o.own && a.offered == o.peer
}

// Renew takes our offer back and makes another one.
func (a *Agent) Renew() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own, a.understood = newInstance(), false
}

// Forget makes AwaitOffer wait for another offer of the peer than the one that is over.
func (a *Agent) Forget(o Offer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.offered == o.peer {
		a.offered, a.understood = 0, false
	}
}

// Take takes in a datagram that may be STUN: it answers a request and notes a response. It tells whether the datagram was
// the peer's and of use.
func (a *Agent) Take(from Way, datagram []byte) bool {
	k, ok := a.checker.decode(datagram)
	if !ok {
		return a.prober.take(from, datagram, a.asked)
	}
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if k.response {
		if !a.paths.answer(now, from, k.transaction, k.relayed) {
			// An answer to a question to all: the one who gave it can be asked where it is.
			if a.local.asked(k.transaction) && a.paths.heard(now, from) {
				wait.Signal(a.lookNow)
				return true
			}
			return false
		}
		a.met(k)
		a.setTarget(now)
		return true
	}
	b, err := a.checker.encode(check{
		response: true, transaction: k.transaction, from: a.own, knows: a.offered, relayed: from.Relayed,
	}, from.Addr)
	if err == nil {
		a.o.Send(from, b)
	}
	checkNow := a.paths.heard(now, from)
	// An offer that we do not know, or a peer that does not know ours: asking brings an answer that is surely fresh.
	if k.from != a.offered || !a.understood {
		if p := a.paths.find(from); p != nil && p.last(now) > a.RTT()+askAgain {
			p.due, checkNow = now, true
		}
	}
	if checkNow {
		wait.Signal(a.lookNow)
	}
	return true
}

// TakeProbe takes in a datagram while there is to be no session, instead of Take. The peer's checks tell where it is, but
// are not answered: a peer on air would begin a handshake.
func (a *Agent) TakeProbe(from Way, datagram []byte) {
	if k, ok := a.checker.decode(datagram); ok {
		if !k.response {
			a.prober.called(from)
		}
		return
	}
	a.prober.take(from, datagram, a.asked)
}

// asked tells whether a request is one of ours, which has come back to us.
func (a *Agent) asked(t transaction) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.local.asked(t) || a.paths.asked(t)
}

// Probe looks for the peer, measures the path there and back, and returns what it has found out: after about a second where
// the peer answers, after five where nobody does, and when ctx ends. Take or TakeProbe must be called meanwhile.
func (a *Agent) Probe(ctx context.Context) ProbeReport {
	return a.prober.probe(ctx, func() (known []Way) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, p := range a.paths.all {
			if !p.way.Relayed || p == a.paths.selected {
				known = append(known, p.way)
			}
		}
		return known
	})
}

// met notes what a fresh response says about the peer.
func (a *Agent) met(k check) {
	understood := k.knows == a.own
	if k.from == a.offered && understood == a.understood {
		return
	}
	// The peer must learn that we know it before it begins: it does so from our next check.
	if k.from != a.offered {
		if a.paths.selected != nil {
			a.paths.selected.due = time.Time{}
		}
		wait.Signal(a.lookNow)
	}
	a.offered, a.understood = k.from, understood
	wait.Signal(a.changed)
}

// setTarget makes the selected path the one to send to, or none when nobody answers there.
func (a *Agent) setTarget(now time.Time) {
	if !a.paths.alive(now) {
		if a.target.Swap(nil) != nil {
			a.status = Status{Since: now}
			a.o.Lost()
			wait.Signal(a.changed)
		}
		return
	}
	selected := a.paths.selected
	a.rtt.Store(int64(selected.rtt))
	a.status.TheirRelay = selected.theirRelay
	if old := a.target.Load(); old == nil || *old != selected.way {
		way := selected.way
		a.target.Store(&way)
		a.status.Since = now
		a.o.Found(way, selected.rtt)
		wait.Signal(a.changed)
	}
}
