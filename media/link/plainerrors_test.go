// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

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

// names is a lookup in a table.
func names(table map[string][]netip.Addr) udp.Lookup {
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		if addrs, ok := table[host]; ok {
			return append([]netip.Addr(nil), addrs...), nil
		}
		return nil, errors.New("no such host")
	}
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
