// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// network is where this machine stands: its default gateways, and its addresses towards them.
type network struct {
	gateway4 netip.Addr // invalid: none
	own4     netip.Addr
	index4   int // number of the interface

	gateway6 netip.Addr // with its zone; invalid: none
	own6     []netip.Addr
}

// subject is one address of ours, and the gateway to ask about it.
type subject struct{ own, gateway netip.Addr }

// maxIPv6 bounds the IPv6 addresses that get a pinhole: a machine has a stable one and a few temporary ones.
const maxIPv6 = 8

func (n network) subjects() []subject {
	var s []subject
	if n.gateway4.IsValid() {
		s = append(s, subject{n.own4, n.gateway4})
	}
	for _, own := range n.own6 {
		s = append(s, subject{own, n.gateway6})
	}
	return s
}

// readNetwork asks the kernel. What it cannot tell is left out.
func readNetwork() network {
	var n network
	routes, _ := os.ReadFile("/proc/net/route")
	if name, gateway := defaultRoute4(routes); gateway.IsValid() {
		if iface, err := net.InterfaceByName(name); err == nil {
			if own := addrTowards(iface, gateway); own.IsValid() {
				n.gateway4, n.own4, n.index4 = gateway, own, iface.Index
			}
		}
	}
	routes, _ = os.ReadFile("/proc/net/ipv6_route")
	if name, gateway := defaultRoute6(routes); gateway.IsValid() {
		addrs, _ := os.ReadFile("/proc/net/if_inet6")
		if n.own6 = globalAddrs(addrs, name); len(n.own6) > 0 {
			n.gateway6 = gateway
		}
	}
	return n
}

// addrTowards returns our address at an interface: one in the gateway's network, or else the first.
func addrTowards(iface *net.Interface, gateway netip.Addr) netip.Addr {
	addrs, err := iface.Addrs()
	if err != nil {
		return netip.Addr{}
	}
	var first netip.Addr
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() {
			continue
		}
		if p.Contains(gateway) {
			return p.Addr()
		}
		if !first.IsValid() {
			first = p.Addr()
		}
	}
	return first
}

// Flags of routes and addresses (linux/route.h, linux/if_addr.h).
const (
	routeUp      = 0x1
	routeGateway = 0x2

	addrDADFailed  = 0x08
	addrDeprecated = 0x20
	addrTentative  = 0x40
)

// defaultRoute4 finds the best default route with a gateway in /proc/net/route.
func defaultRoute4(table []byte) (iface string, gateway netip.Addr) {
	best := int64(-1)
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text()) // Iface Destination Gateway Flags RefCnt Use Metric Mask
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err != nil || flags&routeUp == 0 || flags&routeGateway == 0 {
			continue
		}
		metric, err := strconv.ParseInt(f[6], 10, 64)
		address, err2 := strconv.ParseUint(f[2], 16, 32)
		if err != nil || err2 != nil || address == 0 || best >= 0 && metric >= best {
			continue
		}
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], uint32(address))
		best, iface, gateway = metric, f[0], netip.AddrFrom4(b)
	}
	return iface, gateway
}

// defaultRoute6 finds the best default route with a gateway in /proc/net/ipv6_route. The gateway has a zone if it needs one.
func defaultRoute6(table []byte) (iface string, gateway netip.Addr) {
	best := uint64(1) << 40
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		f := strings.Fields(lines.Text()) // destination, length, source, length, gateway, metric, references, use, flags, interface
		if len(f) < 10 || f[1] != "00" || f[3] != "00" || strings.Trim(f[0], "0") != "" {
			continue
		}
		metric, err := strconv.ParseUint(f[5], 16, 32)
		flags, err2 := strconv.ParseUint(f[8], 16, 32)
		addr, ok := hexAddr(f[4])
		if err != nil || err2 != nil || !ok || flags&routeUp == 0 || flags&routeGateway == 0 || metric >= best {
			continue
		}
		if addr.IsLinkLocalUnicast() {
			addr = addr.WithZone(f[9])
		}
		best, iface, gateway = metric, f[9], addr
	}
	return iface, gateway
}

// globalAddrs finds the addresses of an interface in /proc/net/if_inet6 at which others on the internet could reach it.
func globalAddrs(table []byte, iface string) []netip.Addr {
	var own []netip.Addr
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan() && len(own) < maxIPv6; {
		f := strings.Fields(lines.Text()) // address, interface number, prefix length, scope, flags, interface
		if len(f) < 6 || f[5] != iface {
			continue
		}
		flags, err := strconv.ParseUint(f[4], 16, 32)
		addr, ok := hexAddr(f[0])
		if err != nil || !ok || flags&(addrDADFailed|addrDeprecated|addrTentative) != 0 || !public(addr) {
			continue
		}
		own = append(own, addr)
	}
	slices.SortFunc(own, netip.Addr.Compare)
	return own
}

func hexAddr(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16([16]byte(b)), true
}

// notPublic has the networks whose addresses providers and routers give to those behind them, and that
// netip.Addr.IsPrivate does not know.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by a provider's customers (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),  // DS-Lite (RFC 6333)
	netip.MustParsePrefix("240.0.0.0/4"),
}

// public reports whether others on the internet could reach an address, if no firewall were there.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}

// watchNetwork gives an event when routes, addresses or links have changed, until ctx ends. Without the kernel's help it
// gives none.
func watchNetwork(ctx context.Context, log *slog.Logger) <-chan struct{} {
	events := make(chan struct{}, 1)
	f, err := openRouteEvents()
	if err != nil {
		log.Debug("router: the kernel tells no changes of the network", "err", err)
		return events
	}
	stop := context.AfterFunc(ctx, func() { _ = f.Close() })
	go func() {
		defer func() {
			if stop() {
				_ = f.Close()
			}
		}()
		buf := make([]byte, 4096) // what happened is read anew elsewhere; a cut message does not matter
		for {
			// ENOBUFS says that events were lost, which is an event, too.
			if _, err := f.Read(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
			select {
			case events <- struct{}{}:
			default:
			}
		}
	}()
	return events
}

func openRouteEvents() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("bind a netlink socket: %w", err)
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// bound returns nil if this process has a socket at the UDP port.
func bound(port int) error {
	inodes := make(map[string]bool)
	for _, table := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		text, _ := os.ReadFile(table)
		for _, inode := range portInodes(text, port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	const dir = "/proc/self/fd"
	fds, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("UDP port %d: see whether it is ours: %w", port, err)
	}
	for _, fd := range fds {
		if target, _ := os.Readlink(filepath.Join(dir, fd.Name())); inodes[target] {
			return nil
		}
	}
	return fmt.Errorf("UDP port %d is not bound, so the router is not asked to open it", port)
}

// portInodes finds the sockets of a UDP port in a table of /proc/net.
func portInodes(table []byte, port int) []string {
	suffix := fmt.Sprintf(":%04X", port)
	var inodes []string
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 9 && strings.HasSuffix(f[1], suffix) {
			inodes = append(inodes, f[9])
		}
	}
	return inodes
}
