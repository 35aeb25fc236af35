// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
)

// quiet is a case of a peer that is not with the other one.
type quiet struct {
	name   string
	offAir bool
	first  time.Duration // what is sent at first does not count
}

// quiets are the cases of the last table.
func quiets() []quiet {
	return []quiet{
		{"off air", true, 5 * time.Second},
		{"on air, waiting for the friend for 40 s or longer", false, 40 * time.Second},
	}
}

// try measures what a peer sends to anybody else.
func (q quiet) try(t *testing.T) result {
	t.Helper()
	const listen = 15 * time.Second
	l := newLab(t)
	computer := l.home("inviter", habits{opens: true, ipv6: true}).pc("inviter")
	l.startDHT()
	sent := newCapture(t, computer)
	newCall(t).start(computer, peerConfig{Role: pairing.Inviter, Auto: true, MeetNodes: bootstrap(), OffAir: q.offAir})
	time.Sleep(q.first)
	t.Logf("in the first %v:\n%s", q.first, lines(sent.others()))
	sent.begin()
	time.Sleep(listen)
	t.Logf("in the next %v:\n%s", listen, lines(sent.others()))
	got := result{beyond: sent.rate(beyondHome), within: sent.rate(func(a netip.Addr) bool { return !beyondHome(a) })}
	if got.beyond >= goalBytesRate || q.offAir && got.within >= goalBytesRate {
		t.Errorf("sent %.0f bytes a second to the internet and %.0f in the own network, want less than %d", got.beyond, got.within, goalBytesRate)
	}
	return got
}

// beyondHome tells whether an address is none of the first home's network.
func beyondHome(a netip.Addr) bool {
	return !netip.MustParsePrefix("2001:db8:1::/64").Contains(a) && !a.IsPrivate() && !a.IsMulticast() && a != netip.MustParseAddr("255.255.255.255")
}
