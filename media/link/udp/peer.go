// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Peer is where the other side can be reached: the addresses behind its name, which may change.
type Peer struct {
	name string
	find Lookup
	fits func(netip.Addr) bool // whether our sockets can send there
	log  *slog.Logger

	mu    sync.Mutex
	addrs []netip.Addr // that fit; never empty
	seen  netip.Addr   // the one of addrs that packets come from; invalid when none do
}

// NewPeer returns the peer of a name. It has no address until Use was called.
func NewPeer(name string, find Lookup, log *slog.Logger) *Peer {
	return &Peer{name: name, find: find, log: log}
}

// Use takes the result of a first look-up, and which addresses our sockets can send to. It fails when they can send to none
// of those.
func (p *Peer) Use(fits func(netip.Addr) bool, addrs []netip.Addr) error {
	p.fits = fits
	return p.update(addrs)
}

// Reaches returns whether a socket that is bound to an address can send to another one. The zero Addr stands for all
// addresses of this machine.
func Reaches(local netip.Addr) func(netip.Addr) bool {
	return func(a netip.Addr) bool { return !local.IsValid() || a.Is4() == local.Is4() }
}

// update takes the result of a look-up. It fails when our sockets can send to none of the addresses.
func (p *Peer) update(addrs []netip.Addr) error {
	fitting := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !p.fits(a) })
	if len(fitting) == 0 {
		return &NameError{"peer", p.name, fmt.Errorf(
			"%v cannot be reached from the listen address: it is of the other kind, IPv4 or IPv6; listen on all addresses or on one of that kind", addrs[0])}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.addrs
	p.addrs = fitting
	if !slices.Contains(fitting, p.seen) {
		p.seen = netip.Addr{}
	}
	if before != nil && before[0] != fitting[0] {
		p.log.Info("peer has a new address", "peer", p.name, "address", fitting[0])
	}
	return nil
}

// Addr is where to send: an address that works rather than the one that stands first.
func (p *Peer) Addr() netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen.IsValid() {
		return p.seen
	}
	return p.addrs[0]
}

// Heard notes that packets come from an address, which therefore works.
func (p *Peer) Heard(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.addrs, a) {
		p.seen = a
	}
}

// Trusted tells whether an address is one of the peer's.
func (p *Peer) Trusted(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.addrs, func(b netip.Addr) bool { return b.WithZone("") == a.WithZone("") })
}

// Run looks the name up again and again until ctx ends.
func (p *Peer) Run(ctx context.Context) {
	if _, ok := Literal(p.name); ok {
		return
	}
	ticker := time.NewTicker(ResolveInterval)
	defer ticker.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := p.refresh(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn("keeping the peer's address", "address", p.Addr(), "err", err)
		}
		failing = err != nil
	}
}

// refresh looks the name up once.
func (p *Peer) refresh(ctx context.Context) error {
	addrs, err := Resolve(ctx, p.find, "peer", p.name)
	if err != nil {
		return err
	}
	return p.update(addrs)
}
