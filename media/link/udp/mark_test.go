// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWriterMarks reads from datagrams how they are marked.
func TestWriterMarks(t *testing.T) {
	for _, test := range []struct{ from, to string }{
		{"127.0.0.1", "127.0.0.1"}, {"::1", "::1"}, {"::", "127.0.0.1"}, {"::", "::1"},
	} {
		t.Run(test.from+" to "+test.to, func(t *testing.T) {
			from := netip.MustParseAddr(test.from)
			if from.IsUnspecified() {
				from = netip.Addr{}
			}
			sender, err := Listen(from, 0)
			if err != nil {
				t.Skip(err) // no IPv6 here
			}
			defer func() { _ = sender.Close() }()
			receiver, err := Listen(netip.MustParseAddr(test.to), 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = receiver.Close() }()
			raw, err := receiver.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			_ = raw.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
			})
			w := NewWriter(sender, slog.New(slog.DiscardHandler))
			to := LocalAddr(receiver)
			w.Send(to, []byte("plain"))
			w.SendMedia(to, []byte("picture"))
			w.SendNumbered(to, []byte("voice"), 7)
			w.Send(to, []byte("plain again"))
			w.Flush()
			for _, want := range []Mark{Plain, Interactive, Interactive, Plain} {
				if got := markOf(t, receiver); got != want {
					t.Errorf("got mark %#x, want %#x", got, want)
				}
			}
			if w.Dropped() != 0 {
				t.Errorf("%d were dropped", w.Dropped())
			}
		})
	}
}

// markOf reads a datagram and returns its mark.
func markOf(t *testing.T, conn *net.UDPConn) Mark {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	control := make([]byte, 256)
	_, n, _, _, err := conn.ReadMsgUDPAddrPort(make([]byte, 100), control)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if k := m.Header; k.Level == unix.IPPROTO_IP && k.Type == unix.IP_TOS || k.Level == unix.IPPROTO_IPV6 && k.Type == unix.IPV6_TCLASS {
			return Mark(m.Data[0])
		}
	}
	t.Fatal("the kernel does not tell the mark")
	return 0
}
