// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"context"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/reach/relay"
)

const (
	// blockedAfter is how long no node of the DHT has answered when nodes are asked through the relay as well: this network
	// blocks UDP. blockedLook is the time between two looks whether the relay can be used.
	blockedAfter = 3 * time.Second
	blockedLook  = 250 * time.Millisecond
)

// helpers are what asks others for one link: they leave and read notes, and have an address at the relay.
type helpers struct {
	s       *search
	meeting *meet.Meeting
	relay   *relay.Client // nil without one
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	around *aroundBlock // nil where UDP is not blocked
}

func (m *Manager) newHelpers(s *search) *helpers {
	h := &helpers{s: s, meeting: m.newMeeting(m.client)}
	if m.server != nil {
		h.relay = relay.New(relay.Options{Server: *m.server, Take: s.link.TakeRelayed, Log: m.log})
	}
	return h
}

func (m *Manager) newMeeting(client *dht.Client) *meet.Meeting {
	return meet.New(meet.Options{
		Client: client, Own: meet.Secret(m.o.Own), Peer: meet.Secret(m.o.Peer), Candidates: m.candidates, Found: m.found, Log: m.log,
	})
}

// start starts all parts; stop ends them.
func (h *helpers) start(ctx context.Context) {
	ctx, h.cancel = context.WithCancel(ctx)
	h.keep(func() { h.meeting.Run(ctx) })
	if h.relay != nil {
		h.keep(func() { h.relay.Run(ctx) })
		h.keep(func() { h.follow(ctx) })
		h.keep(func() { h.watchBlock(ctx) })
	}
}

func (h *helpers) keep(part func()) {
	h.running.Add(1)
	go func() {
		defer h.running.Done()
		part()
	}()
}

// follow has the link use the relay once we have an address there.
func (h *helpers) follow(ctx context.Context) {
	defer h.s.link.UseRelay(nil)
	used := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.relay.Changed():
		}
		if !used && h.relay.State().Address.IsValid() {
			used = true
			h.s.link.UseRelay(h.relay)
		}
		h.s.m.ownChanged()
	}
}

// watchBlock has nodes asked through the relay where none answers otherwise, but the relay does.
func (h *helpers) watchBlock(ctx context.Context) {
	look := time.NewTimer(blockedAfter)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			look.Reset(blockedLook)
		}
		switch at := h.relay.State(); {
		case h.s.m.client.Reached() > 0:
			return
		case at.Address.IsValid() && !h.s.link.Way().Connected():
			a := h.s.m.newAroundBlock(at.Transport)
			h.mu.Lock()
			h.around = a
			h.mu.Unlock()
			a.run(ctx)
			return
		}
	}
}

// meetings are all that are under way.
func (h *helpers) meetings() []*meet.Meeting {
	if a := h.aroundBlock(); a != nil {
		return []*meet.Meeting{h.meeting, a.meeting}
	}
	return []*meet.Meeting{h.meeting}
}

func (h *helpers) aroundBlock() *aroundBlock {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.around
}

// stop ends all parts.
func (h *helpers) stop() {
	h.cancel()
	h.running.Wait()
	h.s.m.saveNodes()
}
