// SPDX-License-Identifier: Apache-2.0

package dht_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/bencode"
	"github.com/costream-obs/costream-obs/internal/reach/dht/dhttest"
)

// TestAttack throws 100,000 datagrams at a client in the middle of a search: random ones, questions, and real answers with
// another sender or transaction. Nothing that it knows changes, nothing is sent, and the search goes on as if nothing had
// been.
func TestAttack(t *testing.T) {
	w := newWriter(t, 1, 300, 0.2)
	n, routers, key := w.n, w.routers, w.key

	c, addr := newClient(n, false, dht.Options{Bootstrap: routers})
	type datagram struct {
		from netip.AddrPort
		b    []byte
	}
	var answers []datagram // to the client
	sent := 0
	n.Seen = func(from, to netip.AddrPort, b []byte) {
		if to == addr {
			answers = append(answers, datagram{from, slices.Clone(b)})
		}
		if from == addr {
			sent++
		}
	}
	found := ""
	topic := c.Topic(public(key), func(i dht.Item) { found = string(i.Value) })
	topic.Search()
	await(t, n, time.Second, "ten nodes have answered", func() bool { return len(answers) >= 10 })
	if _, questions, _, _ := c.Sizes(); questions < 4 {
		t.Fatalf("%d questions are open, want a search that is live", questions)
	}
	before, sentBefore := c.Snapshot(), sent
	random := rand.New(rand.NewPCG(2, 0))
	stranger := netip.MustParseAddrPort("192.0.2.66:6881")
	for i := range 100_000 {
		real := answers[random.IntN(len(answers))]
		from, b := real.from, slices.Clone(real.b)
		switch i % 6 {
		case 0: // anything
			b = make([]byte, random.IntN(1500))
			for j := range b {
				b[j] = byte(random.Uint32())
			}
			if len(b) > 0 {
				b[0] = 'd'
			}
		case 1: // from a stranger
			from = stranger
		case 2: // from another port of the same node
			from = netip.AddrPortFrom(from.Addr(), from.Port()^1)
		case 3: // for another transaction
			at := bytes.Index(b, []byte("1:t4:")) + 5
			binary.BigEndian.PutUint32(b[at:], random.Uint32())
		case 4: // changed anywhere, and from a stranger
			from = stranger
			for range 1 + random.IntN(4) {
				b[random.IntN(len(b))] = byte(random.Uint32())
			}
		case 5: // a question
			b = []byte("d1:ad2:id20:abcdefghij01234567896:target20:abcdefghij0123456789e1:q" +
				[]string{"4:ping", "3:get", "3:put", "9:find_node", "9:get_peers"}[random.IntN(5)] + "1:t4:aaaa1:y1:qe")
		}
		if c.Take(from, b) {
			t.Fatalf("%v: %q was taken for an answer", from, b)
		}
	}
	if after := c.Snapshot(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if sent != sentBefore {
		t.Errorf("%d datagrams were sent", sent-sentBefore)
	}
	await(t, n, 2*time.Second, "the item is found", func() bool { return found == "note" })
}

// TestAnswersTwice holds that an answer counts once.
func TestAnswersTwice(t *testing.T) {
	n := dhttest.NewNetwork(2, noon)
	routers := n.Grow(100, 0, false)
	c, addr := newClient(n, false, dht.Options{Bootstrap: routers})
	taken := 0
	n.Host(addr, func(from netip.AddrPort, b []byte) {
		if c.Take(from, b) {
			taken++
		}
		if c.Take(from, b) {
			t.Errorf("%q from %v was taken twice", b, from)
		}
	})
	c.Topic([32]byte{1}, nil).Search()
	n.Run(5 * time.Second)
	if taken == 0 {
		t.Error("nothing was taken")
	}
}

// liar answers each question for nodes with names of a victim's addresses, as close to the target as can be.
type liar struct {
	dht.Node
	victims func(target dht.ID) []dht.Node
	extra   map[string]bencode.Value // in the answer
	top     map[string]bencode.Value // beside the answer
}

func (l *liar) join(n *dhttest.Network) {
	var send func(netip.AddrPort, []byte)
	send = n.Host(l.Addr, func(from netip.AddrPort, b []byte) {
		if answer := l.answer(b); answer != nil {
			send(from, answer)
		}
	})
}

func (l *liar) answer(b []byte) []byte {
	m, err := bencode.Decode(b)
	if err != nil {
		return nil
	}
	id := l.ID
	r := map[string]bencode.Value{"token": bencode.Text("token")}
	if t := m.Get("a").Get("target").Str; len(t) == len(dht.ID{}) {
		id = near(dht.ID(t), byte(l.Addr.Port()))
		var nodes []byte
		for _, v := range l.victims(dht.ID(t)) {
			nodes = append(append(nodes, v.ID[:]...), v.Addr.Addr().AsSlice()...)
			nodes = binary.BigEndian.AppendUint16(nodes, v.Addr.Port())
		}
		r["nodes"] = bencode.Text(nodes)
	}
	r["id"] = bencode.Text(id[:])
	for key, v := range l.extra {
		r[key] = v
	}
	answer := map[string]bencode.Value{"t": m.Get("t"), "y": bencode.Text("r"), "r": bencode.Dict(r)}
	for key, v := range l.top {
		answer[key] = v
	}
	return bencode.Append(nil, bencode.Dict(answer))
}

// near is an ID that shares all but the last byte with a target.
func near(target dht.ID, last byte) dht.ID {
	target[19] = last
	return target
}

// TestVictim has a DHT of liars aim the client at victims: one address with many ports, a network, and random addresses. The
// client searches for ten keys each second for two minutes, far more than a meeting does.
func TestVictim(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	for _, tc := range []struct {
		name string
		most int // datagrams a minute; 0: what the liars' own bytes allow
		addr func() netip.Addr
	}{
		{"one address", 4, func() netip.Addr { return netip.MustParseAddr("198.51.100.1") }},
		{"one network", 12, func() netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(random.Uint32())}) }},
		{"many addresses", 0, func() netip.Addr {
			return netip.AddrFrom4([4]byte{198, byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := dhttest.NewNetwork(4, noon)
			var routers []string
			for i := range 16 {
				l := &liar{Node: dht.Node{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(i), 1, 1}), 7000+uint16(i))}}
				l.victims = func(target dht.ID) []dht.Node {
					var nodes []dht.Node
					for range 8 {
						nodes = append(nodes, dht.Node{ID: near(target, byte(random.Uint32())), Addr: netip.AddrPortFrom(tc.addr(), 1024+uint16(random.IntN(60000)))})
					}
					// Some of the liars themselves, so that all of them are asked.
					return append(nodes, dht.Node{ID: near(target, byte(i+1)), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(i+1) % 16, 1, 1}), 7000+uint16(i+1)%16)})
				}
				l.join(n)
				routers = append(routers, l.Addr.String())
			}
			c, addr := newClient(n, false, dht.Options{Bootstrap: routers[:2]})
			const header = 28
			fromLiars, toVictims, datagrams := 0, 0, 0
			n.Seen = func(from, to netip.AddrPort, b []byte) {
				switch {
				case to == addr:
					fromLiars += len(b) + header
				case from == addr && to.Addr().As4()[0] == 198:
					toVictims += len(b) + header
					datagrams++
					if 2*toVictims > 3*fromLiars {
						t.Fatalf("after %v the victims have got %d bytes, and the liars have sent %d", n.Now().Sub(noon), toVictims, fromLiars)
					}
				}
			}
			var topics []*dht.Topic
			for i := range byte(10) {
				topics = append(topics, c.Topic([32]byte{i}, nil))
			}
			const minutes = 2
			for range minutes * 60 {
				for _, topic := range topics {
					topic.Search()
					topic.Ask(8)
				}
				n.Run(time.Second)
			}
			t.Logf("liars sent %d bytes, the victims got %d in %d datagrams", fromLiars, toVictims, datagrams)
			if fromLiars < 100_000 || datagrams == 0 {
				t.Error("the liars were hardly asked: this shows nothing")
			}
			if most := tc.most * (minutes + 1); tc.most > 0 && datagrams > most {
				t.Errorf("the victims got %d datagrams, want no more than %d", datagrams, most)
			}
		})
	}
}

