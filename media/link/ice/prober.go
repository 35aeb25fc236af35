// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v3"

	"github.com/costream-obs/costream-obs/media/link/internal/wait"
)

const (
	// findWithin is how long the peer is looked for: two people who start at the same time are some seconds apart.
	// findAgain is the time between two requests to one address meanwhile.
	findWithin = 5 * time.Second
	findAgain  = 200 * time.Millisecond

	// A peer that is probing, too, is answered until it has been quiet for quietAfter, but no longer than quietWithin.
	quietAfter  = 300 * time.Millisecond
	quietWithin = 2 * time.Second

	// probeCount requests are sent with probePause between them.
	probeCount = 50
	probePause = 10 * time.Millisecond

	// The last answers are waited for, twice as long as the first one took and lateAnswer more: on a busy machine answers
	// were 250 ms late, which is no loss.
	lateAnswer = time.Second
	latestOf   = 2 * time.Second

	// sizeTries is how often each of sizesTried is.
	sizeTries = 3

	// maxAnswers bounds the answers in a second. A series has fewer requests. Whoever repeats old ones in another's name
	// gets no more than this out of us, and no more bytes than it cost.
	maxAnswers = 150

	// maxHeard is how many addresses of callers and of strangers are remembered, and heardLife how long.
	maxHeard  = 4
	heardLife = 10 * time.Second
)

// sizesTried are sizes of IP packets, their headers included: the least that IPv6 allows, which all media packets keep
// below, and the usual ones of VPNs, DSL and Ethernet.
var sizesTried = []int{1280, 1400, 1420, 1492, 1500}

// A ProbeReport tells how well datagrams get to the peer and back.
type ProbeReport struct {
	// Peer is where the peer answered. It is invalid when nobody did; what concerns the peer is then zero.
	Peer netip.AddrPort `json:"peer"`
	// Relayed says that the peer was asked through our own relay.
	Relayed bool `json:"relayed,omitempty"`
	// Asked are the addresses where the peer was looked for.
	Asked []netip.AddrPort `json:"asked"`
	// Seen is our address as the peer sees it: another one than ours behind a NAT.
	Seen netip.AddrPort `json:"seen"`

	Sent    int `json:"sent"`     // requests of the series
	Lost    int `json:"lost"`     // those that were not answered
	LostOut int `json:"lost_out"` // those of them of which it is known that they did not get to the peer

	RTT    time.Duration `json:"rtt"`     // median of the round trips
	MinRTT time.Duration `json:"min_rtt"` // the shortest
	MaxRTT time.Duration `json:"max_rtt"` // the longest

	// PacketSize is the largest IP packet that got there and back, of the sizes that were tried; 0 when all those were lost.
	PacketSize int `json:"packet_size"`
	// ClockAhead is how far the peer's clock is ahead of ours, give or take half of MinRTT.
	ClockAhead time.Duration `json:"clock_ahead"`
	// Version is the peer's ProbeVersion.
	Version uint8 `json:"version"`

	// Strangers are addresses from which a costream-obs called lately that has another key, and Twins those from which
	// one called that has our own.
	Strangers []netip.AddrPort `json:"strangers"`
	Twins     []netip.AddrPort `json:"twins"`
}

// prober answers the peer's probes, and sends ours.
type prober struct {
	id   *Credentials
	send func(Way, []byte)
	turn chan struct{} // held by who probes

	scratch stun.Message // of the goroutine that reads

	mu        sync.Mutex
	heard     uint32 // requests of the peer, but for padded ones
	heardAt   time.Time
	answers   int // in the second since refilled
	refilled  time.Time
	callers   addresses
	strangers addresses
	twins     addresses
	pending   map[transaction]*probeRequest
	sent      map[transaction]time.Time // requests of ours in the last heardLife, which may come back to us
	answered  chan struct{}             // a request of ours was
}

// request is a probe of ours, with the response when there is one.
type probeRequest struct {
	to    Way
	sent  time.Time
	size  int // of the IP packet, where that was chosen
	took  time.Duration
	reply *probe
}

