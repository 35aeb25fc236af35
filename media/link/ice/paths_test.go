// SPDX-License-Identifier: Apache-2.0

package ice

import (
	"net/netip"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

func TestPaths(t *testing.T) {
	c := linktest.NewClock()
	home, away := Way{Addr: netip.MustParseAddrPort("192.0.2.1:5000")}, Way{Addr: netip.MustParseAddrPort("192.0.2.1:6000")}
	var p paths
	var count byte
	// checks sends all checks that are due and answers those to the addresses.
	checks := func(answering ...Way) (sent int) {
		for {
			count++
			to, _ := p.next(c.Now(), transaction{count})
			if !to.Addr.IsValid() {
				return sent
			}
			sent++
			for _, a := range answering {
				if a == to && !p.answer(c.Now(), a, transaction{count}, false) {
					t.Fatalf("the answer of %v was refused", a)
				}
			}
		}
	}
	p.configure(c.Now(), []netip.AddrPort{home.Addr})
	if p.alive(c.Now()) || p.selected != nil {
		t.Error("alive before any answer")
	}
	if p.answer(c.Now(), home, transaction{200}, false) {
		t.Error("an answer to no question was taken")
	}
	checks(home)
	if !p.alive(c.Now()) || p.selected.way != home {
		t.Errorf("got %+v, want the one that answers", p.selected)
	}
	if p.answer(c.Now(), home, transaction{1}, false) {
		t.Error("an answer was taken twice")
	}
	// The peer moves.
	c.Pass(checkInterval)
	checks(home)
	c.Pass(checkInterval / 2)
	if !p.heard(c.Now(), away) {
		t.Error("the peer's new address is not checked at once")
	}
	checks(away)
	if p.selected.way != home {
		t.Error("left the old address before it could answer")
	}
	c.Pass(checkInterval)
	checks(away)
	if p.selected.way != away {
		t.Errorf("got %v, want the new address", p.selected.way)
	}
	// Somebody repeats requests from everywhere.
	for n := range 1000 {
		c.Pass(10 * time.Millisecond)
		p.heard(c.Now(), Way{Addr: netip.AddrPortFrom(home.Addr.Addr(), uint16(10000+n))})
		checks(away)
	}
	if len(p.all) > maxLearned+2 || p.selected.way != away {
		t.Errorf("got %d paths, sending to %v, want at most %d and %v", len(p.all), p.selected.way, maxLearned+2, away)
	}
	// Nobody answers for minutes.
	c.Pass(time.Minute)
	sent := 0
	for range 100 {
		c.Pass(100 * time.Millisecond)
		p.expire(c.Now())
		sent += checks()
	}
	if p.alive(c.Now()) || len(p.all) != 2 {
		t.Errorf("got %d paths, alive %v, want the two that were known, and not alive", len(p.all), p.alive(c.Now()))
	}
	if want := 2 * int(10*time.Second/restInterval); sent < want-4 || sent > want+4 {
		t.Errorf("got %d checks in 10s, want about %d", sent, want)
	}
	c.Pass(restInterval)
	checks(home)
	if !p.alive(c.Now()) || p.selected.way != home {
		t.Errorf("got %+v, want the one that answers", p.selected)
	}
}