// TestLiars holds that notes are stored and found while a third of all nodes lies about who is near.
func TestLiars(t *testing.T) {
	n := dhttest.NewNetwork(5, noon)
	routers := n.Grow(300, 0, false)
	random := rand.New(rand.NewPCG(6, 0))
	for i, node := range n.Nodes {
		if i%3 != 0 {
			continue
		}
		l := &liar{Node: node.Node, victims: func(target dht.ID) []dht.Node {
			var nodes []dht.Node
			for range 8 {
				b := [4]byte{198}
				binary.BigEndian.PutUint16(b[1:], uint16(random.Uint32()))
				nodes = append(nodes, dht.Node{ID: near(target, byte(random.Uint32())), Addr: netip.AddrPortFrom(netip.AddrFrom4(b), 2000)})
			}
			return nodes
		}}
		l.join(n)
	}
	key := newKey(1)
	writer, _ := newClient(n, false, dht.Options{Bootstrap: routers})
	writer.Topic(public(key), nil).Put(newItem(t, key, 1, "note"))
	n.Run(5 * time.Second)
	reader, _ := newClient(n, false, dht.Options{Bootstrap: routers})
	found := false
	topic := reader.Topic(public(key), func(dht.Item) { found = true })
	for range 10 {
		topic.Search()
		n.Run(time.Second)
	}
	if !found {
		t.Errorf("the note was not found: %+v", topic.State())
	}
}

