// SPDX-License-Identifier: Apache-2.0

package dht

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestOuter(t *testing.T) {
	const a, b, evil = "198.51.100.1:5000 ", "198.51.100.1:6000 ", "203.0.113.66:5000 "
	ports := "198.51.100.1:7001 198.51.100.1:7002 198.51.100.1:7003 198.51.100.1:7004 "
	for _, tc := range []struct {
		name, saw string // by node after node
		want      string
		symmetric bool
	}{
		{"nobody", "", "invalid AddrPort", false},
		{"a single node", a, "invalid AddrPort", false},
		{"two agree", a + a, "198.51.100.1:5000", false},
		{"one against one", a + evil, "invalid AddrPort", false},
		{"a liar comes first", evil + a + a, "198.51.100.1:5000", false},
		{"a liar comes last", a + a + evil, "198.51.100.1:5000", false},
		{"a liar names another port", a + a + b, "198.51.100.1:5000", false},
		{"two ports of two nodes tell nothing", a + b, "invalid AddrPort", false},
		{"one honest node, and a port from a liar", b + a + a + a, "198.51.100.1:5000", false},
		{"a port for each node", ports, "198.51.100.1:7004", true},
		{"three ports", strings.Join(strings.Fields(ports)[:3], " "), "198.51.100.1:7003", true},
		{"symmetric, and a liar", ports + evil, "198.51.100.1:7004", true},
		{"two liars do not make it symmetric", a + a + a + "198.51.100.1:7001 198.51.100.1:7002 ", "198.51.100.1:5000", false},
		{"the address has changed", strings.Repeat(a, 8) + strings.Repeat(evil, 5), "203.0.113.66:5000", false},
		{"the port has changed", strings.Repeat(a, 8) + strings.Repeat(b, 5), "198.51.100.1:6000", false},
		{"the port may have changed", strings.Repeat(a, 8) + strings.Repeat(b, 4), "198.51.100.1:5000", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v views
			by := netip.MustParseAddr("20.0.0.1")
			now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
			for _, saw := range strings.Fields(tc.saw) {
				by = by.Next()
				v.add(view{by, netip.MustParseAddrPort(saw), now})
			}
			if got := v.outer; got.Addr.String() != tc.want || got.Symmetric != tc.symmetric {
				t.Errorf("got %v, want %s, symmetric %v", got, tc.want, tc.symmetric)
			}
		})
	}
}

// TestOuterOneLiar has one node say many things.
func TestOuterOneLiar(t *testing.T) {
	var v views
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	by := netip.MustParseAddr("20.0.0.1")
	for port := range uint16(100) {
		v.add(view{by, netip.AddrPortFrom(netip.MustParseAddr("203.0.113.66"), 1000+port), now})
	}
	if diff := cmp.Diff(Outer{}, v.outer, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOuterForgets has views grow old.
func TestOuterForgets(t *testing.T) {
	var v views
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	before, after := netip.MustParseAddrPort("198.51.100.1:5000"), netip.MustParseAddrPort("198.51.100.2:5000")
	by := netip.MustParseAddr("20.0.0.1")
	for range maxViews + 5 {
		by = by.Next()
		v.add(view{by, before, now})
	}
	if len(v.all) != maxViews {
		t.Errorf("got %d views, want %d", len(v.all), maxViews)
	}
	for range 2 {
		by = by.Next()
		v.add(view{by, after, now.Add(viewLife)})
	}
	if len(v.all) != 2 || v.outer.Addr != after {
		t.Errorf("got %d views and %v, want 2 and %v", len(v.all), v.outer.Addr, after)
	}
}
