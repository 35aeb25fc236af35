// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// DefaultBootstrap returns the public nodes that all programs begin with.
func DefaultBootstrap() []string {
	return []string{
		"router.bittorrent.com:6881",
		"router.utorrent.com:6881",
		"dht.transmissionbt.com:6881",
		"dht.libtorrent.org:25401",
		"dht.aelitis.com:6881",
	}
}

const (
	maxSeeds     = 16
	maxSeedAddrs = 6
	// fewContacts is how many nodes must answer before no seed is needed.
	fewContacts = 8
	// savedFirst is how long the nodes of the last run have time to answer before the seeds are asked.
	savedFirst = time.Second
	lookupAge  = 10 * time.Minute
	lookupTime = 10 * time.Second
)

// seed is a bootstrap host. It is asked for nodes and stores nothing.
type seed struct {
	host     string
	port     uint16
	contacts []*contact // one for each of its addresses
	looking  bool
	looked   time.Time
}

func newSeeds(names []string) []*seed {
	if names == nil {
		names = DefaultBootstrap()
	}
	var seeds []*seed
	for _, name := range names {
		host, text, err := net.SplitHostPort(name)
		port, portErr := strconv.ParseUint(text, 10, 16)
		if err == nil && portErr == nil && len(seeds) < maxSeeds {
			seeds = append(seeds, &seed{host: host, port: uint16(port)})
		}
	}
	return seeds
}

// askSeeds asks the bootstrap hosts for nodes near a topic, while too few others are known.
func (c *Client) askSeeds(now time.Time, t *Topic) {
	reached := 0
	for _, k := range c.contacts {
		if k.reached() {
			reached++
		}
	}
	if reached >= fewContacts || len(c.opts.Nodes) > 0 && now.Sub(c.began) < savedFirst {
		return
	}
	for _, s := range c.seeds {
		c.lookUp(now, s)
		for _, k := range s.contacts {
			if t.seeded[k.node.Addr] || k.failed > 0 && now.Before(k.retry) {
				continue
			}
			q := &question{to: k.node.Addr, kind: findNode, topic: t, seed: k}
			if c.send(now, q, k, nil) == sent {
				t.seeded[k.node.Addr] = true
			}
		}
	}
}

// lookUp asks for the addresses of a host in the background.
func (c *Client) lookUp(now time.Time, s *seed) {
	if addr, err := netip.ParseAddr(s.host); err == nil {
		if s.contacts == nil {
			s.found(c, []netip.Addr{addr})
		}
		return
	}
	age := lookupAge
	if len(s.contacts) == 0 {
		age = lookupTime
	}
	if s.looking || !s.looked.IsZero() && now.Sub(s.looked) < age {
		return
	}
	s.looking, s.looked = true, now
	lookup := c.opts.Lookup
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	c.effects = append(c.effects, func() {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
			defer cancel()
			addrs, err := lookup(ctx, s.host)
			c.do(func() {
				s.looking = false
				if err != nil {
					c.log.Debug("meeting: bootstrap host not found", "host", s.host, "err", err)
					return
				}
				s.found(c, addrs)
				for _, t := range c.topics {
					if t.active(c.clock.Now()) {
						t.advance(c.clock.Now())
					}
				}
			})
		}()
	})
}

func (s *seed) found(c *Client, addrs []netip.Addr) {
	before := s.contacts
	s.contacts = nil
next:
	for _, a := range addrs {
		addr := netip.AddrPortFrom(a.Unmap(), s.port)
		if !c.fits(addr) || len(s.contacts) == maxSeedAddrs {
			continue
		}
		for _, k := range before {
			if k.node.Addr == addr {
				s.contacts = append(s.contacts, k)
				continue next
			}
		}
		s.contacts = append(s.contacts, &contact{node: Node{Addr: addr}})
	}
}
