// SPDX-License-Identifier: Apache-2.0

package dht_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/dhttest"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// plain compares addresses with ==.
var plain = cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})

// newClient joins a client to a network, at a random address.
func newClient(n *dhttest.Network, six bool, opts dht.Options) (*dht.Client, netip.AddrPort) {
	addr := netip.AddrPortFrom(n.Addr(six), 5000)
	var c *dht.Client
	opts.Send = n.Host(addr, func(from netip.AddrPort, b []byte) { c.Take(from, b) })
	opts.Clock = n
	if opts.Reaches == nil {
		opts.Reaches = func(a netip.Addr) bool { return a.Is6() == six }
	}
	c = dht.New(opts)
	return c, addr
}

func newKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{b}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) [32]byte { return [32]byte(k.Public().(ed25519.PublicKey)) }

func newItem(t *testing.T, key ed25519.PrivateKey, seq int64, value string) dht.Item {
	t.Helper()
	item, err := dht.NewItem(key, seq, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// await lets time pass until done.
func await(t *testing.T, n *dhttest.Network, limit time.Duration, what string, done func() bool) time.Duration {
	t.Helper()
	took, ok := n.Until(limit, done)
	if !ok {
		t.Fatalf("awaited for %v: %s", limit, what)
	}
	return took
}

// holders has at least so many nodes hold the item of a topic.
func holders(topic *dht.Topic, least int) func() bool {
	return func() bool { return topic.State().Holders >= least }
}

// writer is a client that has stored a note at the closest nodes of a network.
type writer struct {
	n       *dhttest.Network
	routers []string
	key     ed25519.PrivateKey // of the note
	client  *dht.Client
	addr    netip.AddrPort
	topic   *dht.Topic
}

// newWriter makes a network of so many nodes, of which a share is dead, and has a note stored there.
func newWriter(t *testing.T, seed uint64, nodes int, dead float64) writer {
	t.Helper()
	w := writer{n: dhttest.NewNetwork(seed, noon), key: newKey(1)}
	w.routers = w.n.Grow(nodes, dead, false)
	w.client, w.addr = newClient(w.n, false, dht.Options{Bootstrap: w.routers})
	w.topic = w.client.Topic(public(w.key), nil)
	w.topic.Put(newItem(t, w.key, 1, "note"))
	await(t, w.n, 3*time.Second, "the item is stored", holders(w.topic, 8))
	return w
}

func TestPutAndGet(t *testing.T) {
	for name, six := range map[string]bool{"IPv4": false, "IPv6": true} {
		t.Run(name, func(t *testing.T) {
			n := dhttest.NewNetwork(1, noon)
			routers := n.Grow(300, 0.3, six)
			key := newKey(1)
			writer, writerAddr := newClient(n, six, dht.Options{Bootstrap: routers})
			reader, _ := newClient(n, six, dht.Options{Bootstrap: routers})
			own := writer.Topic(public(key), nil)
			own.Put(newItem(t, key, 7, "seven"))
			await(t, n, 3*time.Second, "the item is stored", holders(own, 8))
			var got []string
			topic := reader.Topic(public(key), func(i dht.Item) { got = append(got, string(i.Value)) })
			topic.Search()
			await(t, n, 2*time.Second, "the item is found", func() bool { return len(got) > 0 })

			// A newer value goes to the same nodes at once, and an older one nowhere.
			own.Put(newItem(t, key, 8, "eight"))
			n.Run(300 * time.Millisecond)
			topic.Ask(8)
			n.Run(300 * time.Millisecond)
			own.Put(newItem(t, key, 6, "six"))
			n.Run(300 * time.Millisecond)
			topic.Ask(8)
			n.Run(3 * time.Second)
			if diff := cmp.Diff([]string{"seven", "eight"}, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			v4, v6 := writer.Outer()
			if six {
				v4, v6 = v6, v4
			}
			if diff := cmp.Diff([]dht.Outer{{Addr: writerAddr}, {}}, []dht.Outer{v4, v6}, plain); diff != "" {
				t.Errorf("outer addresses (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBothFamilies begins with an IPv4 host and stores in both networks.
func TestBothFamilies(t *testing.T) {
	n := dhttest.NewNetwork(9, noon)
	n.Grow(100, 0, false)
	n.Grow(100, 0, true)
	router := &dhttest.Node{Router: true, Node: dht.Node{ID: n.ID(), Addr: netip.MustParseAddrPort("20.0.0.1:6881")}}
	for _, node := range n.Nodes {
		router.Known = append(router.Known, node.Node)
	}
	n.Join(router)
	key := newKey(1)
	all := func(netip.Addr) bool { return true }
	c, _ := newClient(n, false, dht.Options{Bootstrap: []string{router.Addr.String()}, Reaches: all})
	topic := c.Topic(public(key), nil)
	topic.Put(newItem(t, key, 1, "note"))
	await(t, n, 5*time.Second, "the item is stored in both networks", holders(topic, 16))
	six, _ := newClient(n, true, dht.Options{Bootstrap: []string{}, Nodes: c.Nodes()})
	found := false
	six.Topic(public(key), func(dht.Item) { found = true }).Search()
	await(t, n, 3*time.Second, "the item is found by IPv6", func() bool { return found })
}

// TestNodesOfTheLastRun holds that the well-known hosts matter once.
func TestNodesOfTheLastRun(t *testing.T) {
	w := newWriter(t, 2, 300, 0.2)
	n, routers, key, first := w.n, w.routers, w.key, w.client
	for i := range byte(3) {
		first.Topic([32]byte{i}, nil).Search()
		n.Run(10 * time.Second)
	}
	nodes := first.Nodes()
	if len(nodes) < 10 || len(nodes) > 64 {
		t.Fatalf("got %d nodes, want 10 to 64", len(nodes))
	}
	var read []dht.Node
	for _, node := range nodes {
		again, err := dht.ParseNode(node.String())
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, again)
	}
	if diff := cmp.Diff(nodes, read, plain); diff != "" {
		t.Errorf("nodes after writing and reading (-want +got):\n%s", diff)
	}

	asked := 0
	n.Seen = func(_, to netip.AddrPort, _ []byte) {
		if slices.Contains(routers, to.String()) {
			asked++
		}
	}
	second, _ := newClient(n, false, dht.Options{Bootstrap: routers, Nodes: read})
	found := false
	second.Topic(public(key), func(dht.Item) { found = true }).Search()
	await(t, n, 2*time.Second, "the item is found", func() bool { return found })
	n.Run(10 * time.Second)
	if asked != 0 {
		t.Errorf("the bootstrap hosts were asked %d times, want never", asked)
	}
}

// TestBootstrapHosts looks hosts up by name, and again when none has answered.
func TestBootstrapHosts(t *testing.T) {
	n := dhttest.NewNetwork(3, noon)
	router := netip.MustParseAddrPort(n.Grow(100, 0, false)[0])
	lookups := 0 // one after the other
	c, _ := newClient(n, false, dht.Options{
		Bootstrap: []string{"router.example.org:6881", "no port", "router.example.org:70000"},
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if lookups++; lookups == 1 {
				return nil, errors.New("no network")
			}
			return []netip.Addr{router.Addr()}, nil
		},
	})
	topic := c.Topic([32]byte{1}, nil)
	testbed.Await(t, "the host is found and answers", 10*time.Second, func() error {
		topic.Search()
		n.Run(11 * time.Second)
		if c.Reached() == 0 {
			return errors.New("nobody has answered")
		}
		return nil
	})
	await(t, n, 20*time.Second, "nodes answer", func() bool { return topic.State().Closest == 8 })
}

// TestOutage has all answers stay away for ten minutes. The client goes on asking a little, and finds its way back.
func TestOutage(t *testing.T) {
	w := newWriter(t, 4, 200, 0.2)
	n, addr, topic := w.n, w.addr, w.topic
	sent := 0
	n.Seen = func(from, _ netip.AddrPort, b []byte) {
		if from == addr {
			sent += len(b) + 28
		}
	}
	n.Loss = 1
	const away = 10 * time.Minute
	for range away / time.Second {
		topic.Ask(8)
		n.Run(time.Second)
	}
	if rate := float64(sent) / away.Seconds(); rate > 300 {
		t.Errorf("sent %.0f bytes a second to nobody, want no more than 300", rate)
	}
	n.Loss = 0
	await(t, n, 30*time.Second, "nodes answer again", func() bool {
		topic.Ask(8)
		return topic.State().Closest == 8
	})
}

// TestLostNodes has most nodes that hold an item disappear.
func TestLostNodes(t *testing.T) {
	w := newWriter(t, 5, 300, 0)
	n, key, topic := w.n, w.key, w.topic
	lost := 0
	for _, node := range n.Nodes {
		if node.Items() > 0 && lost < 5 {
			n.Remove(node.Addr)
			lost++
		}
	}
	// Others take their place as soon as they are given up.
	for range 4 {
		if topic.State().Holders == 8-lost {
			break
		}
		topic.Ask(16)
		n.Run(3 * time.Second)
	}
	if s := topic.State(); s.Holders != 8-lost {
		t.Fatalf("got %+v, want %d holders left", s, 8-lost)
	}
	topic.Search()
	topic.Put(newItem(t, key, 2, "note"))
	await(t, n, 10*time.Second, "the item is stored elsewhere", holders(topic, 8))
}

// TestRefusals has nodes refuse what is stored: the token is too old, or a newer item is there.
func TestRefusals(t *testing.T) {
	n := dhttest.NewNetwork(6, noon)
	routers := n.Grow(300, 0, false)
	key := newKey(1)
	old, _ := newClient(n, false, dht.Options{Bootstrap: routers})
	topic := old.Topic(public(key), nil)
	topic.Put(newItem(t, key, 100, "of an earlier run"))
	await(t, n, 3*time.Second, "the item is stored", holders(topic, 8))

	var newest int64
	c, _ := newClient(n, false, dht.Options{Bootstrap: routers})
	own := c.Topic(public(key), func(i dht.Item) { newest = i.Seq })
	own.Put(newItem(t, key, 50, "with a clock that was set back"))
	await(t, n, 3*time.Second, "the newer item is seen", func() bool { return newest == 100 })
	own.Put(newItem(t, key, 101, "newer"))
	await(t, n, 3*time.Second, "the item is stored", holders(own, 8))

	// The nodes think that we have another address now, so that the tokens are not valid any more.
	moved := netip.AddrPortFrom(n.Addr(false), 5000)
	n.Host(moved, func(from netip.AddrPort, b []byte) { c.Take(from, b) })
	for _, node := range n.Nodes {
		node := node
		n.Host(node.Addr, func(_ netip.AddrPort, b []byte) {
			if answer := node.Answer(moved, b); answer != nil {
				n.Send(node.Addr, moved, answer)
			}
		})
	}
	own.Put(newItem(t, key, 102, "newest"))
	await(t, n, 3*time.Second, "the item is stored with new tokens", holders(own, 8))
	if v4, _ := c.Outer(); v4.Addr != moved {
		t.Errorf("outer address: got %v, want %v", v4.Addr, moved)
	}
}

// TestBounds has far more nodes and topics than are kept.
func TestBounds(t *testing.T) {
	n := dhttest.NewNetwork(7, noon)
	routers := n.Grow(2000, 0.2, false)
	c, addr := newClient(n, false, dht.Options{Bootstrap: routers})
	sent := make(map[int64]int) // by second
	n.Seen = func(from, _ netip.AddrPort, _ []byte) {
		if from == addr {
			sent[int64(n.Now().Sub(noon)/time.Second)]++
		}
	}
	for i := range byte(60) {
		topic := c.Topic([32]byte{i}, nil)
		topic.Search()
		n.Run(2 * time.Second)
		if contacts, questions, spots, networks := c.Sizes(); contacts > dht.MaxContacts || questions > dht.MaxQuestions || spots > dht.MaxSpots || networks > dht.MaxNetworks {
			t.Fatalf("got %d contacts, %d questions, %d spots, %d networks", contacts, questions, spots, networks)
		}
		if i >= 10 {
			topic.Close()
		}
	}
	if contacts, _, _, _ := c.Sizes(); contacts != dht.MaxContacts {
		t.Errorf("got %d contacts, want all %d places taken", contacts, dht.MaxContacts)
	}
	for second, count := range sent {
		if count > 200 {
			t.Errorf("sent %d datagrams in second %d, want no more than the rate and the burst", count, second)
		}
	}
}

func TestClose(t *testing.T) {
	n := dhttest.NewNetwork(8, noon)
	routers := n.Grow(100, 0, false)
	c, addr := newClient(n, false, dht.Options{Bootstrap: routers})
	topic := c.Topic([32]byte{1}, nil)
	topic.Search()
	n.Run(100 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Run(ctx)
	n.Seen = func(from, to netip.AddrPort, _ []byte) {
		if from == addr {
			t.Errorf("sent to %v after the end", to)
		}
	}
	topic.Search()
	topic.Ask(1)
	n.Run(time.Hour)
}

func TestNewItemTooLong(t *testing.T) {
	if _, err := dht.NewItem(newKey(1), 1, make([]byte, dht.MaxValue+1)); err == nil {
		t.Error("got no error")
	}
	if _, err := dht.NewItem(newKey(1), -1, nil); err == nil {
		t.Error("got no error for a negative seq")
	}
}

func TestParseNodeErrors(t *testing.T) {
	for _, s := range []string{"", "@", "00@192.0.2.1:1", "000000000000000000000000000000000000000g@192.0.2.1:1", "0000000000000000000000000000000000000000@192.0.2.1"} {
		if n, err := dht.ParseNode(s); err == nil {
			t.Errorf("%q: got %v, want an error", s, n)
		}
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "::ffff:8.8.8.8": true, "2a00::1": true,
		"0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "169.254.1.1": false, "172.16.0.1": false, "192.168.1.1": false,
		"100.64.0.1": false, "100.127.255.255": false, "100.128.0.1": true, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "fe80::1": false, "fd00::1": false, "ff02::1": false, "64:ff9b::808:808": false, "2a00::1%eth0": false,
	} {
		if got := dht.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
