// SPDX-License-Identifier: Apache-2.0

// Package pairing makes two machines know each other: one side creates an invite, one line of text that its user gives
// to a friend, and the friend joins with it. From the secret in the line both sides derive all that a secure link needs,
// so nothing travels back and no server takes part.
//
// It keeps the result in a file and moves no packets. Why deriving both sides' keys from one secret is sound, and what
// it does not protect from, stands in docs/security.md.
package pairing

import (
	"crypto/rand"
	"log/slog"
)

// Role says which side of the invite line somebody was on. The two sides derive different halves of the same keys.
type Role string

// The two roles.
const (
	Inviter Role = "inviter" // made the line
	Guest   Role = "guest"   // was given it
)

func (r Role) other() Role {
	if r == Inviter {
		return Guest
	}
	return Inviter
}

// Secret is what the two sides share and nobody else may know. It prints as "[secret]".
type Secret [32]byte

// NewSecret returns a random secret.
func NewSecret() Secret {
	var s Secret
	_, _ = rand.Read(s[:]) // never fails
	return s
}

func (Secret) String() string               { return "[secret]" }
func (Secret) GoString() string             { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Pair is what one side keeps of a pairing.
type Pair struct {
	Role   Role
	Invite Invite
	// Auto is this side's own answer to what Invite.Auto is the inviter's.
	Auto bool
}

// Agreed tells whether both sides agreed that more than the peer may be asked.
func (p *Pair) Agreed() bool { return p.Auto && p.Invite.Auto }

// PeerAddresses are where the peer may be found, as host:port. The inviter has none: its peer calls.
func (p *Pair) PeerAddresses() []string {
	if p.Role == Inviter {
		return nil
	}
	return p.Invite.Addresses
}
