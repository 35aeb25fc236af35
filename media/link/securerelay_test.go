// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestSecureRelay: no way leads from one side to the other but the relay of one of them; then a direct one appears.
func TestSecureRelay(t *testing.T) {
	noGoroutines(t)
	t.Parallel()
	network := stand(t, relay.Path{Loss: 1})
	began := time.Now()
	a := network.start(t, 0, link.Handler{})
	own := newStandInRelay(t, a.TakeRelayed)
	a.UseRelay(own)
	a.SetFound([]netip.AddrPort{addrPort(network.addr[1], 9)}) // as it would be where the peer's network changes ports
	b := network.start(t, 1, link.Handler{})
	b.SetFound([]netip.AddrPort{own.at})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	took := time.Since(began)
	t.Logf("connected after %v: %+v and %+v", took.Round(time.Millisecond), a.Way(), b.Way())
	if took < 8*time.Second || took > 8*time.Second+busyLimit {
		t.Errorf("connected after %v, want 8s and little more", took)
	}
	if got := a.Way(); got.Addr != addrPort(network.addr[1], network.port) || !got.OwnRelay || got.TheirRelay {
		t.Errorf("side a: got %+v, want the peer's address through our relay", got)
	}
	if got := b.Way(); got.Addr != own.at || got.OwnRelay || !got.TheirRelay {
		t.Errorf("side b: got %+v, want the address at the peer's relay", got)
	}

	session := link.SessionOf(a.Secure)
	a.drain()
	b.drain()
	network.SetPath(relay.AToB, relay.Path{})
	network.SetPath(relay.BToA, relay.Path{})
	opened := time.Now()
	for _, test := range []struct {
		name string
		side *side
		ssrc uint32
	}{{"a", a, 4}, {"b", b, 2}} {
		name, s, ssrc := test.name, test.side, test.ssrc
		seen := map[uint16]bool{}
		last := s.await(t, link.Video, ssrc)
		longest := time.Duration(0)
		for direct := (time.Time{}); direct.IsZero() || time.Since(direct) < 2*time.Second; {
			next := s.await(t, link.Video, ssrc)
			if got := s.Way(); direct.IsZero() && !got.OwnRelay && !got.TheirRelay {
				direct = got.Since
				t.Logf("side %s is direct %v after that became possible: %+v", name, direct.Sub(opened).Round(time.Millisecond), got)
			}
			longest = max(longest, next.at.Sub(last.at))
			if next.number != last.number+1 || seen[next.number] {
				t.Errorf("side %s: packet %d comes after %d", name, next.number, last.number)
			}
			seen[next.number] = true
			last = next
		}
		t.Logf("side %s: nothing came for %v at most, %d packets asked for again", name, longest.Round(time.Millisecond), s.Stats().Video.Receive.Requested)
		if longest > busyLimit {
			t.Errorf("side %s: nothing came for %v", name, longest)
		}
	}
	if link.SessionOf(a.Secure) != session {
		t.Error("another session began")
	}

	// The relay goes, which nobody notices.
	a.UseRelay(nil)
	before := own.count()
	a.drain()
	b.drain()
	both(t, a, b, 1, 2)
	if got := own.count() - before; got > 0 {
		t.Errorf("%d datagrams still went through the relay", got)
	}
}

// TestSecureRelayUnused: where there is a direct way, nothing goes through a relay.
func TestSecureRelayUnused(t *testing.T) {
	noGoroutines(t)
	network := stand(t, relay.Path{})
	a := network.start(t, 0, link.Handler{})
	own := newStandInRelay(t, a.TakeRelayed)
	a.UseRelay(own)
	b := network.start(t, 1, link.Handler{})
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	testbed.Await(t, "permissions", patience, func() error {
		own.mu.Lock()
		defer own.mu.Unlock()
		if len(own.permitted) == 0 {
			return errNotYet
		}
		return nil
	})
	if got := own.count(); got > 0 || a.Way().OwnRelay {
		t.Errorf("%d datagrams went through the relay, way %+v", got, a.Way())
	}
}
