// SPDX-License-Identifier: Apache-2.0

package dhttest

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestServe has a client of package dht store and read an item at nodes on real sockets.
func TestServe(t *testing.T) {
	var conns []*net.UDPConn
	var known []dht.Node
	for i := range byte(5) {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 1+i, 1)})
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		known = append(known, dht.Node{ID: dht.ID{i}, Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()})
	}
	for i, conn := range conns {
		node := &Node{Node: known[i], Known: known, Router: i == 0}
		served := make(chan error, 1)
		go func() { served <- node.Serve(conn) }()
		t.Cleanup(func() {
			_ = conn.Close()
			if err := testbed.Receive(t, served, "the node ends"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("serve: %v", err)
			}
		})
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := [32]byte(key.Public().(ed25519.PublicKey))
	item, err := dht.NewItem(key, 1, []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	writer := client(t, known[0].Addr)
	topic := writer.Topic(public, nil)
	topic.Put(item)
	testbed.Await(t, "the nodes have the item", 10*time.Second, func() error {
		if s := topic.State(); s.Holders < 4 {
			return fmt.Errorf("got %+v", s)
		}
		return nil
	})
	found := make(chan dht.Item, 1)
	client(t, known[0].Addr).Topic(public, func(i dht.Item) { found <- i }).Search()
	if diff := cmp.Diff(item, testbed.Receive(t, found, "the item is found")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// client returns a client with a socket of its own that begins with one node.
func client(t *testing.T, first netip.AddrPort) *dht.Client {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	c := dht.New(dht.Options{
		Send:      func(to netip.AddrPort, b []byte) { _, _ = conn.WriteToUDPAddrPort(b, to) },
		Bootstrap: []string{first.String()}, Allow: netip.Addr.IsLoopback, Reaches: netip.Addr.Is4,
	})
	t.Cleanup(func() {
		c.Close()
		_ = conn.Close()
	})
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			c.Take(from, b[:n])
		}
	}()
	return c
}
