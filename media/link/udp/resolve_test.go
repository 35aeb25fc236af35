// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errNoSuchHost = errors.New("no such host")

// names is a lookup in a table.
func names(table map[string][]netip.Addr) lookup {
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		if addrs, ok := table[host]; ok {
			return append([]netip.Addr(nil), addrs...), nil
		}
		return nil, errNoSuchHost
	}
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, s := range texts {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

var compareAddrs = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestResolve(t *testing.T) {
	find := names(map[string][]netip.Addr{
		"both.example":  addrs("2001:db8::1", "::ffff:192.0.2.1"),
		"empty.example": {},
	})
	tests := []struct {
		name string
		want []netip.Addr
		err  string
	}{
		{"192.0.2.9", addrs("192.0.2.9"), ""},
		{"2001:db8::9", addrs("2001:db8::9"), ""},
		{"[2001:db8::9]", addrs("2001:db8::9"), ""},
		{"fe80::1%eth0", addrs("fe80::1%eth0"), ""},
		{"both.example", addrs("2001:db8::1", "192.0.2.1"), ""},
		{"empty.example", nil, `peer address "empty.example": the name has no address`},
		{"absent.example", nil, `peer address "absent.example": no such host`},
		{"both.example:5000", nil, `peer address "both.example:5000": leave out the port "5000": the ports follow from the base port`},
		{"[2001:db8::9]:5000", nil, `peer address "[2001:db8::9]:5000": leave out the port "5000": the ports follow from the base port`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := resolve(t.Context(), find, "peer", tt.name)
			if diff := cmp.Diff(tt.want, got, compareAddrs); diff != "" {
				t.Errorf("addresses differ (-want +got):\n%s", diff)
			}
			if text := errorText(err); text != tt.err {
				t.Errorf("got error %q, want %q", text, tt.err)
			}
			if nameErr := (*NameError)(nil); err != nil && !errors.As(err, &nameErr) {
				t.Errorf("got a %T, want a *NameError", err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestPeer(t *testing.T) {
	table := map[string][]netip.Addr{"peer.example": addrs("2001:db8::1", "192.0.2.1", "192.0.2.2")}
	p := &peer{name: "peer.example", find: names(table), fits: netip.Addr.Is4, log: slog.New(slog.DiscardHandler)}
	check := func(when, want string) {
		t.Helper()
		if got := p.addr(); got != netip.MustParseAddr(want) {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	if err := p.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("first that fits", "192.0.2.1")
	p.heard(netip.MustParseAddr("192.0.2.2"))
	check("heard from the second", "192.0.2.2")
	p.heard(netip.MustParseAddr("198.51.100.7"))
	check("heard from a stranger", "192.0.2.2")
	if p.trusted(netip.MustParseAddr("198.51.100.7")) || !p.trusted(netip.MustParseAddr("192.0.2.1")) {
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
