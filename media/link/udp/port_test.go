// SPDX-License-Identifier: Apache-2.0

package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/testbed"
)

func TestPortInodes(t *testing.T) {
	// From a kernel 6.1, one socket on 0.0.0.0:5000 and two on port 5353.
	const table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  123: 00000000:1388 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 431217 2 0000000000000000 0
  476: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   108        0 17001 2 0000000000000000 0
  476: FB0000E0:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 93002 2 0000000000000000 0
`
	path := filepath.Join(t.TempDir(), "udp")
	if err := os.WriteFile(path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[int][]string{5000: {"431217"}, 5353: {"17001", "93002"}, 5001: nil} {
		if diff := cmp.Diff(want, portInodes(path, port)); diff != "" {
			t.Errorf("port %d (-want +got):\n%s", port, diff)
		}
	}
	if got := portInodes(filepath.Join(t.TempDir(), "absent"), 5000); got != nil {
		t.Errorf("no table: got %v, want nothing", got)
	}
}

func TestPortTaken(t *testing.T) {
	base := testbed.FreeUDPPorts(t, 8)
	taken, err := net.ListenUDP("udp", &net.UDPAddr{Port: base + 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()

	_, err = NewPlain(PlainOptions{Peer: "127.0.0.1", BasePort: base, Send: true, Receive: true})
	var portErr *PortError
	if !errors.As(err, &portErr) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v, want a *PortError that wraps EADDRINUSE", err)
	}
	if portErr.Port != base+3 || portErr.PID != os.Getpid() || portErr.Process == "" {
		t.Errorf("got port %d, process %d %q, want %d, %d and its name", portErr.Port, portErr.PID, portErr.Process, base+3, os.Getpid())
	}
	want := fmt.Sprintf("UDP port %d is taken by %s (process %d); stop it with: kill %d", base+3, portErr.Process, os.Getpid(), os.Getpid())
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// What was bound before the failure is free again.
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := NewPlain(PlainOptions{Peer: "127.0.0.1", BasePort: base, Send: true, Receive: true})
	if err != nil {
		t.Fatalf("after the port was freed: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestPortOfAChild: the copy of a socket that a child has until it executes its program.
func TestPortOfAChild(t *testing.T) {
	port := testbed.FreeUDPPorts(t, 1)
	conn, err := bind(netip.Addr{}, port)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := conn.File()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	executes := time.AfterFunc(forkLimit/5, func() { _ = copied.Close() })
	defer executes.Stop()
	again, err := bind(netip.Addr{}, port)
	if err != nil {
		t.Fatalf("while the child begins: %v", err)
	}
	_ = again.Close()
}

func TestPortErrorText(t *testing.T) {
	tests := []struct {
		err  *PortError
		want string
	}{
		{&PortError{Port: 5001, Err: syscall.EADDRINUSE},
			"UDP port 5001 is taken by a process of another user; see which with: sudo ss -lunp 'sport = :5001'"},
		{&PortError{Port: 5000, Address: netip.MustParseAddr("192.0.2.1"), Err: syscall.EADDRNOTAVAIL},
			"cannot listen on 192.0.2.1: this machine does not have that address; see: ip address"},
		{&PortError{Port: 80, Err: syscall.EACCES}, "cannot listen on UDP port 80: permission denied"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestNewPlainErrors(t *testing.T) {
	base := testbed.FreeUDPPorts(t, 8)
	find := names(map[string][]netip.Addr{
		"v6.example":   addrs("::1"),
		"both.example": addrs("::1", "127.0.0.1"),
	})
	tests := []struct {
		name string
		o    PlainOptions
		want string // part of the text; empty is success
	}{
		{"neither way", PlainOptions{Peer: "127.0.0.1"}, "neither"},
		{"no peer", PlainOptions{Receive: true}, "missing"},
		{"base port too high", PlainOptions{Peer: "127.0.0.1", Receive: true, BasePort: 65530}, "65528"},
		{"base port negative", PlainOptions{Peer: "127.0.0.1", Receive: true, BasePort: -2}, "65528"},
		{"unknown peer", PlainOptions{Peer: "x.example", Receive: true}, `peer address "x.example"`},
		{"unknown listen name", PlainOptions{Peer: "127.0.0.1", Listen: "x.example", Receive: true}, `listen address "x.example"`},
		{"not our address", PlainOptions{Peer: "127.0.0.1", Listen: "192.0.2.1", Receive: true, BasePort: base}, "does not have that address"},
		{"of different kinds", PlainOptions{Peer: "127.0.0.1", Listen: "v6.example", Receive: true, BasePort: base}, "IPv4 or IPv6"},
		{"the kind that fits", PlainOptions{Peer: "127.0.0.1", Listen: "both.example", Receive: true, BasePort: base}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := newPlain(tt.o, find)
			if p != nil {
				defer func() { _ = p.Close() }()
			}
			if text := errorText(err); (tt.want == "") != (err == nil) || !strings.Contains(text, tt.want) {
				t.Errorf("got error %q, want %q in it", text, tt.want)
			}
		})
	}
}
