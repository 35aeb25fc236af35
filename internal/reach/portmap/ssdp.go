// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SSDP is how UPnP devices are found: an HTTP header without a body in a datagram, both ways.

const ssdpPort = 1900

var ssdpGroup = netip.AddrFrom4([4]byte{239, 255, 255, 250})

// ssdpTargets are the kinds of devices asked for: routers. One of version 2 should answer to both, and not all do.
var ssdpTargets = []string{
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
}

func ssdpQuestion(host, target string) []byte {
	return fmt.Appendf(nil, "M-SEARCH * HTTP/1.1\r\nHOST: %s\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: %s\r\n\r\n", host, target)
}

// parseSSDP returns where the device that sent an answer describes itself. Its host is an address.
func parseSSDP(b []byte) (*url.URL, error) {
	if len(b) > 2048 {
		return nil, errors.New("a long SSDP answer")
	}
	lines := bytes.Split(b, []byte("\n"))
	if status := strings.Fields(string(lines[0])); len(status) < 2 || !strings.HasPrefix(status[0], "HTTP/1.") || status[1] != "200" {
		return nil, errors.New("no SSDP answer")
	}
	var location, target string
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(string(line), ":")
		switch value = strings.TrimSpace(value); strings.ToUpper(strings.TrimSpace(name)) {
		case "LOCATION":
			location = value
		case "ST":
			target = value
		}
	}
	if !slices.Contains(ssdpTargets, target) {
		return nil, errors.New("an SSDP answer of something else")
	}
	u, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("SSDP answer: %w", err)
	}
	if _, err := httpHost(u); err != nil {
		return nil, fmt.Errorf("SSDP answer: %w", err)
	}
	return u, nil
}

// httpHost returns the address in a URL. It refuses names, since nobody in the local network may send us elsewhere.
func httpHost(u *url.URL) (netip.AddrPort, error) {
	if u.Scheme != "http" || u.User != nil {
		return netip.AddrPort{}, errors.New("a URL that is not plain HTTP")
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	a, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil || a.Port() == 0 {
		return netip.AddrPort{}, errors.New("a URL without an address")
	}
	return a, nil
}

// searcher asks for a UPnP router.
type searcher struct {
	conn    *net.UDPConn
	gateway netip.Addr // whose answers count
}

func newSearcher(n network) (*searcher, error) {
	if !n.gateway4.IsValid() {
		return nil, errors.New("no default gateway for IPv4")
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(n.own4, 0)))
	if err != nil {
		return nil, fmt.Errorf("search for UPnP routers: %w", err)
	}
	if raw, err := conn.SyscallConn(); err == nil {
		// Without them the question goes out where the default route does, which is the right interface mostly.
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(n.index4)})
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 2)
		})
	}
	return &searcher{conn, n.gateway4}, nil
}

// ask asks the gateway itself, whose answer passes a firewall of ours, and the local network, since some routers answer
// nothing else. What is lost is asked again.
func (s *searcher) ask() {
	for _, to := range []netip.Addr{s.gateway, ssdpGroup} {
		host := netip.AddrPortFrom(to, ssdpPort)
		for _, target := range ssdpTargets {
			_, _ = s.conn.WriteToUDPAddrPort(ssdpQuestion(host.String(), target), host)
		}
	}
}

// answers calls found for each answer of a router until found returns true or the time is over.
func (s *searcher) answers(ctx context.Context, limit time.Duration, found func(location *url.URL) bool) {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	const rounds = 3
	end := time.Now().Add(limit)
	buf := make([]byte, 4096)
	for round := range rounds {
		s.ask()
		until := end
		if round < rounds-1 {
			until = time.Now().Add(limit / rounds / 2)
		}
		if s.conn.SetReadDeadline(until) != nil {
			return
		}
		for time.Now().Before(until) {
			n, from, err := s.conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				break // an error of an earlier question, or the time is over
			}
			if from.Addr().Unmap() != s.gateway {
				continue
			}
			location, err := parseSSDP(buf[:n])
			if err != nil {
				continue
			}
			if host, _ := httpHost(location); host.Addr() != s.gateway {
				continue
			}
			if found(location) {
				return
			}
		}
	}
}

func (s *searcher) close() { _ = s.conn.Close() }
