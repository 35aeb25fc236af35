// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"net/netip"
	"os"
	"path/filepath"
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

// TestPortOfAChild: the copy of a socket that a child has until it executes its program.
func TestPortOfAChild(t *testing.T) {
	port := testbed.FreeUDPPorts(t, 1)
	conn, err := Listen(netip.Addr{}, port)
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
	again, err := Listen(netip.Addr{}, port)
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