func newProber(id *Credentials, send func(Way, []byte)) *prober {
	return &prober{id: id, send: send, turn: make(chan struct{}, 1), sent: make(map[transaction]time.Time), answered: make(chan struct{}, 1)}
}

// take reads a datagram and tells whether it was of use. It is called by one goroutine. Asked tells whether a check is one
// that we sent ourselves: it has come back where the peer's address is one of ours, too, as it is in many homes.
func (p *prober) take(from Way, datagram []byte, asked func(transaction) bool) bool {
	got, whose := p.id.decodeProbe(datagram, &p.scratch)
	if whose == ofOwnSide && asked(p.scratch.TransactionID) {
		return false
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case whose == ofStranger:
		p.strangers.add(from, now)
	case whose == ofOwnSide && p.sent[p.scratch.TransactionID].IsZero():
		p.twins.add(from, now)
	case whose == ofPeer && got.response:
		q := p.pending[got.transaction]
		if q == nil || q.to != from || q.reply != nil {
			return false
		}
		q.took, q.reply = now.Sub(q.sent), &got
		wait.Signal(p.answered)
		return true
	case whose == ofPeer:
		p.callers.add(from, now)
		p.heardAt = now
		if !got.padded {
			p.heard++
		}
		return p.answer(now, from, got)
	}
	return false
}

// answer answers a request unless there were too many.
func (p *prober) answer(now time.Time, to Way, request probe) bool {
	if now.Sub(p.refilled) > time.Second {
		p.refilled, p.answers = now, 0
	}
	if p.answers++; p.answers > maxAnswers {
		return false
	}
	b := p.id.encodeProbe(probe{
		response: true, transaction: request.transaction, version: ProbeVersion, size: request.size,
		heard: p.heard, clock: now, seen: to.Addr,
	})
	if b == nil {
		return false
	}
	p.send(to, b)
	return true
}

// called notes a sign of the peer that is no probe.
func (p *prober) called(from Way) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.callers.add(from, time.Now())
}

func (p *prober) calledLately() []Way {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.callers.recent(time.Now())
}

// probe looks for the peer at the addresses that known returns and at those from which it called, and measures the way
// to where it answers. It returns what it has found out when ctx ends.
func (p *prober) probe(ctx context.Context, known func() []Way) ProbeReport {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ProbeReport{}
	}
	p.mu.Lock()
	p.pending = make(map[transaction]*probeRequest)
	begin := time.Now()
	maps.DeleteFunc(p.sent, func(_ transaction, at time.Time) bool { return begin.Sub(at) > heardLife })
	p.mu.Unlock()
	var report ProbeReport
	if first := p.find(ctx, known, &report.Asked); first != nil {
		report.Peer, report.Relayed = first.to.Addr, first.to.Relayed
		report.take(p.measure(ctx, first))
		p.awaitQuiet(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = nil
	now := time.Now()
	report.Strangers, report.Twins = addrsOf(p.strangers.recent(now)), addrsOf(p.twins.recent(now))
	return report
}

// find asks everywhere until there is an answer. A request that only seems to come from somewhere thus costs whoever is
// there one small datagram at a time.
func (p *prober) find(ctx context.Context, known func() []Way, asked *[]netip.AddrPort) *probeRequest {
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	again := time.NewTicker(findAgain)
	defer again.Stop()
	for {
		at := slices.Concat(known(), p.calledLately())
		for i, a := range at {
			if slices.Contains(at[:i], a) {
				continue
			}
			if !slices.Contains(*asked, a.Addr) {
				*asked = append(*asked, a.Addr)
			}
			p.ask(a, 0)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-p.answered:
		}
		if q := p.fastest(); q != nil {
			return q
		}
	}
}

// measure sends a series of requests to where the first one was answered, among them some of each size.
func (p *prober) measure(ctx context.Context, first *probeRequest) []*probeRequest {
	p.mu.Lock()
	clear(p.pending)
	p.mu.Unlock()
	headers := headers6
	if first.to.Addr.Addr().Is4() {
		headers = headers4
	}
	var series []*probeRequest
	pause := time.NewTicker(probePause)
	defer pause.Stop()
	for n := range probeCount {
		series = append(series, p.ask(first.to, 0))
		if n < sizeTries*len(sizesTried) {
			size := sizesTried[n%len(sizesTried)]
			q := p.ask(first.to, size-headers)
			q.size = size
			series = append(series, q)
		}
		select {
		case <-ctx.Done():
			return p.closed(series)
		case <-pause.C:
		}
	}
	patience := time.NewTimer(min(2*first.took+lateAnswer, latestOf))
	defer patience.Stop()
	for !p.complete(series) {
		select {
		case <-ctx.Done():
			return p.closed(series)
		case <-patience.C:
			return p.closed(series)
		case <-p.answered:
		}
	}
	return series
}

// awaitQuiet lets the peer end a series of its own.
func (p *prober) awaitQuiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, quietWithin)
	defer cancel()
	for {
		p.mu.Lock()
		busy := quietAfter - time.Since(p.heardAt)
		p.mu.Unlock()
		if busy <= 0 || ctx.Err() != nil {
			return
		}
		wait.Pause(ctx, busy)
	}
}

