// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// nat stands between an inner and an outer side, as a router with a port-restricted NAT does: the outer side sees one port
// of it, which may change, and only the outer side's datagrams come in there. It also notes what passes, and lets
// somebody on the way add datagrams.
type nat struct {
	t     testing.TB
	inner *net.UDPConn // the inner side sends here

	mu       sync.Mutex
	outside  *net.UDPConn
	outer    netip.AddrPort
	client   netip.AddrPort
	captured map[byte][][]byte // by kind of datagram, as kindOf tells it
	workers  sync.WaitGroup
}

// maxCaptured is how many datagrams of a kind are kept.
const maxCaptured = 200

func newNAT(t testing.TB, outer netip.AddrPort) *nat {
	t.Helper()
	n := &nat{t: t, outer: outer, captured: map[byte][][]byte{}}
	var err error
	if n.inner, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = n.inner.Close()
		n.mu.Lock()
		_ = n.outside.Close()
		n.mu.Unlock()
		n.workers.Wait()
	})
	n.rebind()
	n.workers.Add(1)
	go func() {
		defer n.workers.Done()
		buf := make([]byte, 1<<16)
		for {
			size, from, err := n.inner.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			n.mu.Lock()
			n.client = from
			n.note(buf[:size])
			_, _ = n.outside.Write(buf[:size])
			n.mu.Unlock()
		}
	}()
	return n
}

// address is what the inner side takes for the outer one.
func (n *nat) address() string { return n.inner.LocalAddr().String() }

// rebind gives the inner side another port as the outer side sees it. The old one is dead.
func (n *nat) rebind() {
	n.t.Helper()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(n.outer))
	if err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	if n.outside != nil {
		_ = n.outside.Close()
	}
	n.outside = conn
	n.mu.Unlock()
	n.workers.Add(1)
	go func() {
		defer n.workers.Done()
		buf := make([]byte, 1<<16)
		for {
			size, err := conn.Read(buf)
			if err != nil {
				return
			}
			n.mu.Lock()
			n.note(buf[:size])
			_, _ = n.inner.WriteToUDPAddrPort(buf[:size], n.client)
			n.mu.Unlock()
		}
	}()
}

// The kinds of datagrams on a secure link.
const (
	kindSTUN = iota
	kindDTLS
	kindRTP
	kindRTCP
	kindOther
)

func kindOf(b []byte) byte {
	switch {
	case len(b) < 2:
		return kindOther
	case b[0] < 4:
		return kindSTUN
	case b[0] >= 20 && b[0] < 64:
		return kindDTLS
	case b[0]>>6 == 2 && b[1] >= 192 && b[1] < 224:
		return kindRTCP
	case b[0]>>6 == 2:
		return kindRTP
	}
	return kindOther
}

func (n *nat) note(b []byte) {
	kind := kindOf(b)
	if all := n.captured[kind]; len(all) < maxCaptured {
		n.captured[kind] = append(all, append([]byte(nil), b...))
	}
}

// inject sends a datagram to the outer side as if the inner one had.
func (n *nat) inject(b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.outside.Write(b)
}

// seen returns what passed of a kind.
func (n *nat) seen(kind byte) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.captured[kind]
}
