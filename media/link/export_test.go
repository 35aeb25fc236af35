// SPDX-License-Identifier: Apache-2.0

package link

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
