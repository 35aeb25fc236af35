// SPDX-License-Identifier: Apache-2.0

package link_test

import (
	"errors"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// busyLimit is what a machine with much else to do may make of the second that is promised.
const busyLimit = 3 * time.Second

var errNotYet = errors.New("not yet")

// lossy connects two links through a bad network.
func lossy(t testing.TB, path relay.Path) (a, b *side, network *relay.Relay) {
	t.Helper()
	n := stand(t, path)
	return n.start(t, 0, link.Handler{}), n.start(t, 1, link.Handler{}), n.Relay
}

// place is where two links stand, with a bad network between them.
type place struct {
	*relay.Relay
	ids  [2]link.Identity
	addr [4]string
	port int
}

func stand(t testing.TB, path relay.Path) *place {
	t.Helper()
	p := &place{ids: identities(t), port: testbed.FreeUDPPorts(t, 1)}
	p.Relay, p.addr = link.Relayed(t, path, p.port)
	return p
}

// start starts one of the two. Functions of the handler take the place of the side's own.
func (p *place) start(t testing.TB, i int, h link.Handler) *side {
	t.Helper()
	return start(t, link.SecureOptions{Identity: p.ids[i], Listen: p.addr[i], Port: p.port, Peers: []string{p.addr[2+i]}, Handler: h})
}

// TestSecureLossyPath counts what is lost in spite of being sent again.
func TestSecureLossyPath(t *testing.T) {
	noGoroutines(t)
	a, b, _ := lossy(t, relay.Path{Loss: 0.03, Delay: 10 * time.Millisecond, Reorder: 0.02, Duplicate: 0.02})
	began := time.Now()
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	t.Logf("connected after %v", time.Since(began).Round(time.Millisecond))
	testbed.Await(t, "800 packets", 3*patience, func() error {
		if b.Stats().Video.Receive.Packets < 800 {
			return errNotYet
		}
		return nil
	})
	for i, s := range []*side{a, b} {
		got, sent := s.Stats().Video.Receive, s.Stats().Video.Send
		t.Logf("side %d: %d packets, %d missing, %d asked for, %d sent again, %d requests for key frames; RTT %v",
			i, got.Packets, got.Lost, got.Requested, sent.Resent, got.KeyFrameRequests, s.Stats().RTT.Round(time.Millisecond))
		if got.Lost > int64(got.Packets/200) {
			t.Errorf("side %d misses %d of %d packets, want next to none", i, got.Lost, got.Packets)
		}
		if got.Requested == 0 || sent.Resent == 0 || got.Requested > got.Packets/8 {
			t.Errorf("side %d: asked for %d and sent %d again of %d packets", i, got.Requested, sent.Resent, got.Packets)
		}
		if got.KeyFrameRequests > 3 {
			t.Errorf("side %d asked for %d key frames, want next to none", i, got.KeyFrameRequests)
		}
	}
}

// TestSecureOutage cuts the network for shorter than a session lives, and for longer.
func TestSecureOutage(t *testing.T) {
	noGoroutines(t)
	outages := []time.Duration{time.Second, 4 * time.Second}
	if !testing.Short() {
		outages = append(outages, 12*time.Second)
	}
	path := relay.Path{Delay: 10 * time.Millisecond}
	a, b, network := lossy(t, path)
	a.talk(t, 1)
	b.talk(t, 2)
	both(t, a, b, 1, 2)
	for _, outage := range outages {
		for _, d := range []relay.Direction{relay.AToB, relay.BToA} {
			network.SetPath(d, relay.Path{Loss: 1})
		}
		<-time.After(outage)
		for _, s := range []*side{a, b} {
			s.drain()
		}
		began := time.Now()
		network.SetPath(relay.AToB, path)
		network.SetPath(relay.BToA, path)
		both(t, a, b, 1, 2)
		took := time.Since(began)
		t.Logf("after %v without network: back within %v", outage, took.Round(time.Millisecond))
		if took > busyLimit {
			t.Errorf("after %v without network: back within %v, want %v", outage, took, busyLimit)
		}
	}
}

// TestSecureNames lets the caller know its peer by a name.
func TestSecureNames(t *testing.T) {
	noGoroutines(t)
	ids := identities(t)
	at := testbed.FreeUDPPorts(t, 1)
	a := start(t, link.SecureOptions{Identity: ids[0], Port: at})
	b := start(t, link.SecureOptions{Identity: ids[1], Port: testbed.FreeUDPPorts(t, 1), Peers: []string{"nobody.invalid", endpoint("localhost", at)}})
	awaitSession(t, a, b)
}
