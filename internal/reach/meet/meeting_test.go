// SPDX-License-Identifier: Apache-2.0

package meet_test

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/dhttest"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

var plain = cmpopts.EquateComparable(netip.AddrPort{})

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
		{"one waits half an hour", 31 * time.Minute, false, 0, 0.3},
		{"one waits half an hour, with loss", 31 * time.Minute, true, 0.02, 0.3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var both []time.Duration
			for seed := range uint64(7) {
				n := dhttest.NewNetwork(seed, noon)
				n.Loss = tc.loss
				routers := n.Grow(200, tc.dead, false)
				var nodes []dht.Node
				if tc.saved {
					for range 64 {
						nodes = append(nodes, n.Nodes[n.Rand.IntN(len(n.Nodes))].Node)
					}
				}
				a := newSide(n, sideOptions{inviter: true, routers: routers, nodes: nodes})
				b := newSide(n, sideOptions{routers: routers, nodes: nodes})
				a.meeting.Start()
				if tc.later > 0 {
					n.Run(tc.later + time.Duration(n.Rand.Int64N(int64(2*time.Second))))
				}
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

// both are two sides on a network, of which the inviter is first.
func both(seed uint64, start time.Time, skew time.Duration) (n *dhttest.Network, a, b *side) {
	n = dhttest.NewNetwork(seed, start)
	routers := n.Grow(200, 0.2, false)
	return n, newSide(n, sideOptions{inviter: true, routers: routers}), newSide(n, sideOptions{routers: routers, skew: skew})
}

func await(t *testing.T, n *dhttest.Network, limit time.Duration, what string, done func() bool) {
	t.Helper()
	if took, ok := n.Until(limit, done); !ok {
		t.Fatalf("awaited for %v: %s", took, what)
	}
}

// TestClocks has the clocks of the two differ, at all times of the day.
func TestClocks(t *testing.T) {
	midnight := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		start time.Time
		skew  time.Duration
		limit time.Duration // for the later one, and after the first half minute
	}{
		{"a day ahead", noon, 24 * time.Hour, 15 * time.Second},
		{"a day behind", noon, -24 * time.Hour, 15 * time.Second},
		{"a minute ahead just before midnight", midnight.Add(-30 * time.Second), time.Minute, 5 * time.Second},
		{"a minute behind just after midnight", midnight.Add(30 * time.Second), -time.Minute, 5 * time.Second},
		{"an hour ahead in the evening", midnight.Add(-50 * time.Minute), time.Hour, 5 * time.Second},
		{"right at midnight", midnight.Add(-time.Second), 0, 5 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, a, b := both(1, tc.start, tc.skew)
			a.meeting.Start()
			b.meeting.Start()
			await(t, n, tc.limit, "both start together", func() bool { return a.has(b) && b.has(a) })

			n, a, b = both(2, tc.start, tc.skew)
			a.meeting.Start()
			n.Run(time.Minute)
			b.meeting.Start()
			// In the worst case the first one asks for the wrong day 15 times between.
			await(t, n, 30*time.Second, "one starts a minute later", func() bool { return a.has(b) && b.has(a) })
		})
	}
}

// TestOverMidnight has one wait from one day to the next.
func TestOverMidnight(t *testing.T) {
	n, a, b := both(3, noon.Add(11*time.Hour), 0)
	a.meeting.Start()
	n.Run(2 * time.Hour)
	b.meeting.Start()
	await(t, n, 3*time.Second, "they meet", func() bool { return a.has(b) && b.has(a) })
}

// TestRestart has a side start again at another address: its number must be higher than that of its earlier notes.
func TestRestart(t *testing.T) {
	for name, skew := range map[string]time.Duration{
		"at once": 0, "with a clock set back by an hour": -time.Hour, "with a clock set forward by an hour": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			n, a, b := both(4, noon, 0)
			a.meeting.Start()
			b.meeting.Start()
			await(t, n, 5*time.Second, "they meet", func() bool { return a.has(b) && b.has(a) })
			nodes := b.client.Nodes()
			b.stop()
			again := newSide(n, sideOptions{skew: skew, nodes: nodes})
			again.meeting.Start()
			await(t, n, 10*time.Second, "they meet again", func() bool { return a.has(again) && again.has(a) })
			if a.has(b) {
				t.Errorf("got %v, want no address of the earlier run", a.found)
			}
		})
	}
}

