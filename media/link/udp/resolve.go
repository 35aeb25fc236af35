// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// resolveTimeout bounds one look-up of a name.
	resolveTimeout = 5 * time.Second

	// resolveInterval is the time between two look-ups of the peer's name, which may be a dynamic one.
	resolveInterval = 10 * time.Second
)

// NameError tells that a peer or listen address could not be used.
type NameError struct {
	Role string // "peer" or "listen"
	Name string
	Err  error
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s address %q: %v", e.Role, e.Name, e.Err)
}

func (e *NameError) Unwrap() error { return e.Err }

// lookup finds the addresses of a host, best first.
type lookup func(ctx context.Context, host string) ([]netip.Addr, error)

func systemLookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// resolve returns the addresses of a name, or the address that it is. It never returns none without an error.
func resolve(ctx context.Context, find lookup, role, name string) ([]netip.Addr, error) {
	if addr, ok := literal(name); ok {
		return []netip.Addr{addr}, nil
	}
	if _, port, err := net.SplitHostPort(name); err == nil {
		return nil, &NameError{role, name, fmt.Errorf("leave out the port %q: the ports follow from the base port", port)}
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addrs, err := find(ctx, name)
	if err != nil {
		return nil, &NameError{role, name, err}
	}
	if len(addrs) == 0 {
		return nil, &NameError{role, name, fmt.Errorf("the name has no address")}
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

// literal parses an address that is no name; IPv6 may stand in brackets.
func literal(name string) (netip.Addr, bool) {
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = name[1 : len(name)-1]
	}
	addr, err := netip.ParseAddr(name)
	return addr.Unmap(), err == nil
}

// peer is where the other side is to be found.
type peer struct {
	name string
	find lookup
	fits func(netip.Addr) bool // whether our sockets can send there
	log  *slog.Logger

	mu    sync.Mutex
	addrs []netip.Addr // that fit; never empty
	seen  netip.Addr   // the one of addrs that packets come from; invalid when none do
}

// update takes the result of a look-up. It fails when our sockets can send to none of the addresses.
func (p *peer) update(addrs []netip.Addr) error {
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

// addr is where to send: an address that works rather than the one that stands first.
func (p *peer) addr() netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen.IsValid() {
		return p.seen
	}
	return p.addrs[0]
}

// heard notes that packets come from an address, which therefore works.
func (p *peer) heard(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.addrs, a) {
		p.seen = a
	}
}

// trusted tells whether an address is one of the peer's.
func (p *peer) trusted(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.addrs, func(b netip.Addr) bool { return b.WithZone("") == a.WithZone("") })
}

// run looks the name up again and again until ctx ends.
func (p *peer) run(ctx context.Context) {
	if _, ok := literal(p.name); ok {
		return
	}
	ticker := time.NewTicker(resolveInterval)
	defer ticker.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := p.refresh(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			p.log.Warn("keeping the peer's address", "address", p.addr(), "err", err)
		}
		failing = err != nil
	}
}

// refresh looks the name up once.
func (p *peer) refresh(ctx context.Context) error {
	addrs, err := resolve(ctx, p.find, "peer", p.name)
	if err != nil {
		return err
	}
	return p.update(addrs)
}
