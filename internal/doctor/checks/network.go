// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/media/link"
)

// bindPorts binds the eight ports for a moment, and sends nothing.
func bindPorts(listen string, base int) error {
	peer := "127.0.0.1"
	if addr, err := netip.ParseAddr(listen); err == nil && addr.Is6() {
		peer = "::1"
	}
	return bind(link.NewPlain(link.PlainOptions{Peer: peer, Listen: listen, BasePort: base, Send: true, Receive: true}))
}

// bind frees the ports of a link again.
func bind[L link.Link](l L, err error) error {
	if err != nil {
		return err
	}
	return l.Close()
}

// portCount is 1 for the secure link and 8 for the plain one.
func (m *Machine) portCount() int {
	if m.Secure != nil {
		return 1
	}
	return 8
}

// ports is net.ports.
func (m *Machine) ports(ctx context.Context) doctor.Result {
	if d, err := m.Daemon(ctx); err == nil && d.Running {
		return doctor.Fine("the running costream-obs uses them") // Binding could disturb it.
	}
	err := m.Bind(ctx)
	switch {
	case err == nil && m.portCount() == 1:
		return doctor.Fine("UDP %d", m.BasePort)
	case err == nil:
		return doctor.Fine("UDP %d to %d", m.BasePort, m.BasePort+m.portCount()-1)
	}
	const why = "Pictures and sound use these ports, which must be the same at both ends."
	var taken *link.PortError
	if !errors.As(err, &taken) {
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("costream-obs cannot listen: %v.", err), Why: why,
			Next: "Check --listen and --base-port."}
	}
	r := doctor.Result{Status: doctor.Fail, Why: why}
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		r.Detail = fmt.Sprintf("This machine does not have the address %v, which --listen names.", taken.Address)
		r.Next = "See which it has: `ip -brief address`; or leave out --listen."
	case !errors.Is(err, syscall.EADDRINUSE):
		r.Detail = fmt.Sprintf("costream-obs is not allowed to listen on UDP port %d: %v.", taken.Port, taken.Err)
		r.Next = "Choose ports above 1023 with --base-port, the same at both ends."
	case taken.PID != 0:
		r.Detail = fmt.Sprintf("UDP port %d is taken by %s (process %d).", taken.Port, taken.Process, taken.PID)
		r.Next = fmt.Sprintf("Stop it with `kill %d`, or choose other ports with --base-port, the same at both ends.", taken.PID)
	default:
		r.Detail = fmt.Sprintf("UDP port %d is taken by a program of another user.", taken.Port)
		r.Next = fmt.Sprintf("See which one: `sudo ss -lunp 'sport = :%d'`; stop it, or choose other ports with --base-port, the same at both ends.", taken.Port)
	}
	return r
}

// resolveHost returns the addresses of a name, or the address itself.
func resolveHost(ctx context.Context, host string) ([]string, error) {
	return net.DefaultResolver.LookupHost(ctx, strings.Trim(host, "[]"))
}

// routeTo asks the kernel for a route. Connecting a UDP socket sends nothing.
func (m *Machine) routeTo(ctx context.Context, addr string) (string, error) {
	var dialer net.Dialer
	if m.Listen != "" {
		dialer.LocalAddr = &net.UDPAddr{IP: net.ParseIP(strings.Trim(m.Listen, "[]"))}
	}
	conn, err := dialer.DialContext(ctx, "udp", net.JoinHostPort(addr, strconv.Itoa(m.BasePort)))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	local, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return local, err
}

// peerAddress is net.addr.
func (m *Machine) peerAddress(ctx context.Context) doctor.Result {
	r := m.configuredAddress(ctx)
	if m.Auto && r.Status == doctor.Fail {
		r.Status, r.Why = doctor.Warn, "The two machines look for each other elsewhere, too, but this address is of no use."
	}
	return r
}

