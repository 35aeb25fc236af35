// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	// resolveTimeout bounds one look-up of a name.
	resolveTimeout = 5 * time.Second

	// ResolveInterval is the time between two look-ups of the peer's name, which may be a dynamic one.
	ResolveInterval = 10 * time.Second
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

// Lookup finds the addresses of a host, best first.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// SystemLookup asks the resolver of the system.
func SystemLookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// Resolve returns the addresses of a name, or the address that it is. It never returns none without an error.
func Resolve(ctx context.Context, find Lookup, role, name string) ([]netip.Addr, error) {
	if addr, ok := Literal(name); ok {
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

// Literal parses an address that is no name; IPv6 may stand in brackets.
func Literal(name string) (netip.Addr, bool) {
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = name[1 : len(name)-1]
	}
	addr, err := netip.ParseAddr(name)
	return addr.Unmap(), err == nil
}
