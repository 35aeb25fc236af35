// SPDX-License-Identifier: Apache-2.0

package meet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/testbed"
)

// TestRealLibtorrent has two sides meet over real nodes of libtorrent, on sockets of this machine: at first the guest alone,
// then the inviter, who is found again after it has come to other addresses.
func TestRealLibtorrent(t *testing.T) {
	testbed.Need(t)
	const python = "/usr/bin/python3" // which has the modules of Debian's packages
	if err := exec.Command(python, "-c", "import libtorrent").Run(); err != nil {
		t.Fatalf("libtorrent is missing (%v); install it with: sudo apt install python3-libtorrent", err)
	}
	const count = 12
	out, in := io.Pipe()
	testbed.Start(t, testbed.Command{Name: "libtorrent", Path: python, Args: []string{"testdata/nodes.py", fmt.Sprint(count)}, Stdout: in})
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			ready <- lines.Text()
		}
	}()
	receive(t, ready, "libtorrent's nodes know each other")

	addr := func(kind meet.Kind, text string) meet.Candidate {
		return meet.Candidate{Addr: netip.MustParseAddrPort(text), Kind: kind}
	}
	guest := []meet.Candidate{addr(meet.LAN, "192.168.1.2:5000"), addr(meet.Outer, "198.51.100.7:5000")}
	inviter := []meet.Candidate{addr(meet.LAN, "192.168.1.3:5000"), addr(meet.Host, "[2001:db8::3]:5000")}

	ofInviter, _ := realSide(t, meet.Secret{1}, meet.Secret{2}, func() []meet.Candidate { return guest })
	moved := make(chan struct{})
	ofGuest, second := realSide(t, meet.Secret{2}, meet.Secret{1}, func() []meet.Candidate {
		select {
		case <-moved:
			return guest[:1]
		default:
			return inviter
		}
	})
	start := time.Now()
	got := receive(t, ofInviter, "the guest finds the inviter")
	if diff := cmp.Diff(inviter, got, plain); diff != "" {
		t.Errorf("inviter's addresses (-want +got):\n%s", diff)
	}
	got = receive(t, ofGuest, "the inviter finds the guest")
	if diff := cmp.Diff(guest, got, plain); diff != "" {
		t.Errorf("guest's addresses (-want +got):\n%s", diff)
	}
	t.Logf("both have the other's note after %v", time.Since(start))

	close(moved)
	start = time.Now()
	second.meeting.Changed()
	got = receive(t, ofInviter, "the guest finds the inviter again")
	if diff := cmp.Diff(guest[:1], got, plain); diff != "" {
		t.Errorf("inviter's second addresses (-want +got):\n%s", diff)
	}
	t.Logf("the second note is there after %v", time.Since(start))
	v4, _ := second.client.Outer()
	if diff := cmp.Diff(dht.Outer{Addr: second.addr}, v4, plain); diff != "" {
		t.Errorf("outer address (-want +got):\n%s", diff)
	}
}

// realSide starts a side on a socket of this machine. It sends what it finds on a channel.
func realSide(t *testing.T, own, peer meet.Secret, candidates func() []meet.Candidate) (<-chan []meet.Candidate, *side) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s := &side{addr: local}
	s.client = dht.New(dht.Options{
		Send: func(to netip.AddrPort, b []byte) {
			if _, err := conn.WriteToUDPAddrPort(b, to); err != nil && t.Context().Err() == nil {
				t.Errorf("send to %v: %v", to, err)
			}
		},
		Bootstrap: []string{"127.0.1.2:6881", "127.0.2.2:6881"},
		Allow:     netip.Addr.IsLoopback,
		Reaches:   netip.Addr.Is4,
	})
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			s.client.Take(from, b[:n])
		}
	}()
	found := make(chan []meet.Candidate, 16)
	s.meeting = meet.New(meet.Options{
		Client: s.client, Own: own, Peer: peer, Candidates: candidates,
		Found: func(c []meet.Candidate) { found <- c },
	})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go s.client.Run(ctx)
	go s.meeting.Run(ctx)
	return found, s
}

// receive is for what takes long on a busy machine, as many real nodes do.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	const limit = 2 * time.Minute
	select {
	case v := <-c:
		return v
	case <-time.After(limit):
		t.Fatalf("awaited for %v: %s", limit, what)
		panic("unreachable")
	}
}
