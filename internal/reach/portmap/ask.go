// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// lifetime is what the router is asked for. A renewal comes at half of what it gives.
const lifetime = 2 * time.Hour

// opener opens the port with one protocol, and keeps it open.
type opener interface {
	protocol() string
	// prepare finds out whether the router speaks the protocol and changes nothing there.
	prepare(context.Context) error
	// open opens the port, or renews it.
	open(context.Context) (grant, error)
	// check returns an error unless the router still has the port open.
	check(context.Context) error
	// close takes back what open did or may have done.
	close(context.Context) error
}

// grant is what the router gave.
type grant struct {
	external netip.AddrPort
	lifetime time.Duration // 0: without end
}

// errSilent says that nobody answered.
var errSilent = errors.New("no answer")

// errLost says that the router answered, and that it has lost the port.
var errLost = errors.New("the router has lost the port")

// refusal is an answer of a router that does not open the port.
type refusal struct{ protocol, reason string }

func (r *refusal) Error() string { return r.protocol + ": the router refused: " + r.reason }

// refusalOf makes a refusal of a protocol's result, whose name is in a table of the protocol.
func refusalOf(protocol string, names []string, result int) error {
	name := "unknown result"
	if result < len(names) && names[result] != "" {
		name = names[result]
	}
	return &refusal{protocol, fmt.Sprintf("%d (%s)", result, name)}
}

// sharedError says that the router's own address is of no use to others. Some routers do not tell such an address: then it
// is invalid.
type sharedError struct{ address netip.Addr }

func (s *sharedError) Error() string {
	if !s.address.IsValid() {
		return "the router tells no public address of its own"
	}
	return fmt.Sprintf("the router's own address, %v, is not a public one", s.address)
}

// checkExternal refuses what others cannot reach.
func checkExternal(a netip.Addr) error {
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return &sharedError{}
	case !public(a):
		return &sharedError{a}
	}
	return nil
}

// ask sends a question over UDP and waits for an answer that accept takes, as long as waits say, and sends again in between.
// Datagrams of others than the asked do not reach accept: the kernel holds them back.
func ask(ctx context.Context, own netip.Addr, to netip.AddrPort, question []byte, waits []time.Duration, accept func([]byte) bool) error {
	dialer := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(own, 0))}
	conn, err := dialer.DialContext(ctx, "udp", to.String())
	if err != nil {
		return fmt.Errorf("ask %v: %w", to, err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	answer := make([]byte, 2048)
	for _, wait := range waits {
		if _, err := conn.Write(question); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			return fmt.Errorf("ask %v: %w", to, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return fmt.Errorf("ask %v: %w", to, err)
		}
		for {
			n, err := conn.Read(answer)
			if ctx.Err() != nil {
				return fmt.Errorf("ask %v: %w", to, ctx.Err())
			}
			if errors.Is(err, syscall.ECONNREFUSED) {
				return fmt.Errorf("ask %v: %w: nothing listens there", to, errSilent)
			}
			if err != nil {
				break // the time is over
			}
			if accept(answer[:n]) {
				return nil
			}
		}
	}
	return fmt.Errorf("ask %v: %w", to, errSilent)
}

// epoch follows the clock of a router, which starts anew when the router has lost its mappings.
type epoch struct {
	known bool
	value uint32
	at    time.Time
}

// lost takes in a value of the router's clock. It reports whether the router has started anew since the one before, as
// RFC 6887, section 8.5 has it.
func (e *epoch) lost(value uint32, now time.Time) bool {
	before := *e
	*e = epoch{true, value, now}
	if !before.known {
		return false
	}
	if int64(value)+1 < int64(before.value) {
		return true
	}
	ours, theirs := int64(now.Sub(before.at)/time.Second), int64(value)-int64(before.value)
	return ours+2 < theirs-theirs/16 || theirs+2 < ours-ours/16
}
