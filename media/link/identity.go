// SPDX-License-Identifier: Apache-2.0

package link

import (
	"crypto/tls"

	"github.com/costream-obs/costream-obs/media/link/dtlssrtp"
	"github.com/costream-obs/costream-obs/media/link/ice"
)

// Identity is what one side of a pair needs to prove who it is and to know the other. Each side's names, passwords and
// certificates are the other's with own and peer swapped. It holds secrets: it must not be printed.
type Identity struct {
	// Caller is true for one of the two sides. It begins the DTLS handshake, and is the controlling agent in terms of ICE.
	Caller bool

	// Name and Password are our user fragment and password in terms of ICE (RFC 8445, 5.3), PeerName and PeerPassword the
	// peer's. Passwords need 128 bits of randomness.
	Name, Password         string
	PeerName, PeerPassword string

	// Certificate is ours, with an Ed25519 key. PeerCertificate is the one that the peer has, in DER; no other is
	// accepted, and nothing else about it is looked at.
	Certificate     tls.Certificate
	PeerCertificate []byte
}

// String keeps the secrets out of logs.
func (Identity) String() string { return "[identity]" }

// GoString does too.
func (Identity) GoString() string { return "[identity]" }

// credentials are what the checks need of it.
func (id *Identity) credentials() ice.Credentials {
	return ice.Credentials{
		Controlling: id.Caller, Name: id.Name, Password: id.Password, PeerName: id.PeerName, PeerPassword: id.PeerPassword,
	}
}

// handshake is what the DTLS handshake needs of it.
func (id *Identity) handshake() dtlssrtp.Identity {
	return dtlssrtp.Identity{Client: id.Caller, Certificate: id.Certificate, PeerCertificate: id.PeerCertificate}
}
