// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/reach/relay"
)

const (
	// maxLet is how many nodes the relay lets in at a time: the newest that were asked.
	maxLet = 40
	// letWithin is how long a question waits until the relay lets its node in, and letPause the time between two looks.
	letWithin = 1500 * time.Millisecond
	letPause  = 50 * time.Millisecond
)

// aroundBlock meets the peer through the relay, from a network that blocks UDP. It has an address of its own at the relay, so
// that the nodes take no room from the peer at the other one.
type aroundBlock struct {
	relay   *relay.Client
	client  *dht.Client
	meeting *meet.Meeting

	mu  sync.Mutex
	let []netip.Addr // the newest last
}

// newAroundBlock makes one that reaches the relay as it is known to be reached.
func (m *Manager) newAroundBlock(over relay.Transport) *aroundBlock {
	a := &aroundBlock{}
	server := *m.server
	server.Transports = []relay.Transport{over}
	a.relay = relay.New(relay.Options{
		Server: server, Log: m.log, Take: func(from netip.AddrPort, b []byte) { a.client.Take(from, b) },
	})
	a.client = dht.New(dht.Options{Send: a.send, Bootstrap: m.o.MeetNodes, Nodes: m.client.Nodes(), Log: m.log})
	a.meeting = m.newMeeting(a.client)
	return a
}

// run meets until ctx ends.
func (a *aroundBlock) run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.relay.Run(ctx)
	}()
	for !a.relay.State().Address.IsValid() {
		select {
		case <-ctx.Done():
			<-done
			return
		case <-a.relay.Changed():
		}
	}
	a.meeting.Run(ctx)
	a.client.Close()
	<-done
}

// send sends a question once the relay lets its node in.
func (a *aroundBlock) send(to netip.AddrPort, b []byte) {
	a.mu.Lock()
	if !slices.Contains(a.let, to.Addr()) {
		if len(a.let) == maxLet {
			a.let = slices.Delete(a.let, 0, 1)
		}
		a.let = append(a.let, to.Addr())
	}
	a.relay.Permit(a.let)
	a.mu.Unlock()
	a.sendLet(to, b, time.Now().Add(letWithin))
}

func (a *aroundBlock) sendLet(to netip.AddrPort, b []byte, deadline time.Time) {
	switch {
	case a.relay.Lets(to.Addr()):
		a.relay.Send(to, b)
	case time.Now().Before(deadline):
		time.AfterFunc(letPause, func() { a.sendLet(to, b, deadline) })
	}
}