// configuredAddress looks at the addresses that the settings and the pair name.
func (m *Machine) configuredAddress(ctx context.Context) doctor.Result {
	hosts := m.PairHosts
	if m.Peer != "" {
		hosts = []string{m.Peer}
	}
	switch {
	case len(hosts) == 0 && m.Auto:
		return doctor.Fine("the two machines find each other, so no address is needed")
	case len(hosts) == 0 && m.Secure != nil:
		return doctor.Fine("your friend's machine connects to this one, so no address is needed")
	case len(hosts) == 0:
		return doctor.Skipped("no peer is configured yet; pair with your friend (costream-obs pair --help), or give an address with --peer")
	}
	const why = "Your pictures and sound would not get to the peer."
	var addrs []string
	var err error
	for _, host := range hosts { // one that can be reached is enough
		var found []string
		if found, err = m.Resolve(ctx, host); err == nil {
			addrs = append(addrs, found...)
		}
	}
	if len(addrs) == 0 {
		name := hosts[0]
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The name %q has no address.", name), Why: why,
				Next: "Ask the peer for the right name or for their address (`ip -brief address` on a network of your own; else their router or VPN shows it)."}
		}
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The name %q cannot be looked up: %v.", name, err), Why: why,
			Next: fmt.Sprintf("Is this machine online? Try `getent hosts %s`, or give the peer's address instead of the name.", name)}
	}
	ours := false
	for _, addr := range addrs {
		local, routeErr := m.RouteTo(ctx, addr)
		if routeErr != nil {
			err = routeErr
			continue
		}
		if local == addr && m.Auto && m.Peer == "" {
			ours = true
			continue // Most homes use the same private addresses, and the invite names one.
		}
		if local == addr {
			return doctor.Result{Status: doctor.Warn, Detail: fmt.Sprintf("The peer's address %s is this machine's own.", addr),
				Why: "You would send to yourself.", Next: "Give the address of the other machine with --peer. (For a trial on one machine, give each costream-obs its own --listen address.)"}
		}
		return doctor.Fine("%s, from %s", addr, local)
	}
	if ours {
		return doctor.Fine("the two machines find each other; %s, which the pair names, is this machine's own address, too", strings.Join(addrs, ", "))
	}
	next := "See which networks there are: `ip -brief address`; connect to the network or VPN that leads to the peer."
	if m.Listen != "" {
		next = "Leave out --listen, or give an address of the network that leads to the peer; IPv4 and IPv6 do not mix."
	}
	return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("There is no route to %s: %v.", strings.Join(addrs, ", "), err), Why: why, Next: next}
}

// smallestBuffer is the usual receive buffer of a socket, in bytes. A key frame comes as one burst of about 100 KB.
const smallestBuffer = 212992

// receiveBuffer is net.rmem.
func (m *Machine) receiveBuffer(context.Context) doctor.Result {
	const wanted = 4 << 20
	next := fmt.Sprintf("Allow more, now and after a restart: `echo net.core.rmem_max=%d | sudo tee /etc/sysctl.d/90-costream.conf && sudo sysctl --system`, then restart costream-obs.", wanted)
	const why = "When costream-obs is busy for a moment, packets that do not fit into the kernel's receive buffer are lost, and the peer's picture breaks up."
	drops := 0
	for port := m.BasePort; port < m.BasePort+m.portCount(); port++ {
		drops += m.dropped(port)
	}
	text, err := os.ReadFile(m.path("proc/sys/net/core/rmem_max"))
	if err != nil {
		return doctor.Skipped("the kernel does not say")
	}
	allowed, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return doctor.Skipped("the kernel says %q", text)
	case allowed < smallestBuffer:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The kernel limits the receive buffer of a program to %d KB.", allowed>>10), Why: why, Next: next}
	case drops > 0 && allowed < wanted:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The kernel has dropped %d packets from the peer because the receive buffer (%d KB) was full.", drops, allowed>>10), Why: why, Next: next}
	case drops > 0:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The kernel has dropped %d packets from the peer although the receive buffer is large enough.", drops), Why: why,
			Next: "This machine has too little CPU time: close programs that use much of it (see `top`), or lower OBS's frame rate."}
	}
	return doctor.Fine("%d KB, nothing dropped", allowed>>10)
}

// dropped is how many packets for a UDP port the kernel dropped because its buffer was full, from the last column of its
// tables.
func (m *Machine) dropped(port int) int {
	total := 0
	suffix := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"udp", "udp6"} {
		f, err := os.Open(m.path("proc/net", table))
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Fields(lines.Text())
			if len(fields) > 12 && strings.HasSuffix(fields[1], suffix) {
				n, _ := strconv.Atoi(fields[12])
				total += n
			}
		}
		_ = f.Close()
	}
	return total
}