// TestForgedItems has nodes answer with items that the key's owner has not signed, and with incomplete ones.
func TestForgedItems(t *testing.T) {
	key, other := newKey(1), newKey(2)
	good, foreign := newItem(t, key, 5, "good"), newItem(t, other, 9, "foreign")
	for name, extra := range map[string]map[string]bencode.Value{
		"another key":       {"k": bencode.Text(foreign.Key[:]), "seq": bencode.Number(9), "sig": bencode.Text(foreign.Signature[:]), "v": bencode.Text("foreign")},
		"our key's name":    {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(9), "sig": bencode.Text(foreign.Signature[:]), "v": bencode.Text("foreign")},
		"a higher seq":      {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(6), "sig": bencode.Text(good.Signature[:]), "v": bencode.Text("good")},
		"a negative seq":    {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(-5), "sig": bencode.Text(good.Signature[:]), "v": bencode.Text("good")},
		"another value":     {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "sig": bencode.Text(good.Signature[:]), "v": bencode.Text("evil")},
		"no seq":            {"k": bencode.Text(good.Key[:]), "sig": bencode.Text(good.Signature[:]), "v": bencode.Text("good")},
		"no signature":      {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "v": bencode.Text("good")},
		"a short one":       {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "sig": bencode.Text("short"), "v": bencode.Text("good")},
		"no value":          {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "sig": bencode.Text(good.Signature[:])},
		"a value in a list": {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "sig": bencode.Text(good.Signature[:]), "v": {Kind: bencode.List}},
		"a huge value":      {"k": bencode.Text(good.Key[:]), "seq": bencode.Number(5), "sig": bencode.Text(good.Signature[:]), "v": bencode.Text(make([]byte, 1400))},
		"a huge token":      {"token": bencode.Text(make([]byte, 1000))},
		"half a node":       {"nodes": bencode.Text(make([]byte, 27))},
	} {
		t.Run(name, func(t *testing.T) {
			n := dhttest.NewNetwork(7, noon)
			l := &liar{Node: dht.Node{Addr: netip.MustParseAddrPort("20.1.1.1:7000")}, extra: extra, victims: func(dht.ID) []dht.Node { return nil }}
			l.join(n)
			c, _ := newClient(n, false, dht.Options{Bootstrap: []string{}, Nodes: []dht.Node{l.Node}})
			topic := c.Topic(public(key), func(i dht.Item) { t.Errorf("found %q", i.Value) })
			topic.Search()
			n.Run(2 * time.Second)
			topic.Ask(1)
			n.Run(2 * time.Second)
			if c.Reached() != 1 {
				t.Errorf("%d nodes have answered, want the liar", c.Reached())
			}
		})
	}
}

// TestForbiddenContacts has nodes name addresses that must get no packet.
func TestForbiddenContacts(t *testing.T) {
	n := dhttest.NewNetwork(8, noon)
	own := netip.MustParseAddr("203.0.113.77")
	var named []dht.Node
	for i, text := range []string{
		"127.0.0.1:6881", "10.0.0.1:6881", "192.168.1.1:6881", "172.16.0.1:6881", "100.64.0.1:6881", "169.254.0.1:6881", "224.0.0.1:6881",
		"255.255.255.255:6881", "0.0.0.0:6881", "20.1.1.2:0", "20.1.1.2:53", "203.0.113.77:6881", "20.1.1.3:6881",
	} {
		named = append(named, dht.Node{ID: dht.ID{byte(i)}, Addr: netip.MustParseAddrPort(text)})
	}
	l := &liar{Node: dht.Node{Addr: netip.MustParseAddrPort("20.1.1.1:7000")}, victims: func(dht.ID) []dht.Node { return named }}
	l.join(n)
	allowed := []netip.AddrPort{l.Addr, named[len(named)-1].Addr}
	asked := make(map[netip.AddrPort]int)
	c, addr := newClient(n, false, dht.Options{
		Bootstrap: []string{"127.0.0.1:6881", "192.168.1.1:6881"}, Nodes: []dht.Node{l.Node, named[0], named[1]},
		Own: func(a netip.Addr) bool { return a == own },
	})
	n.Seen = func(from, to netip.AddrPort, _ []byte) {
		if from == addr {
			asked[to]++
		}
	}
	topic := c.Topic([32]byte{1}, nil)
	for range 120 {
		topic.Search()
		n.Run(time.Second)
	}
	for to := range asked {
		if !slices.Contains(allowed, to) {
			t.Errorf("%v was asked %d times", to, asked[to])
		}
	}
	if asked[allowed[1]] == 0 {
		t.Error("the only contact that may be asked was not")
	}
}

