// SPDX-License-Identifier: Apache-2.0

// Package portmap keeps one UDP port of this machine open at the user's own router: it asks with PCP (RFC 6887), then
// NAT-PMP (RFC 6886), then UPnP IGD. For IPv4 the router maps the port, for IPv6 it opens a pinhole in its firewall.
//
// The package asks the default gateway alone. One question, for UPnP routers, goes to the local network by multicast, too,
// but only the gateway's answer counts. It opens no port but the one it is told, and only while this
// process has it bound. It does not know who uses the port, and it is no general client of these protocols.
package portmap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Verdict says what the router did about IPv4.
type Verdict int

// The verdicts. IPv6 pinholes are in State.External and do not change the verdict.
const (
	Asking  Verdict = iota // nothing is known yet
	None                   // no router answered
	Refused                // a router answered and opens no port
	Shared                 // the router's own address is private or shared, so a port there is of no use
	Open                   // the router opened the port
)

func (v Verdict) String() string {
	switch v {
	case None:
		return "none found"
	case Refused:
		return "refused"
	case Shared:
		return "shared address"
	case Open:
		return "open"
	default:
		return "asking"
	}
}

// The names of the protocols in State.Protocol.
const (
	PCP    = "PCP"
	NATPMP = "NAT-PMP"
	UPnP   = "UPnP"
)

// State is what a Mapper has reached.
type State struct {
	// External has the addresses that others can send to: the mapped IPv4 address, whose port may differ from ours, and
	// our own IPv6 addresses that have a pinhole.
	External []netip.AddrPort
	Protocol string     // that opened the port for IPv4, or else for IPv6; empty: none did
	Gateway  netip.Addr // the default gateway that was asked, for IPv4 if there is one; invalid: there is none
	Verdict  Verdict    // about IPv4
	Err      error      // why IPv4 is not open, nil if it is
	Err6     error      // why an IPv6 address has no pinhole, nil if all have or if we have none
}

// Options say which port to open.
type Options struct {
	// Port is the UDP port, at the router's side the same if possible. It is opened only while this process has it bound.
	Port uint16
	Log  *slog.Logger // nil discards
}

// Mapper keeps a port open while Run runs.
type Mapper struct {
	port    uint16
	log     *slog.Logger
	nonce   pcpNonce // one for all time: a router takes a deletion only with the nonce of the mapping
	changed chan struct{}

	// What tests replace.
	network func() network       // reads the present network
	bound   func(port int) error // nil if this process has the port bound
	asking  timing
	finder  *finder

	mu    sync.Mutex
	four  result                // of IPv4
	six   map[netip.Addr]result // of each IPv6 address
	state State
}

// result is what one side of a Mapper has reached: IPv4, or one IPv6 address.
type result struct {
	external netip.AddrPort // invalid: not open
	protocol string
	gateway  netip.Addr
	verdict  Verdict
	err      error
}

// New makes a Mapper. It sends nothing before Run.
func New(o Options) *Mapper {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return newMapper(o, readNetwork, bound, standardTiming)
}

func newMapper(o Options, network func() network, bound func(port int) error, asking timing) *Mapper {
	m := &Mapper{
		port: o.Port, log: o.Log, changed: make(chan struct{}, 1), six: make(map[netip.Addr]result),
		network: network, bound: bound, asking: asking, finder: newFinder(network, asking.search, o.Log),
	}
	_, _ = rand.Read(m.nonce[:]) // never fails
	return m
}

// Changed receives a value after State has changed.
func (m *Mapper) Changed() <-chan struct{} { return m.changed }

// State returns what has been reached so far.
func (m *Mapper) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.state
	s.External = slices.Clone(s.External)
	return s
}

// Run keeps the port open until ctx ends. Then it takes back what it opened, which takes a second at most.
func (m *Mapper) Run(ctx context.Context) {
	events := watchNetwork(ctx, m.log)
	running := make(map[subject]*worker)
	old := make(map[subject]*worker) // that are still taking back what they opened
	var all sync.WaitGroup
	defer all.Wait()
	for {
		n := m.network()
		wanted := n.subjects()
		for s, w := range running {
			if !slices.Contains(wanted, s) {
				w.stop()
				m.forget(s)
				delete(running, s)
				old[s] = w
			}
		}
		for _, s := range wanted {
			if running[s] != nil {
				continue
			}
			w := newWorker(ctx, m, s, old[s])
			delete(old, s)
			running[s] = w
			all.Add(1)
			go func() {
				defer all.Done()
				w.run()
			}()
		}
		for s, w := range old {
			if w.ended() {
				delete(old, s)
			}
		}
		if !n.gateway4.IsValid() {
			m.tell(ctx, subject{}, result{verdict: None, err: errors.New("this machine has no default gateway for IPv4")})
		}
		if !m.waitForChange(ctx, events) {
			return
		}
	}
}

// waitForChange returns when the network must be read again: after an event, but not too often. It reports false when ctx
// has ended.
func (m *Mapper) waitForChange(ctx context.Context, events <-chan struct{}) bool {
	pause := time.NewTimer(m.asking.settle)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
	}
	pause.Reset(m.asking.reread - m.asking.settle)
	select {
	case <-ctx.Done():
		return false
	case <-events:
	case <-pause.C:
	}
	return true
}

// tell sets the result of a subject, unless the context of its worker has ended: another may be at work.
func (m *Mapper) tell(ctx context.Context, s subject, r result) {
	r.gateway = s.gateway
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if s.own.Is6() {
		m.six[s.own] = r
	} else {
		m.four = r
	}
	m.update()
}

// forget takes away the result of a subject that is no more.
func (m *Mapper) forget(s subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.own.Is6() {
		delete(m.six, s.own)
	} else {
		m.four = result{}
	}
	m.update()
}

// update makes the state of the results. The lock is held.
func (m *Mapper) update() {
	s := State{Protocol: m.four.protocol, Gateway: m.four.gateway, Verdict: m.four.verdict, Err: m.four.err}
	if m.four.external.IsValid() {
		s.External = append(s.External, m.four.external)
	}
	own := make([]netip.Addr, 0, len(m.six))
	for addr := range m.six {
		own = append(own, addr)
	}
	slices.SortFunc(own, netip.Addr.Compare)
	for _, addr := range own {
		r := m.six[addr]
		switch {
		case r.external.IsValid():
			s.External = append(s.External, r.external)
			if s.Protocol == "" {
				s.Protocol = r.protocol
			}
		case s.Err6 == nil && r.err != nil:
			s.Err6 = fmt.Errorf("%v: %w", addr, r.err)
		}
		if !s.Gateway.IsValid() {
			s.Gateway = r.gateway
		}
	}
	if same(s, m.state) {
		return
	}
	m.state = s
	m.log.Debug("router: state", "verdict", s.Verdict, "protocol", s.Protocol, "gateway", s.Gateway, "external", s.External, "err", s.Err, "err6", s.Err6)
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

func same(a, b State) bool {
	return slices.Equal(a.External, b.External) && a.Protocol == b.Protocol && a.Gateway == b.Gateway && a.Verdict == b.Verdict &&
		fmt.Sprint(a.Err) == fmt.Sprint(b.Err) && fmt.Sprint(a.Err6) == fmt.Sprint(b.Err6)
}
