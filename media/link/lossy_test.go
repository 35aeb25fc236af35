// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/costream-obs/costream-obs/internal/relay"
	"github.com/costream-obs/costream-obs/internal/testbed"
	"github.com/costream-obs/costream-obs/media/link/internal/linktest"
)

// Relayed stands a bad network between two sides that use the same ports. The first two addresses are those of the
// sides, the third is what the first side takes for its peer, and the fourth what the second one does.
func Relayed(t testing.TB, path relay.Path, ports ...int) (network *relay.Relay, addr [4]string) {
	t.Helper()
	var at [4]netip.Addr
	for i := range addr {
		addr[i] = testbed.LoopbackAddress(t)
		at[i] = netip.MustParseAddr(addr[i])
	}
	network, err := relay.New(relay.Options{
		A: at[0], B: at[1], ForA: at[2], ForB: at[3], Ports: ports, Paths: [2]relay.Path{path, path}, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var relaying sync.WaitGroup
	relaying.Add(1)
	go func() {
		defer relaying.Done()
		if err := network.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); relaying.Wait() })
	return network, addr
}

// TestPlainLossyPath sends video both ways through a network that loses, reorders and duplicates, between two links that
// use the same ports. Each side's figures must agree with what the network did, and key frames must be asked for.
func TestPlainLossyPath(t *testing.T) {
	noGoroutines(t)
	base := testbed.FreeUDPPorts(t, 8)
	path := relay.Path{Loss: 0.05, Delay: 10 * time.Millisecond, Reorder: 0.02, Duplicate: 0.02}
	_, addr := Relayed(t, path, base, base+1, base+5)

	var links [2]*running
	keys := [2]chan struct{}{make(chan struct{}, 1000), make(chan struct{}, 1000)}
	for i := range links {
		links[i] = run(t, PlainOptions{Peer: addr[2+i], Listen: addr[i], BasePort: base, Send: true, Receive: true, Handler: Handler{
			KeyFrameRequest: func() { keys[i] <- struct{}{} },
		}})
	}
	number := uint16(0)
	send := func() error {
		for i, l := range links {
			payload := linktest.DeltaUnit
			switch {
			case number%1000 == 0:
				payload = linktest.SPSUnit
			case len(keys[i]) > 0:
				<-keys[i]
				payload = linktest.IDRUnit
			}
			if err := l.WriteRTP(Video, linktest.Packet(t, uint32(1+i), number, payload)); err != nil {
				return err
			}
		}
		number++
		return nil
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	for i, l := range links {
		testbed.Await(t, fmt.Sprintf("figures of side %d to agree", i), patience, func() error {
			if err := send(); err != nil { // reports go on only while packets do
				return err
			}
			packets := int64(number)
			got, sent := l.Stats().Video.Receive, l.Stats().Video.Send
			switch sum := int64(got.Packets-got.Duplicates) + got.Lost; {
			case sum > packets || sum < packets-50:
				return fmt.Errorf("got %d packets, %d lost, %d twice, want %d in all", got.Packets, got.Lost, got.Duplicates, packets)
			case got.Lost < packets/40 || got.Lost > packets/10 || got.Reordered == 0 || got.Duplicates == 0:
				return fmt.Errorf("got %d lost, %d reordered, %d twice of %d", got.Lost, got.Reordered, got.Duplicates, packets)
			case sent.RemoteLost == 0 || sent.RTT < 20*time.Millisecond || sent.RTT > time.Second:
				return fmt.Errorf("the peer reports %d lost and RTT %v, want some and 20ms", sent.RemoteLost, sent.RTT)
			case got.KeyFrameRequests < 3 || sent.KeyFrameRequests < 2:
				return fmt.Errorf("got %d requests sent and %d received", got.KeyFrameRequests, sent.KeyFrameRequests)
			}
			return nil
		})
	}
}
