// SPDX-License-Identifier: Apache-2.0

package link

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/costream-obs/costream-obs/media/link/ice"
	"github.com/costream-obs/costream-obs/media/link/udp"
)

const (
	// surveyInterval is the time between two looks at the networks of this machine.
	surveyInterval = time.Second

	// maxLocalPorts is how many ports of each machine in the local networks are asked.
	maxLocalPorts = 3
)

// A Relay has an address of ours at a server that passes datagrams on (TURN, RFC 8656). Its methods must not block.
type Relay interface {
	// Send sends a datagram from our address at the relay. The bytes are the caller's again after it.
	Send(to netip.AddrPort, datagram []byte)

	// Permit has the relay take datagrams from these addresses, instead of those named before.
	Permit(addrs []netip.Addr)
}

// relayBox holds a Relay, or nil, for an atomic pointer.
type relayBox struct{ Relay }

// Way is how packets reach the peer.
type Way struct {
	Addr       netip.AddrPort // where they are sent; invalid while nobody answers
	OwnRelay   bool           // they leave from our address at our relay
	TheirRelay bool           // Addr is the peer's address at its relay
	Since      time.Time      // since when they take this way, or since when nobody answers
}

// Connected tells whether the peer answers.
func (w Way) Connected() bool { return w.Addr.IsValid() }

// candidates are the addresses where the peer may be.
type candidates struct {
	mu         sync.Mutex
	configured []netip.AddrPort // of SecureOptions.Peers
	found      []netip.AddrPort // of SetFound
}

// Port is the UDP port of this machine that the link has.
func (s *Secure) Port() uint16 { return udp.LocalAddr(s.conn).Port() }

// Way returns how packets reach the peer now.
func (s *Secure) Way() Way {
	st := s.agent.Status()
	return Way{Addr: st.Way.Addr, OwnRelay: st.Way.Relayed, TheirRelay: st.TheirRelay, Since: st.Since}
}

// Silent is how long the peer has not answered on the way in use. Packets go on to be sent there for some seconds.
func (s *Secure) Silent() time.Duration { return s.agent.Silent() }

// WayChanged passes a message on after Way has changed. It is for one goroutine.
func (s *Secure) WayChanged() <-chan struct{} { return s.wayChanged }

// SetFound sets addresses where the peer may be, beside those of SecureOptions.Peers. It replaces those of earlier calls,
// and disturbs nothing where the peer answers already. The first ice.MaxCandidates of all count.
func (s *Secure) SetFound(addrs []netip.AddrPort) {
	s.where.mu.Lock()
	defer s.where.mu.Unlock()
	s.where.found = nil
	for _, a := range addrs {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if a.IsValid() && a.Port() != 0 && !a.Addr().IsUnspecified() && !a.Addr().IsMulticast() && s.fits(a.Addr()) {
			s.where.found = append(s.where.found, a)
		}
	}
	s.setCandidates()
}

// setConfigured sets what the names of SecureOptions.Peers stand for now.
func (s *Secure) setConfigured(addrs []netip.AddrPort) {
	s.where.mu.Lock()
	defer s.where.mu.Unlock()
	s.where.configured = addrs
	s.setCandidates()
}

func (s *Secure) setCandidates() {
	s.agent.SetCandidates(slices.Concat(s.where.configured, s.where.found))
}

// SendBeside queues a datagram to somebody else than the peer. It copies the datagram and never blocks: what the network
// does not take in time is dropped.
func (s *Secure) SendBeside(to netip.AddrPort, datagram []byte) { s.beside.Send(to, datagram) }

// UseRelay has the link look for the peer through a relay, too, when nobody has answered directly for some seconds, until
// somebody does; nil ends that. What comes in through the relay is for TakeRelayed.
func (s *Secure) UseRelay(r Relay) {
	s.relay.Store(&relayBox{r})
	s.agent.SetRelay(r != nil)
}

// TakeRelayed takes a datagram in that came through our relay. It changes the bytes, which are the caller's again after it.
func (s *Secure) TakeRelayed(from netip.AddrPort, datagram []byte) {
	s.hand(time.Now(), ice.Way{Addr: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), Relayed: true}, datagram)
}

// survey keeps the local networks and the relay's permissions up to date until ctx ends.
func (s *Secure) survey(ctx context.Context) {
	ticker := time.NewTicker(surveyInterval)
	defer ticker.Stop()
	for {
		if s.lan && s.agent.Target() == nil {
			s.agent.SetLocal(s.localNetworks())
		}
		if r := s.relay.Load(); r != nil && r.Relay != nil {
			r.Permit(s.agent.Addresses())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// localNetworks are addresses of all machines of the local networks, with our port and those that the peer is known by.
func (s *Secure) localNetworks() (found []netip.AddrPort) {
	ports := []uint16{s.Port()}
	for _, e := range s.names {
		if !slices.Contains(ports, e.port) && len(ports) < maxLocalPorts {
			ports = append(ports, e.port)
		}
	}
	for _, addr := range udp.LocalNetworks(s.bound) {
		for _, port := range ports {
			if s.fits(addr) {
				found = append(found, netip.AddrPortFrom(addr, port))
			}
		}
	}
	return found
}

// send sends a datagram of ours on its way.
func (s *Secure) send(w *udp.Writer, to ice.Way, datagram []byte) {
	if !to.Relayed {
		w.Send(to.Addr, datagram)
	} else {
		s.sendRelayed(to, datagram)
	}
}

// sendNumbered does so with a packet that has a transport-wide number.
func (s *Secure) sendNumbered(to ice.Way, datagram []byte, number uint16) {
	if !to.Relayed {
		s.media.SendNumbered(to.Addr, datagram, number)
	} else {
		s.sendRelayed(to, datagram)
	}
}

// sendMedia does so with a packet that is sent again.
func (s *Secure) sendMedia(to ice.Way, datagram []byte) {
	if !to.Relayed {
		s.media.SendMedia(to.Addr, datagram)
	} else {
		s.sendRelayed(to, datagram)
	}
}

func (s *Secure) sendRelayed(to ice.Way, datagram []byte) {
	if r := s.relay.Load(); r != nil && r.Relay != nil {
		r.Send(to.Addr, datagram)
	}
}
