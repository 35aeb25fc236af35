// SPDX-License-Identifier: Apache-2.0

package meet_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/dhttest"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// side is one of the two friends, on a machine of the simulated network.
type side struct {
	network *dhttest.Network
	addr    netip.AddrPort
	client  *dht.Client
	meeting *meet.Meeting
	own     []meet.Candidate // more than the outer address
	found   []meet.Candidate
	foundAt time.Time
	told    int
}

// skewed is a clock that is wrong.
type skewed struct {
	*dhttest.Network
	by time.Duration
}

func (s skewed) Now() time.Time { return s.Network.Now().Add(s.by) }

type sideOptions struct {
	inviter bool
	skew    time.Duration
	nodes   []dht.Node
	routers []string
}

func newSide(n *dhttest.Network, o sideOptions) *side {
	s := &side{network: n, addr: netip.AddrPortFrom(n.Addr(false), 5000)}
	own, peer := meet.Secret{1}, meet.Secret{2}
	if o.inviter {
		own, peer = peer, own
	}
	clock := skewed{n, o.skew}
	send := n.Host(s.addr, func(from netip.AddrPort, b []byte) { s.client.Take(from, b) })
	s.client = dht.New(dht.Options{
		Send: send, Bootstrap: o.routers, Nodes: o.nodes, Clock: clock,
		Reaches:      func(a netip.Addr) bool { return a.Is4() },
		OuterChanged: func() { s.meeting.Changed() },
	})
	s.meeting = meet.New(meet.Options{
		Client: s.client, Own: own, Peer: peer, Clock: clock,
		Candidates: func() []meet.Candidate {
			all := slices.Clone(s.own)
			if v4, _ := s.client.Outer(); v4.Addr.IsValid() {
				all = append(all, meet.Candidate{Addr: v4.Addr, Kind: meet.Outer})
			}
			return all
		},
		Found: func(c []meet.Candidate) {
			s.found, s.foundAt = c, n.Now()
			s.told++
		},
	})
	return s
}

func (s *side) stop() {
	s.meeting.Stop()
	s.client.Close()
	s.network.Remove(s.addr)
}

func (s *side) has(o *side) bool {
	return slices.ContainsFunc(s.found, func(c meet.Candidate) bool { return c.Addr == o.addr })
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// TestTimes measures the goals: 2 s in the median, 3 s at most, whoever starts first.
func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		later time.Duration
		saved bool
		loss  float64
		dead  float64
	}{
		{"together", 0, false, 0, 0.3},
		{"together, with the nodes of the last run", 0, true, 0, 0.3},
		{"together, with loss", 0, false, 0.02, 0.3},
		{"one waits ten seconds", 10 * time.Second, false, 0, 0.3},
		{"one waits an hour and a half", 90 * time.Minute, false, 0, 0.3},
		{"one waits an hour and a half, with loss", 90 * time.Minute, true, 0.02, 0.3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var both []time.Duration
			for seed := range uint64(9) {
				n := dhttest.NewNetwork(seed, noon)
				n.Loss = tc.loss
				routers := n.Grow(500, tc.dead, false)
				var nodes []dht.Node
				if tc.saved {
					for range 64 {
						nodes = append(nodes, n.Nodes[n.Rand.IntN(len(n.Nodes))].Node)
					}
				}
				a := newSide(n, sideOptions{inviter: true, routers: routers, nodes: nodes})
				b := newSide(n, sideOptions{routers: routers, nodes: nodes})
				a.meeting.Start()
				n.Run(tc.later)
				b.meeting.Start()
				took, ok := n.Until(time.Minute, func() bool { return a.has(b) && b.has(a) })
				if !ok {
					t.Fatalf("seed %d: they did not meet: %+v, %+v", seed, a.meeting.State(), b.meeting.State())
				}
				both = append(both, took)
			}
			t.Logf("median %v, all %v", median(both), both)
			if m := median(both); m > 2*time.Second {
				t.Errorf("got a median of %v, want 2 s", m)
			}
			if m := slices.Max(both); tc.loss == 0 && m > 3*time.Second {
				t.Errorf("got %v at most, want 3 s", m)
			}
		})
	}
}

var _ = fmt.Sprint
var _ = cmp.Diff
