// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/atomicfile"
	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
)

// ownAddresses are those of this machine's networks that are up and lead farther than the machine itself.
func ownAddresses() (found []netip.Addr) {
	interfaces, _ := net.Interfaces() // Without them the other kinds of addresses are left.
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, _ := i.Addrs() // of an interface that has gone meanwhile
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil {
				continue
			}
			if addr := prefix.Addr().Unmap(); addr.IsGlobalUnicast() && !slices.Contains(found, addr) {
				found = append(found, addr)
			}
		}
	}
	return found
}

// addressesLife is how long ownAddresses' answer is good enough.
const addressesLife = time.Second

// ownCache remembers our addresses: many nodes' are compared with them.
type ownCache struct {
	mu    sync.Mutex
	addrs []netip.Addr
	at    time.Time
}

func (c *ownCache) get() []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > addressesLife {
		c.addrs, c.at = ownAddresses(), time.Now()
	}
	return c.addrs
}

// isOwn tells whether an address is one of this machine.
func (m *Manager) isOwn(a netip.Addr) bool { return slices.Contains(m.addresses.get(), a.Unmap()) }

// candidates are all addresses at which this machine may be reached, the most useful first.
func (m *Manager) candidates() (all []meet.Candidate) {
	add := func(kind meet.Kind, addrs ...netip.AddrPort) {
		for _, a := range addrs {
			if a.IsValid() {
				all = append(all, meet.Candidate{Addr: a, Kind: kind})
			}
		}
	}
	add(meet.Mapped, m.mapper.State().External...)
	var near []netip.AddrPort
	for _, addr := range m.addresses.get() {
		at := netip.AddrPortFrom(addr, uint16(m.o.Secure.Port))
		switch {
		case !m.reaches(addr):
		case dht.Public(addr):
			add(meet.Host, at)
		default:
			near = append(near, at)
		}
	}
	four, six := m.client.Outer()
	for _, outer := range []dht.Outer{four, six} {
		if outer.Symmetric {
			add(meet.Changing, outer.Addr)
		} else {
			add(meet.Outer, outer.Addr)
		}
	}
	if s := m.current(); s != nil {
		if h := s.helping(); h != nil && h.relay != nil {
			add(meet.Relayed, h.relay.State().Address)
		}
	}
	add(meet.LAN, near...)
	return all
}

// lookAtOwn has the note made anew when this machine's addresses are others than at the last look.
func (m *Manager) lookAtOwn() {
	now := m.addresses.get()
	m.mu.Lock()
	same := slices.Equal(m.before, now)
	m.before = now
	m.mu.Unlock()
	if !same {
		m.ownChanged()
	}
}

// loadNodes reads what saveNodes wrote. Without the file the well-known nodes are asked.
func loadNodes(path string, log *slog.Logger) (nodes []dht.Node) {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var lines []string
	if err == nil {
		err = json.Unmarshal(data, &lines)
	}
	for _, line := range lines {
		n, parseErr := dht.ParseNode(line)
		if parseErr != nil {
			err = parseErr
			break
		}
		nodes = append(nodes, n)
	}
	if err != nil {
		log.Warn("the nodes of the last run cannot be used", "file", path, "err", err)
	}
	return nodes
}

// saveNodes keeps the nodes that answered for the next start. They are strangers, and nothing in the file is a secret.
func (m *Manager) saveNodes() {
	nodes := m.client.Nodes()
	if m.o.NodesFile == "" || len(nodes) == 0 {
		return
	}
	lines := make([]string, 0, len(nodes))
	for _, n := range nodes {
		lines = append(lines, n.String())
	}
	if err := atomicfile.WriteJSON(m.o.NodesFile, lines); err != nil {
		m.log.Warn("the nodes that answered cannot be kept", "err", err)
	}
}
