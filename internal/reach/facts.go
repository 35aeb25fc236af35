// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/internal/reach/dht"
	"github.com/costream-obs/costream-obs/internal/reach/meet"
	"github.com/costream-obs/costream-obs/internal/reach/portmap"
)

// State is what is known now.
func (m *Manager) State() State {
	state := State{Auto: m.o.Auto, Port: m.o.Secure.Port}
	s := m.current()
	note := m.noted()
	if m.o.Auto {
		m.tellRouter(&state)
		m.tellNAT(&state)
		state.Nodes = m.client.Reached()
		tellNote(&state, note)
		m.tellHelpers(&state, s)
	}
	if s != nil {
		s.tellWay(&state, note)
	}
	return state
}

// tellRouter says what came of asking the own router.
func (m *Manager) tellRouter(state *State) {
	r := m.mapper.State()
	state.Router = map[portmap.Verdict]RouterAnswer{
		portmap.None: RouterNone, portmap.Refused: RouterRefuses, portmap.Shared: RouterShared, portmap.Open: RouterOpen,
	}[r.Verdict]
	state.Protocol = r.Protocol
	for _, a := range r.External {
		state.Opened = append(state.Opened, a.String())
	}
	if r.Err != nil {
		state.RouterError = strings.ReplaceAll(r.Err.Error(), "\n", "; ")
	}
}

// tellNAT says how nodes see us.
func (m *Manager) tellNAT(state *State) {
	four, six := m.client.Outer()
	own := m.addresses.get()
	for _, outer := range []dht.Outer{four, six} {
		if !outer.Addr.IsValid() {
			continue
		}
		state.Outer = append(state.Outer, outer.Addr.String())
		kind := NATSame
		switch {
		case slices.Contains(own, outer.Addr.Addr()):
			kind = NATNone
		case outer.Symmetric:
			kind = NATChanging
		}
		if state.NAT == NATUnknown {
			state.NAT = kind // IPv4 counts, where most networks differ
		}
	}
}

// tellNote says what the peer's note says.
func tellNote(state *State, note []meet.Candidate) {
	state.Note = len(note) > 0
	for _, c := range note {
		switch c.Kind {
		case meet.Changing:
			state.PeerNAT = NATChanging
		case meet.Outer:
			if state.PeerNAT == NATUnknown {
				state.PeerNAT = NATSame
			}
		case meet.Relayed:
			state.PeerRelay = true
		}
	}
}

// tellHelpers says what the relay and the meeting have come to.
func (m *Manager) tellHelpers(state *State, s *search) {
	if m.server != nil {
		state.Relay, state.RelayHost = RelayAsked, m.server.Host
	}
	if s == nil {
		return
	}
	h := s.helping()
	if h == nil {
		return
	}
	for _, meeting := range h.meetings() {
		met := meeting.State()
		state.Nodes = max(state.Nodes, met.Reached)
		state.Left = state.Left || met.Holders > 0
	}
	if h.relay == nil {
		return
	}
	switch r := h.relay.State(); {
	case r.Address.IsValid():
		state.Relay = RelayReady
	case r.Err != nil:
		state.Relay, state.RelayError = RelayFailed, r.Err.Error()
	}
}

// tellWay says how packets get to the peer, or since when they do not.
func (s *search) tellWay(state *State, note []meet.Candidate) {
	way := s.link.Way()
	s.mu.Lock()
	if !s.onAir && s.probed.Addr.IsValid() {
		way.Addr, way.OwnRelay = s.probed.Addr, s.probed.OwnRelay
	}
	onAir, probing, began := s.onAir, s.holds > 0, s.began
	s.mu.Unlock()
	if !way.Connected() {
		switch {
		case !state.Auto:
		case onAir:
			state.Searched = time.Since(way.Since)
		case probing:
			state.Searched = time.Since(began)
		}
		return
	}
	state.At = way.Addr
	noted := func(kind meet.Kind) bool {
		return slices.Contains(note, meet.Candidate{Addr: way.Addr, Kind: kind})
	}
	switch {
	case way.OwnRelay:
		state.Way = WayRelay
	case way.TheirRelay || noted(meet.Relayed):
		state.Way, state.RelayHost = WayRelay, way.Addr.Addr().String()
	case noted(meet.Mapped):
		state.Way = WayPeerRouter
	case opens(state.Opened, way.Addr.Addr()):
		state.Way = WayOwnRouter
	default:
		state.Way = WayDirect
	}
}

// opens tells whether a peer at an address beyond our own networks comes in at one of the ports that our router opened.
func opens(opened []string, peer netip.Addr) bool {
	return dht.Public(peer) && slices.ContainsFunc(opened, func(text string) bool {
		a, err := netip.ParseAddrPort(text)
		return err == nil && a.Addr().Is4() == peer.Is4()
	})
}

// surveyed tells whether a survey can end: the way to the peer is known, or all that may explain why there is none. Who
// has a relay wants to know in each case whether it can be used.
func (s State) surveyed() bool {
	return s.Relay != RelayAsked && (s.Way != "" || s.Router != RouterUnknown && s.NAT != NATUnknown && s.Note)
}
