// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

// fates runs datagrams that leave every millisecond through a path and returns the numbers of those that arrive, in
// order of arrival.
func fates(seed uint64, p Path, count int) []int {
	s, start := newStream(seed, 0, 5000), time.Unix(0, 0)
	var queue schedule
	for i := range count {
		for _, at := range s.next(p, start.Add(time.Duration(i)*time.Millisecond)) {
			heap.Push(&queue, parcel{at: at, order: uint64(i)})
		}
	}
	var order []int
	for len(queue) > 0 {
		order = append(order, int(heap.Pop(&queue).(parcel).order))
	}
	return order
}

func TestPathRepeatable(t *testing.T) {
	p := Path{Loss: 0.1, Burst: 2, Delay: 20 * time.Millisecond, Jitter: 3 * time.Millisecond, Reorder: 0.1, Duplicate: 0.05}
	first := fates(1, p, 300)
	if diff := cmp.Diff(first, fates(1, p, 300)); diff != "" {
		t.Errorf("same seed differs:\n%s", diff)
	}
	if cmp.Equal(first, fates(2, p, 300)) {
		t.Error("another seed: got the same fates, want others")
	}
}

func TestPath(t *testing.T) {
	const count = 2000
	tests := []struct {
		name                     string
		path                     Path
		lost, longest, dup, late [2]int // smallest and largest number
	}{
		{"clean", Path{}, [2]int{}, [2]int{}, [2]int{}, [2]int{}},
		{"loss", Path{Loss: 0.05}, [2]int{70, 130}, [2]int{1, 3}, [2]int{}, [2]int{}},
		{"bursts", Path{Loss: 0.005, Burst: 8}, [2]int{40, 130}, [2]int{8, 16}, [2]int{}, [2]int{}},
		{"all", Path{Loss: 1}, [2]int{count, count}, [2]int{count, count}, [2]int{}, [2]int{}},
		{"jitter keeps the order", Path{Jitter: 30 * time.Millisecond}, [2]int{}, [2]int{}, [2]int{}, [2]int{}},
		{"reorder", Path{Reorder: 0.05}, [2]int{}, [2]int{}, [2]int{}, [2]int{70, 130}},
		{"duplicate", Path{Duplicate: 0.05}, [2]int{}, [2]int{}, [2]int{70, 130}, [2]int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			came := make([]int, count)
			late, highest := 0, -1
			for _, n := range fates(7, tt.path, count) {
				if n < highest && came[n] == 0 {
					late++
				}
				highest = max(highest, n)
				came[n]++
			}
			lost, longest, run, dup := 0, 0, 0, 0
			for _, c := range came {
				switch c {
				case 0:
					lost++
					run++
					longest = max(longest, run)
				case 2:
					dup++
					run = 0
				default:
					run = 0
				}
			}
			for what, v := range map[string]struct {
				got  int
				want [2]int
			}{"lost": {lost, tt.lost}, "lost in a row": {longest, tt.longest}, "twice": {dup, tt.dup}, "late": {late, tt.late}} {
				if v.got < v.want[0] || v.got > v.want[1] {
					t.Errorf("got %d %s, want %d to %d", v.got, what, v.want[0], v.want[1])
				}
			}
		})
	}
}

func TestThrottle(t *testing.T) {
	p := Path{Rate: 1_000_000, Queue: 100 * time.Millisecond}
	var th throttle
	start := time.Unix(0, 0)
	passed := 0
	var last time.Time
	for range 100 {
		if at, ok := th.pass(p, start, 1250-headerBytes); ok { // 10 ms each
			passed++
			last = at
		}
	}
	if want := 11; passed != want {
		t.Errorf("got %d of a burst through, want %d", passed, want)
	}
	if got, want := last.Sub(start), 110*time.Millisecond; got != want {
		t.Errorf("got the last after %v, want %v", got, want)
	}
	if at, ok := th.pass(p, start.Add(time.Second), 1250-headerBytes); !ok || at.Sub(start) != 1010*time.Millisecond {
		t.Errorf("after a pause: got %v, %t, want 1.01s, true", at.Sub(start), ok)
	}
}

// TestRelay sends both ways over one port and takes the link down in between.
func TestRelay(t *testing.T) {
	var addr [4]netip.Addr
	for i := range addr {
		addr[i] = netip.MustParseAddr(testbed.LoopbackAddress(t))
	}
	port := testbed.FreeUDPPorts(t, 1)
	const delay = 20 * time.Millisecond
	r, err := New(Options{A: addr[0], B: addr[1], ForA: addr[2], ForB: addr[3], Ports: []int{port}, Paths: [2]Path{{Delay: delay}, {}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()

	listen := func(a netip.Addr) *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(port))))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	a, b := listen(addr[0]), listen(addr[1])
	send := func(c *net.UDPConn, to netip.Addr, number uint32) {
		if _, err := c.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, number), netip.AddrPortFrom(to, uint16(port))); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(c *net.UDPConn, from netip.Addr, number uint32) {
		t.Helper()
		buf := make([]byte, 10)
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, got, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		if want := netip.AddrPortFrom(from, uint16(port)); got != want {
			t.Errorf("got a datagram from %v, want %v", got, want)
		}
		if diff := cmp.Diff(binary.BigEndian.AppendUint32(nil, number), buf[:n]); diff != "" {
			t.Errorf("datagram differs (-want +got):\n%s", diff)
		}
	}
	start := time.Now()
	send(a, addr[2], 1)
	expect(b, addr[3], 1)
	if got := time.Since(start); got < delay {
		t.Errorf("got a delay of %v, want at least %v", got, delay)
	}
	send(b, addr[3], 2)
	expect(a, addr[2], 2)
	if got, want := r.Stats()[AToB].Bytes, uint64(4+headerBytes); got != want {
		t.Errorf("got %d bytes on the wire, want %d", got, want)
	}
	r.SetPath(AToB, Path{Loss: 1})
	send(a, addr[2], 3)
	testbed.Await(t, "the loss", 10*time.Second, func() error {
		if r.Stats()[AToB].Lost != 1 {
			return errors.New("not yet")
		}
		return nil
	})
	r.SetPath(AToB, Path{})
	send(a, addr[2], 4)
	expect(b, addr[3], 4)

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
