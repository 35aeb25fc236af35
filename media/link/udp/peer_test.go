// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestPeer(t *testing.T) {
	table := map[string][]netip.Addr{"peer.example": addrs("2001:db8::1", "192.0.2.1", "192.0.2.2")}
	p := &Peer{name: "peer.example", find: names(table), fits: netip.Addr.Is4, log: slog.New(slog.DiscardHandler)}
	check := func(when, want string) {
		t.Helper()
		if got := p.Addr(); got != netip.MustParseAddr(want) {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	if err := p.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("first that fits", "192.0.2.1")
	p.Heard(netip.MustParseAddr("192.0.2.2"))
	check("heard from the second", "192.0.2.2")
	p.Heard(netip.MustParseAddr("198.51.100.7"))
	check("heard from a stranger", "192.0.2.2")
	if p.Trusted(netip.MustParseAddr("198.51.100.7")) || !p.Trusted(netip.MustParseAddr("192.0.2.1")) {
		t.Error("got a stranger trusted or the peer not, want the reverse")
	}

	table["peer.example"] = addrs("192.0.2.3")
	if err := p.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("moved", "192.0.2.3")

	table["peer.example"] = addrs("2001:db8::1")
	if err := p.refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "IPv4 or IPv6") {
		t.Errorf("only IPv6 left on an IPv4 socket: got error %v, want one that says so", err)
	}
	delete(table, "peer.example")
	if err := p.refresh(t.Context()); !errors.Is(err, errNoSuchHost) {
		t.Errorf("name gone: got %v, want %v", err, errNoSuchHost)
	}
	check("kept through failures", "192.0.2.3")
}