// ask sends a request in a datagram of a size, or the smallest one for 0.
func (p *prober) ask(to Way, size int) *probeRequest {
	q := &probeRequest{to: to}
	t := newTransaction()
	b := p.id.encodeProbe(probe{transaction: t, version: ProbeVersion, size: size})
	p.mu.Lock()
	q.sent = time.Now()
	p.pending[t], p.sent[t] = q, q.sent
	p.mu.Unlock()
	p.send(to, b)
	return q
}

// fastest returns the request with the quickest answer, or nil when none has one.
func (p *prober) fastest() (best *probeRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.pending {
		if q.reply != nil && (best == nil || q.took < best.took) {
			best = q
		}
	}
	return best
}

func (p *prober) complete(series []*probeRequest) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(series, func(q *probeRequest) bool { return q.reply == nil })
}

// closed returns the series when no more answers are taken.
func (p *prober) closed(series []*probeRequest) []*probeRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.pending)
	return series
}

// take works out the figures of a series.
func (r *ProbeReport) take(series []*probeRequest) {
	var took []time.Duration
	var quickest, first, last *probeRequest
	sent, sentFirst, sentLast := 0, 0, 0
	for _, q := range series {
		switch {
		case q.size > 0 && q.reply != nil:
			r.PacketSize = max(r.PacketSize, q.size)
			continue
		case q.size > 0:
			continue
		}
		sent++
		if q.reply == nil {
			continue
		}
		took = append(took, q.took)
		if quickest == nil || q.took < quickest.took {
			quickest = q
		}
		if first == nil {
			first, sentFirst = q, sent
		}
		last, sentLast = q, sent
	}
	r.Sent, r.Lost = sent, sent-len(took)
	if quickest == nil {
		return
	}
	// The peer counts what it hears: what lacks there between two answers was lost on the way out.
	lacking := sentLast - sentFirst - int(int32(last.reply.heard-first.reply.heard))
	r.LostOut = min(max(lacking, 0), r.Lost)
	slices.Sort(took)
	r.MinRTT, r.RTT, r.MaxRTT = took[0], took[len(took)/2], took[len(took)-1]
	r.ClockAhead = quickest.reply.clock.Sub(quickest.sent.Add(quickest.took / 2)).Round(time.Millisecond)
	r.Version, r.Seen = quickest.reply.version, quickest.reply.seen
}

// addresses are the newest of those that something came from.
type addresses []heardFrom

type heardFrom struct {
	way Way
	at  time.Time
}

func (a *addresses) add(way Way, now time.Time) {
	*a = slices.DeleteFunc(*a, func(h heardFrom) bool { return h.way == way })
	if len(*a) == maxHeard {
		*a = slices.Delete(*a, 0, 1)
	}
	*a = append(*a, heardFrom{way, now})
}

func (a addresses) recent(now time.Time) (found []Way) {
	for _, h := range a {
		if now.Sub(h.at) < heardLife {
			found = append(found, h.way)
		}
	}
	return found
}

func addrsOf(ways []Way) (addrs []netip.AddrPort) {
	for _, w := range ways {
		addrs = append(addrs, w.Addr)
	}
	return addrs
}