// TestChanges has the candidates change: the notes follow once they have settled.
func TestChanges(t *testing.T) {
	n, a, b := both(5, noon, 0)
	a.meeting.Start()
	b.meeting.Start()
	await(t, n, 5*time.Second, "they meet", func() bool { return a.has(b) && b.has(a) })
	n.Run(time.Minute)
	told := b.told
	for port := range uint16(5) {
		a.own = append(a.own, meet.Candidate{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.168.1.2"), 5000+port), Kind: meet.LAN})
		a.meeting.Changed()
		n.Run(10 * time.Millisecond)
	}
	await(t, n, 4*time.Second, "the note is read", func() bool { return b.told > told })
	want := append(slices.Clone(a.own), meet.Candidate{Addr: a.addr, Kind: meet.Outer})
	if diff := cmp.Diff(want, b.found, plain); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	stored := a.meeting.State().Stored
	a.meeting.Changed()
	n.Run(time.Minute)
	if b.told != told+1 || a.meeting.State().Stored != stored {
		t.Errorf("a note was left %v after the candidates stayed the same", a.meeting.State().Stored.Sub(stored))
	}
}

// TestRestless has the candidates change ten times a second for ten minutes, as when liars name other outer addresses.
func TestRestless(t *testing.T) {
	n, a, _ := both(12, noon, 0)
	sent := 0
	n.Seen = func(from, _ netip.AddrPort, b []byte) {
		if from == a.addr {
			sent += len(b) + 28
		}
	}
	a.meeting.Start()
	for i := range 6000 {
		a.own = []meet.Candidate{{Addr: netip.AddrPortFrom(a.addr.Addr(), 1+uint16(i)), Kind: meet.Outer}}
		a.meeting.Changed()
		n.Run(100 * time.Millisecond)
	}
	rate := float64(sent) / 600
	t.Logf("%.0f bytes a second", rate)
	if rate > 1500 {
		t.Errorf("got %.0f bytes a second, want no more than 1500", rate)
	}
}

// TestQuiet measures what a side sends while it waits, and while it is connected.
func TestQuiet(t *testing.T) {
	n, a, _ := both(6, noon.Add(10*time.Hour), 0)
	var bytes, questions int
	n.Seen = func(from, _ netip.AddrPort, b []byte) {
		if from == a.addr {
			bytes += len(b) + 28 // with the headers of IPv4 and UDP
			questions++
		}
	}
	a.meeting.Start()
	n.Run(time.Minute)
	const long = 4 * time.Hour // over midnight
	bytes, questions = 0, 0
	n.Run(long)
	rate := float64(bytes) / long.Seconds()
	t.Logf("waiting: %.1f bytes a second, %d datagrams in %v", rate, questions, long)
	if rate >= 100 {
		t.Errorf("waiting: got %.1f bytes a second, want less than 100", rate)
	}
	a.meeting.SetConnected(true)
	n.Run(time.Minute)
	bytes, questions = 0, 0
	n.Run(long)
	t.Logf("connected: %.1f bytes a second, %d datagrams in %v", float64(bytes)/long.Seconds(), questions, long)
	if rate := float64(bytes) / long.Seconds(); rate >= 15 || bytes == 0 {
		t.Errorf("connected: got %.1f bytes a second, want only what keeps the notes", rate)
	}
}

// TestConnected has nothing asked for while the link has the friend, and all again when it has lost it.
func TestConnected(t *testing.T) {
	n, a, b := both(7, noon, 0)
	a.meeting.Start()
	b.meeting.Start()
	await(t, n, 5*time.Second, "they meet", func() bool { return a.has(b) && b.has(a) })
	a.meeting.SetConnected(true)
	a.meeting.SetConnected(true)
	told := a.told
	b.own = []meet.Candidate{{Addr: netip.MustParseAddrPort("192.168.1.2:5000"), Kind: meet.LAN}}
	b.meeting.Changed()
	n.Run(5 * time.Minute)
	if a.told != told {
		t.Errorf("a note was read while connected: %v", a.found)
	}
	a.meeting.SetConnected(false)
	await(t, n, 2*time.Second, "the note is read", func() bool { return a.told > told })
}

// TestKeepsNotes has nodes that have a note forget it or go, and time pass.
func TestKeepsNotes(t *testing.T) {
	n, a, _ := both(8, noon, 0)
	a.meeting.Start()
	await(t, n, 5*time.Second, "the note is stored", func() bool { return a.meeting.State().Holders == 8 })
	first := a.meeting.State().Stored
	n.Run(61 * time.Minute)
	hourly := a.meeting.State()
	if d := hourly.Stored.Sub(first); d < time.Hour || d > time.Hour+10*time.Second {
		t.Errorf("the note was left again after %v, want an hour", d)
	}
	if hourly.Holders != 8 {
		t.Errorf("%d nodes have the second note, want 8", hourly.Holders)
	}
	gone := 0
	for _, node := range n.Nodes {
		if node.Items() > 0 && gone < 6 {
			gone++
			if gone%2 == 0 {
				node.Forget()
			} else {
				n.Remove(node.Addr)
			}
		}
	}
	await(t, n, 11*time.Minute, "the note is left again", func() bool { return a.meeting.State().Stored != hourly.Stored })
	await(t, n, 10*time.Second, "enough nodes have it", func() bool { return a.meeting.State().Holders >= 6 })
}

// TestReplay has nodes go on giving an old note.
func TestReplay(t *testing.T) {
	n, a, b := both(9, noon, 0)
	a.own = []meet.Candidate{{Addr: netip.MustParseAddrPort("192.168.1.2:5000"), Kind: meet.LAN}}
	a.meeting.Start()
	await(t, n, 5*time.Second, "the note is stored", func() bool { return a.meeting.State().Holders == 8 })
	n.Run(5 * time.Second)
	for i, node := range n.Nodes {
		if i%2 == 0 {
			node.Silent = func(method string) bool { return method == "put" }
		}
	}
	a.own[0] = meet.Candidate{Addr: netip.MustParseAddrPort("192.168.1.99:5000"), Kind: meet.LAN}
	a.meeting.Changed()
	n.Run(10 * time.Second)
	b.meeting.Start()
	await(t, n, 5*time.Second, "the new note is read", func() bool {
		return slices.ContainsFunc(b.found, func(c meet.Candidate) bool { return c == a.own[0] })
	})
	told := b.told
	n.Run(time.Hour / 2)
	if b.told != told {
		t.Errorf("got %v after the new note, want the old one ignored", b.found)
	}
}

// TestNothingToSay has a side without any address look for its friend all the same.
func TestNothingToSay(t *testing.T) {
	n, a, b := both(10, noon, 0)
	b.meeting.Start()
	await(t, n, 5*time.Second, "a note is stored", func() bool { return b.meeting.State().Holders == 8 })
	silent := meet.New(meet.Options{
		Client: a.client, Own: meet.Secret{2}, Peer: meet.Secret{1}, Clock: n,
		Candidates: func() []meet.Candidate { return nil },
		Found:      func(c []meet.Candidate) { a.found = c },
	})
	a.meeting = silent
	silent.Start()
	await(t, n, 3*time.Second, "the note is read", func() bool { return a.has(b) })
	n.Run(time.Minute)
	if s := silent.State(); !s.Stored.IsZero() || len(s.Peer) != 1 || s.Found.IsZero() || s.Reached == 0 {
		t.Errorf("got %+v", s)
	}
}

func TestRun(t *testing.T) {
	n, a, _ := both(11, noon, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.meeting.Run(ctx)
	n.Run(time.Second) // what Run has sent before it ended
	n.Seen = func(from, to netip.AddrPort, b []byte) {
		if from == a.addr {
			t.Errorf("%q was sent to %v after the end", b, to)
		}
	}
	a.meeting.Changed()
	a.meeting.SetConnected(true)
	a.meeting.SetConnected(false)
	n.Run(time.Hour)
}

// TestPoorStart has one of the two start while hardly a node answers. The other one comes later and knows the nodes that
// its note belongs to.
func TestPoorStart(t *testing.T) {
	for seed := range uint64(9) {
		n := dhttest.NewNetwork(seed, noon)
		routers := n.Grow(60, 0.1, false)
		hushed := true
		for _, node := range n.Nodes[3:] {
			node.Silent = func(string) bool { return hushed }
		}
		a := newSide(n, sideOptions{inviter: true, routers: routers})
		b := newSide(n, sideOptions{routers: routers})
		a.meeting.Start()
		n.Run(12 * time.Second) // longer than contacts are followed
		hushed = false
		n.Run(20 * time.Second)
		b.meeting.Start()
		took, ok := n.Until(time.Minute, func() bool { return a.has(b) && b.has(a) })
		if t.Logf("seed %d: met: %v, after %v", seed, ok, took); !ok || took > 3*time.Second {
			t.Errorf("seed %d: met: %v, after %v; want 3s at most", seed, ok, took)
		}
		a.stop()
		b.stop()
	}
}
