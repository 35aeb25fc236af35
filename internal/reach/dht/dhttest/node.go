// SPDX-License-Identifier: Apache-2.0

// Package dhttest has nodes of a DHT for tests: honest ones, which answer on real sockets or in a simulated network with a
// clock of its own. They know as much of BEP 5, 42 and 44 as package dht uses. It is an independent witness: it builds
// and reads messages by itself, apart from the encoding.
package dhttest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/dht/bencode"
)

// Node answers questions as a node of the DHT does. Set its fields before the first question.
type Node struct {
	dht.Node
	// Known are the nodes that it names to others.
	Known []dht.Node
	// Router answers only for nodes, as the well-known bootstrap hosts do.
	Router bool
	// Silent tells whether a question is not answered. Nil: all are answered.
	Silent func(method string) bool

	mu    sync.Mutex
	items map[dht.ID]bencode.Value // the keys k, seq, sig and v
	asked map[string]int
}

// Asked returns how often each method was asked for.
func (n *Node) Asked() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.asked)
}

// Forget drops all items.
func (n *Node) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.items)
}

// Items is how many items it has.
func (n *Node) Items() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.items)
}

// Answer returns the answer to a question, or nil when there is none.
func (n *Node) Answer(from netip.AddrPort, b []byte) []byte {
	m, err := bencode.Decode(b)
	if err != nil || string(m.Get("y").Str) != "q" {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.items == nil {
		n.items, n.asked = make(map[dht.ID]bencode.Value), make(map[string]int)
	}
	method, args := string(m.Get("q").Str), m.Get("a")
	n.asked[method]++
	if n.Silent != nil && n.Silent(method) {
		return nil
	}
	answer := map[string]bencode.Value{
		"t": m.Get("t"), "y": bencode.Text("r"), "ip": bencode.Text(compact(from)),
	}
	r := map[string]bencode.Value{"id": bencode.Text(n.ID[:])}
	code := 0
	switch {
	case method == "ping":
	case method == "find_node" && len(args.Get("target").Str) == len(dht.ID{}):
		n.name(r, dht.ID(args.Get("target").Str), from, args.Get("want"))
	case method == "get" && !n.Router && len(args.Get("target").Str) == len(dht.ID{}):
		target := dht.ID(args.Get("target").Str)
		n.name(r, target, from, args.Get("want"))
		r["token"] = bencode.Text(n.token(from))
		for _, p := range n.items[target].Pairs {
			r[string(p.Key)] = p.Value
		}
	case method == "put" && !n.Router:
		code = n.put(from, args)
	default:
		code = 204
	}
	answer["r"] = bencode.Dict(r)
	if code != 0 {
		delete(answer, "r")
		answer["y"] = bencode.Text("e")
		answer["e"] = bencode.Value{Kind: bencode.List, Items: []bencode.Value{bencode.Number(int64(code)), bencode.Text("refused")}}
	}
	return bencode.Append(nil, bencode.Dict(answer))
}

// put stores an item, or returns the code of what is wrong with it.
func (n *Node) put(from netip.AddrPort, args bencode.Value) int {
	key, sig, v, seq := args.Get("k").Str, args.Get("sig").Str, bencode.Append(nil, args.Get("v")), args.Get("seq")
	target := dht.ID(sha1.Sum(key))
	old, has := n.items[target]
	switch {
	case string(args.Get("token").Str) != n.token(from):
		return 203
	case len(v) > 1000:
		return 205
	case len(key) != ed25519.PublicKeySize || seq.Kind != bencode.Integer ||
		!ed25519.Verify(key, fmt.Appendf(nil, "3:seqi%de1:v%s", seq.Int, v), sig):
		return 206
	case has && old.Get("seq").Int > seq.Int:
		return 302
	}
	item := map[string]bencode.Value{}
	for _, name := range []string{"k", "sig", "v"} {
		item[name] = bencode.Text(slices.Clone(args.Get(name).Str))
	}
	item["seq"] = seq
	n.items[target] = bencode.Dict(item)
	return 0
}

// name adds the closest nodes that it knows.
func (n *Node) name(r map[string]bencode.Value, target dht.ID, from netip.AddrPort, want bencode.Value) {
	wanted := map[bool]bool{from.Addr().Unmap().Is4(): true}
	for _, w := range want.Items {
		wanted[string(w.Str) == "n4"] = true
	}
	known := slices.Clone(n.Known)
	slices.SortFunc(known, func(a, b dht.Node) int {
		for i := range target {
			if x, y := a.ID[i]^target[i], b.ID[i]^target[i]; x != y {
				return int(x) - int(y)
			}
		}
		return 0
	})
	for four, field := range map[bool]string{true: "nodes", false: "nodes6"} {
		var list []byte
		count := 0
		for _, k := range known {
			if wanted[four] && k.Addr.Addr().Is4() == four && count < 8 {
				list = append(append(list, k.ID[:]...), compact(k.Addr)...)
				count++
			}
		}
		if wanted[four] {
			r[field] = bencode.Text(list)
		}
	}
}

func (n *Node) token(from netip.AddrPort) string {
	mac := hmac.New(sha256.New, n.ID[:])
	mac.Write([]byte(from.Addr().Unmap().String()))
	return string(mac.Sum(nil)[:8])
}

// Serve answers what comes to a socket until it is closed.
func (n *Node) Serve(conn net.PacketConn) error {
	b := make([]byte, 4096)
	for {
		size, addr, err := conn.ReadFrom(b)
		if err != nil {
			return err
		}
		udp, ok := addr.(*net.UDPAddr)
		if !ok {
			continue
		}
		if answer := n.Answer(udp.AddrPort(), b[:size]); answer != nil {
			if _, err := conn.WriteTo(answer, addr); err != nil {
				return err
			}
		}
	}
}

func compact(a netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(a.Addr().Unmap().AsSlice(), a.Port())
}
