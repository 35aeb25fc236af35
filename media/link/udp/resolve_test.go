// SPDX-License-Identifier: Apache-2.0

package udp

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errNoSuchHost = errors.New("no such host")

// names is a lookup in a table.
func names(table map[string][]netip.Addr) Lookup {
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
			got, err := Resolve(t.Context(), find, "peer", tt.name)
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
