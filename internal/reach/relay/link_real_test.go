// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link"
)

// TestRealLinkOverCoturn: two links have no way to each other but the relay of one of them, which is then asked for
// another address.
func TestRealLinkOverCoturn(t *testing.T) {
	s, _ := coturn(t, withPassword()...)
	invite, err := pairing.NewInvite(nil)
	if err != nil {
		t.Fatal(err)
	}
	var came [2]atomic.Int64
	var links [2]*link.Secure
	for i, role := range []pairing.Role{pairing.Inviter, pairing.Guest} {
		id, err := (&pairing.Pair{Role: role, Invite: invite}).Identity()
		if err != nil {
			t.Fatal(err)
		}
		links[i], err = link.NewSecure(link.SecureOptions{
			Identity: id, Listen: []string{"127.0.0.1", "127.0.0.2"}[i], Port: testbed.FreeUDPPorts(t, 1),
			Handler: link.Handler{RTP: func(link.Medium, link.Stream, []byte) { came[i].Add(1) }},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for i := range links {
		testbed.Run(t, "the link", links[i].Run)
	}
	client := New(Options{Server: s, Take: links[0].TakeRelayed})
	runClient := func() (stop func()) {
		return testbed.Run(t, "the relay", func(ctx context.Context) error {
			client.Run(ctx)
			return nil
		})
	}
	stop := runClient()
	address := func() netip.AddrPort {
		testbed.Await(t, "an address", patience, func() error {
			if !hasAddress(client.State()) {
				return errNotYet
			}
			return nil
		})
		return client.State().Address
	}
	links[0].UseRelay(client)
	links[0].SetFound([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.2:9")})
	links[1].SetFound([]netip.AddrPort{address()})

	packet := make([]byte, 1000)
	packet[0], packet[1] = 0x80, 0x80|96
	copy(packet[12:], []byte{24, 0, 2, 0x67, 1, 0, 2, 0x68, 1, 3, 0xd1, 0x65, 0x88}) // parameter sets and a key frame
	sent := uint16(0)
	talk := func() {
		sent++
		binary.BigEndian.PutUint16(packet[2:], sent)
		binary.BigEndian.PutUint32(packet[4:], 3000*uint32(sent))
		for i, l := range links {
			binary.BigEndian.PutUint32(packet[8:], uint32(i+1))
			if err := l.WriteRTP(link.Video, packet); err != nil {
				t.Fatal(err)
			}
		}
	}
	bothHear := func() (took time.Duration) {
		before := [2]int64{came[0].Load(), came[1].Load()}
		began := time.Now()
		testbed.Await(t, "packets both ways", 3*patience, func() error {
			talk()
			if came[0].Load() < before[0]+10 || came[1].Load() < before[1]+10 {
				return fmt.Errorf("got %d and %d packets; the ways are %+v and %+v", came[0].Load(), came[1].Load(), links[0].Way(), links[1].Way())
			}
			return nil
		})
		return time.Since(began)
	}
	bothHear()
	t.Logf("connected after %v: %+v and %+v", time.Since(began).Round(time.Millisecond), links[0].Way(), links[1].Way())
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("connected after %v, want 10s", took)
	}
	before, sentBefore := [2]int64{came[0].Load(), came[1].Load()}, sent
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		talk()
		<-tick.C
	}
	bothHear()
	for i, l := range links {
		got, want := came[i].Load()-before[i], int64(sent-sentBefore)
		t.Logf("side %d: %d of about %d packets, %d asked for again; RTT %v", i, got, want, l.Stats().Video.Receive.Requested, l.Stats().RTT.Round(time.Microsecond))
		if got < want*99/100 {
			t.Errorf("side %d: %d of about %d packets", i, got, want)
		}
	}

	stop()
	defer runClient()()
	testbed.Await(t, "another address", patience, func() error {
		if !hasAddress(client.State()) {
			return errNotYet
		}
		return nil
	})
	links[1].SetFound([]netip.AddrPort{address()})
	t.Logf("another address: both hear each other after %v", bothHear().Round(time.Millisecond))
}
