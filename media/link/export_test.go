// SPDX-License-Identifier: Apache-2.0

package link

import (
	"net/netip"
	"slices"
	"time"

	"github.com/costream-obs/costream-obs/media/link/ice"
)

// What tests outside the package need: they use internal/pairing, which imports this one.
var (
	NoGoroutines = noGoroutines
	Loopbacks    = loopbacks
)

// SessionOf identifies a link's session; it is nil while there is none.
func SessionOf(s *Secure) any {
	if session := s.session.Load(); session != nil {
		return session
	}
	return nil
}

// UnacknowledgedOf is how many packets in a row the link's peer is not known to have.
func UnacknowledgedOf(s *Secure) int { return int(s.rate.Unacknowledged()) }

// MaxUnacknowledged is how many of them a session outlives.
const MaxUnacknowledged = maxUnacknowledged

// Addresses are where a link looks for its peer.
func Addresses(s *Secure) (all []netip.AddrPort) {
	s.where.mu.Lock()
	defer s.where.mu.Unlock()
	return slices.Concat(s.where.configured, s.where.found)
}

// AskLocalNetworks does what SecureOptions.LAN has a link do, for the networks of the calling thread. It tells whether
// there are any.
func AskLocalNetworks(s *Secure) bool {
	all := s.localNetworks()
	s.agent.SetLocal(all)
	return len(all) > 0
}

// ReadLate has a running link take datagrams in no sooner than some time after they arrived.
func ReadLate(s *Secure, late time.Duration) {
	s.setTaker(func(at time.Time, from ice.Way, datagram []byte) {
		time.Sleep(time.Until(at.Add(late)))
		s.take(at, from, datagram)
	})
}
