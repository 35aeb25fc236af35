// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// TestRealQuiet measures what a peer sends to anybody else while it is off air, and while it waits for the other one, once
// what it does at first is over.
func TestRealQuiet(t *testing.T) {
	needLab(t)
	t.Parallel()
	const listen = 20 * time.Second
	for _, tc := range []struct {
		name   string
		offAir bool
		first  time.Duration
	}{
		{"off air", true, 5 * time.Second},
		{"waiting", false, 40 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			computer := l.home("inviter", habits{opens: true, ipv6: true}).pc("inviter")
			l.startDHT()
			sent := newCapture(t, computer)
			newCall(t).start(computer, peerConfig{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap(), OffAir: tc.offAir})
			time.Sleep(tc.first)
			t.Logf("in the first %v, %.0f bytes a second:\n%s", tc.first, sent.rate(nil), lines(sent.others()))
			sent.begin()
			time.Sleep(listen)
			t.Logf("in the next %v:\n%s", listen, lines(sent.others()))
			if got := sent.rate(beyondHome); got >= goalBytesRate {
				t.Errorf("sent %.0f bytes a second to the internet, want less than %d", got, goalBytesRate)
			}
			if got := sent.rate(nil); tc.offAir && got >= goalBytesRate {
				t.Errorf("sent %.0f bytes a second, want less than %d", got, goalBytesRate)
			}
		})
	}
}

// beyondHome tells whether an address is none of the home's network.
func beyondHome(a netip.Addr) bool {
	return !netip.MustParsePrefix("2001:db8:1::/64").Contains(a) && !a.IsPrivate() && !a.IsMulticast() && a != netip.MustParseAddr("255.255.255.255")
}