// TestOuterBehindNAT has a router that uses a new port for each destination, one that does not, and a liar among the nodes.
func TestOuterBehindNAT(t *testing.T) {
	for name, symmetric := range map[string]bool{"one port": false, "a port for each destination": true} {
		t.Run(name, func(t *testing.T) {
			n := dhttest.NewNetwork(10, noon)
			n.Grow(20, 0, false)
			router := netip.MustParseAddr("198.51.100.7")
			l := &liar{
				Node: dht.Node{Addr: netip.MustParseAddrPort("20.1.1.1:7000")},
				top:  map[string]bencode.Value{"ip": bencode.Text("\xcb\x00\x71\x42\x13\x88")}, // 203.0.113.66:5000
				victims: func(dht.ID) []dht.Node {
					var nodes []dht.Node
					for _, node := range n.Nodes[:8] {
						nodes = append(nodes, node.Node)
					}
					return nodes
				},
			}
			l.join(n)
			var c *dht.Client
			changes := 0
			ports := make(map[netip.AddrPort]uint16)
			c = dht.New(dht.Options{
				Clock: n, Bootstrap: []string{}, Nodes: []dht.Node{l.Node}, OuterChanged: func() { changes++ },
				Send: func(to netip.AddrPort, b []byte) {
					if ports[to] == 0 {
						ports[to] = 40000
						if symmetric {
							ports[to] += uint16(len(ports))
						}
					}
					n.Host(netip.AddrPortFrom(router, ports[to]), func(from netip.AddrPort, b []byte) { c.Take(from, b) })(to, b)
				},
			})
			c.Topic([32]byte{1}, nil).Search()
			n.Run(5 * time.Second)
			v4, _ := c.Outer()
			if v4.Addr.Addr() != router || v4.Symmetric != symmetric || !symmetric && v4.Addr.Port() != 40000 {
				t.Errorf("got %+v", v4)
			}
			if changes != 1 {
				t.Errorf("%d changes were told, want one", changes)
			}
		})
	}
}

// FuzzTake feeds answers of the nodes that were asked, with the right transaction in place of "TTTT". It holds the bounds.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{
		"d1:rd2:id20:abcdefghij0123456789e1:t4:TTTT1:y1:re",
		"d2:ip6:\x01\x02\x03\x04\x05\x061:rd2:id20:abcdefghij01234567895:nodes26:abcdefghij0123456789\x08\x08\x08\x08\x20\x005:token4:aaaae1:t4:TTTT1:y1:re",
		"d1:rd2:id20:abcdefghij01234567891:k32:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1:v1:ae1:t4:TTTT1:y1:re",
		"d1:eli203e3:bade1:t4:TTTT1:y1:ee", "d1:ele1:t4:TTTT1:y1:ee", "d1:q3:put1:t2:aa1:y1:qe", "d1:t4:TTTT1:y1:re", "", "d", "de",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := dhttest.NewNetwork(1, noon)
		asked := make(map[netip.AddrPort][]byte)
		c, addr := newClient(n, false, dht.Options{Bootstrap: []string{"20.0.0.1:6881"}, Nodes: []dht.Node{{Addr: netip.MustParseAddrPort("20.0.0.2:6881")}}})
		sent := 0
		n.Seen = func(from, to netip.AddrPort, q []byte) {
			if from == addr {
				asked[to] = slices.Clone(q)
				sent++
			}
		}
		topic := c.Topic([32]byte{1}, nil)
		item, _ := dht.NewItem(newKey(1), 1, []byte("value"))
		topic.Put(item)
		for range 3 {
			n.Run(1200 * time.Millisecond)
			for to, q := range asked {
				m, err := bencode.Decode(q)
				if err != nil {
					t.Fatalf("we sent %q: %v", q, err)
				}
				c.Take(to, bytes.ReplaceAll(b, []byte("TTTT"), m.Get("t").Str))
			}
		}
		contacts, questions, spots, _ := c.Sizes()
		if contacts > 40 || questions > 100 || spots > dht.MaxSpots || sent > 200 {
			t.Errorf("%q: %d contacts, %d questions, %d spots, %d datagrams", b, contacts, questions, spots, sent)
		}
	})
}
