// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// capture notes what a computer sends.
type capture struct {
	hardware [6]byte // of the computer

	mu    sync.Mutex
	since time.Time
	sent  map[destination]traffic
}

// destination is where a packet goes.
type destination struct {
	protocol byte
	to       netip.AddrPort // without a port where the protocol has none
}

func (d destination) String() string {
	name, ok := map[byte]string{unix.IPPROTO_UDP: "udp", unix.IPPROTO_TCP: "tcp", unix.IPPROTO_ICMP: "icmp", unix.IPPROTO_ICMPV6: "icmpv6", unix.IPPROTO_IGMP: "igmp"}[d.protocol]
	if !ok {
		name = fmt.Sprint(d.protocol)
	}
	return name + " " + d.to.String()
}

type traffic struct{ packets, bytes int }

// newCapture begins to note what the computer sends, from IP upwards.
func newCapture(t testing.TB, p *pc) *capture {
	t.Helper()
	c := &capture{since: time.Now(), sent: make(map[destination]traffic)}
	var socket *os.File
	p.within(func() error {
		link, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		c.hardware = [6]byte(link.HardwareAddr)
		socket, err = packetSocket("eth0", false)
		return err
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<17)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			c.note(buffer[:n])
		}
	}()
	t.Cleanup(func() {
		_ = socket.Close()
		<-done
	})
	return c
}

// note takes a packet of Ethernet.
func (c *capture) note(b []byte) {
	if len(b) < 14 || [6]byte(b[6:]) != c.hardware {
		return
	}
	kind, b := binary.BigEndian.Uint16(b[12:]), b[14:]
	var d destination
	header := 0
	switch {
	case kind == unix.ETH_P_IP && len(b) >= 20:
		header = int(b[0]&15) * 4
		d.protocol, d.to = b[9], netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:])), 0)
	case kind == unix.ETH_P_IPV6 && len(b) >= 40:
		header = 40
		d.protocol, d.to = b[6], netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:])), 0)
		if d.protocol == unix.IPPROTO_HOPOPTS && len(b) >= 48 { // in front of the kernel's multicast reports
			d.protocol = b[40]
		}
	default:
		return
	}
	if (d.protocol == unix.IPPROTO_UDP || d.protocol == unix.IPPROTO_TCP) && len(b) >= header+4 {
		d.to = netip.AddrPortFrom(d.to.Addr(), binary.BigEndian.Uint16(b[header+2:]))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.sent[d]
	c.sent[d] = traffic{was.packets + 1, was.bytes + len(b)}
}

// begin forgets what has been sent so far.
func (c *capture) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
	clear(c.sent)
}

// others returns what has been sent to anybody but the given addresses, apart from what a kernel says about its own
// addresses and its neighbours' (ICMPv6, IGMP).
func (c *capture) others(but ...netip.AddrPort) map[destination]traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := maps.Clone(c.sent)
	maps.DeleteFunc(rest, func(d destination, _ traffic) bool {
		return slices.Contains(but, d.to) || d.protocol == unix.IPPROTO_ICMPV6 || d.protocol == unix.IPPROTO_IGMP
	})
	return rest
}

// rate is how many bytes a second have been sent to those who count, or to anybody, from IP upwards.
func (c *capture) rate(counts func(netip.Addr) bool) float64 {
	bytes := 0
	for d, t := range c.others() {
		if counts == nil || counts(d.to.Addr()) {
			bytes += t.bytes
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(bytes) / time.Since(c.since).Seconds()
}

// lines tells what went where, for people.
func lines(sent map[destination]traffic) string {
	var all []string
	for d, t := range sent {
		all = append(all, fmt.Sprintf("%v: %d packets, %d bytes", d, t.packets, t.bytes))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
