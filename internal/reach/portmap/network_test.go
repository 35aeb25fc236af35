// SPDX-License-Identifier: Apache-2.0

package portmap

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tables are as Linux 6.1 writes them on a little-endian machine.
const routes4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	FE01A8C0	0003	0	0	100	00000000	0	0	0
tun0	00000000	00000000	0001	0	0	50	00000000	0	0	0
eth1	00000000	0102A8C0	0002	0	0	10	00000000	0	0	0
tun1	00000000	0103A8C0	0003	0	0	5	00000080	0	0	0
eth0	0001A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
`

const routes6 = `20010db8000100000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003    wlan0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000002 00000064 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

const addrs6 = `00000000000000000000000000000001 01 80 10 80       lo
20010db8000100000000000000000002 02 40 00 80     eth0
20010db8000100000000000000000009 02 40 00 01     eth0
20010db800010000000000000000000a 02 40 00 20     eth0
20010db800010000000000000000000b 02 40 00 40     eth0
20010db8000100000000000000000005 03 40 00 80    wlan0
fd000000000000000000000000000002 02 40 00 80     eth0
fe800000000000000000000000000003 02 40 20 80     eth0
`

func TestRoutes(t *testing.T) {
	if name, gateway := defaultRoute4([]byte(routes4)); name != "eth0" || gateway != netip.MustParseAddr("192.168.1.254") {
		t.Errorf("IPv4: got %v at %s", gateway, name)
	}
	if name, gateway := defaultRoute6([]byte(routes6)); name != "eth0" || gateway != netip.MustParseAddr("fe80::2%eth0") {
		t.Errorf("IPv6: got %v at %s", gateway, name)
	}
	want := []netip.Addr{netip.MustParseAddr("2001:db8:1::2"), netip.MustParseAddr("2001:db8:1::9")}
	if diff := cmp.Diff(want, globalAddrs([]byte(addrs6), "eth0"), compareAddrs); diff != "" {
		t.Errorf("addresses: -want +got:\n%s", diff)
	}
	for _, text := range []string{"", "\n\n", "Iface\n", "a b c d e f g h i j\n"} {
		if name, gateway := defaultRoute4([]byte(text)); name != "" || gateway.IsValid() {
			t.Errorf("%q: got %v at %s", text, gateway, name)
		}
		if name, gateway := defaultRoute6([]byte(text)); name != "" || gateway.IsValid() {
			t.Errorf("%q: got %v at %s", text, gateway, name)
		}
	}
}

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"198.51.100.7": true, "8.8.8.8": true, "2001:db8::1": true, "100.63.255.255": true, "100.128.0.0": true,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "100.64.0.0": false, "100.127.255.255": false,
		"192.0.0.2": false, "169.254.1.1": false, "127.0.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "::1": false, "fe80::1": false, "fd00::1": false, "::": false,
	} {
		if got := public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %v, want %v", addr, got, want)
		}
	}
}

// TestBound asks the kernel about ports of ours.
func TestBound(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		conn, err := net.ListenPacket("udp", listen)
		if err != nil {
			t.Skipf("%s: %v", listen, err)
		}
		port := conn.LocalAddr().(*net.UDPAddr).Port
		if err := bound(port); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if bound(port) == nil {
			t.Errorf("%s: port %d is closed, and still bound", listen, port)
		}
	}
}

func TestSubjects(t *testing.T) {
	four, six := netip.MustParseAddr("192.168.1.1"), netip.MustParseAddr("fe80::1%eth0")
	n := network{
		gateway4: four, own4: netip.MustParseAddr("192.168.1.2"), gateway6: six,
		own6: []netip.Addr{netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8::3")},
	}
	want := []subject{
		{n.own4, four}, {n.own6[0], six}, {n.own6[1], six},
	}
	if got := n.subjects(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (network{}).subjects(); len(got) != 0 {
		t.Errorf("without a gateway: got %v", got)
	}
}
