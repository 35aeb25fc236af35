// SPDX-License-Identifier: Apache-2.0

package media

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadOwners(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	screen := netip.MustParseAddrPort("127.0.0.1:41234")
	client := func(port uint16) tcpEnds {
		return tcpEnds{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), screen}
	}
	const rest = "00000000:00000000 00:00000000 00000000 %5d        0 123456 1 0000000000000000 20 4 30 10 -1\n"
	row := func(from, to netip.AddrPort, uid int) string {
		return "   0: " + tableRow(tcpEnds{from, to}, netip.Addr.AsSlice) + fmt.Sprintf(rest, uid)
	}
	open, other, half, v6, absent := client(50001), client(50002), client(50003), client(50004), client(50005)
	elsewhere := netip.MustParseAddrPort("127.0.0.1:80")

	dir := t.TempDir()
	tables := map[string]string{
		"tcp": head +
			"   0: 0100007F:A112 00000000:0000 0A " + fmt.Sprintf(rest, 7) + // the listener
			row(open.to, open.from, 7) + // our own end of it
			row(open.from, elsewhere, 8) + // the same port towards another address
			row(open.from, open.to, 1000) +
			"   broken line\n   1: short\n" +
			row(other.from, other.to, 1001) +
			// Closed: the table says 0 for any user.
			strings.Replace(row(half.from, half.to, 0), " 01 ", " 05 ", 1),
		"tcp6": head + "  10: " + tableRow(v6, as16) + fmt.Sprintf(rest, 1002),
	}
	for name, text := range tables {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wanted := []tcpEnds{open, other, half, v6, absent}
	want := map[tcpEnds]int{open: 1000, other: 1001, v6: 1002}
	got, err := readOwnersIn(dir, wanted)
	if err != nil {
		t.Fatal(err)
	}
	equal := cmp.Options{cmp.AllowUnexported(tcpEnds{}), cmpopts.EquateComparable(netip.AddrPort{})}
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("owners differ (-want +got):\n%s", diff)
	}

	// A kernel without IPv6 has no second table; one without the first tells nothing.
	if err := os.Remove(filepath.Join(dir, "tcp6")); err != nil {
		t.Fatal(err)
	}
	if _, err := readOwnersIn(dir, wanted); err != nil {
		t.Errorf("without IPv6: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "tcp")); err != nil {
		t.Fatal(err)
	}
	if got, err := readOwnersIn(dir, wanted); err == nil {
		t.Errorf("without a table: got %v, want an error", got)
	}
}

// Both ways to ask the real kernel know both ends of a connection, by IPv4, by IPv6, and by
// a socket for IPv6 that reaches an address of IPv4, and know nothing of one that is closed.
func TestOwnersOfThisMachine(t *testing.T) {
	ways := map[string]func([]tcpEnds) (map[tcpEnds]int, error){"ask": askOwners, "read": readOwners}
	for name, owners := range ways {
		for listen, dial := range map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "::1", "0.0.0.0:0": "::ffff:127.0.0.1"} {
			t.Run(name+" "+dial, func(t *testing.T) {
				l, err := net.Listen("tcp", listen)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = l.Close() }()
				out, err := net.Dial("tcp", net.JoinHostPort(dial, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = out.Close() }()
				in, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = in.Close() }()
				there, here := endsOf(in), endsOf(out)
				wanted := []tcpEnds{there, here, {there.from, there.from}}
				want := map[tcpEnds]int{there: os.Geteuid(), here: os.Geteuid()}
				equal := cmp.Options{cmp.AllowUnexported(tcpEnds{}), cmpopts.EquateComparable(netip.AddrPort{})}
				got, err := owners(wanted)
				if diff := cmp.Diff(want, got, equal); err != nil || diff != "" {
					t.Errorf("open: %v (-want +got):\n%s", err, diff)
				}
				_ = out.Close()
				got, err = owners([]tcpEnds{there})
				if err != nil || len(got) > 0 {
					t.Errorf("closed: got %v, %v, want nothing", got, err)
				}
			})
		}
	}
}
