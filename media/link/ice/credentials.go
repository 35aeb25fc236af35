// SPDX-License-Identifier: Apache-2.0

package ice

// Credentials are what one side needs to make checks and to know those of the other. They hold secrets.
type Credentials struct {
	Controlling bool // our role; the other side has the other one

	// Name and Password are our user fragment and password (RFC 8445, 5.3), PeerName and PeerPassword the peer's.
	// Passwords need 128 bits of randomness.
	Name, Password         string
	PeerName, PeerPassword string
}

// String keeps the secrets out of logs.
func (Credentials) String() string { return "[credentials]" }

// GoString does too.
func (Credentials) GoString() string { return "[credentials]" }
