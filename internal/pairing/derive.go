// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/costream-obs/costream-obs/media/link"
)

// Identity derives what this side of the pair needs for a secure link. Both sides derive the same keys; each takes the
// half of its role.
func (p *Pair) Identity() (link.Identity, error) {
	own, err := certificate(p.Invite.Secret, p.Role)
	if err != nil {
		return link.Identity{}, err
	}
	peer, err := certificate(p.Invite.Secret, p.Role.other())
	if err != nil {
		return link.Identity{}, err
	}
	return link.Identity{
		Caller:          p.Role == Guest,
		Name:            hex.EncodeToString(derive(p.Invite.Secret, "ice name", p.Role, 8)),
		Password:        hex.EncodeToString(derive(p.Invite.Secret, "ice password", p.Role, 32)),
		PeerName:        hex.EncodeToString(derive(p.Invite.Secret, "ice name", p.Role.other(), 8)),
		PeerPassword:    hex.EncodeToString(derive(p.Invite.Secret, "ice password", p.Role.other(), 32)),
		Certificate:     own,
		PeerCertificate: peer.Certificate[0],
	}, nil
}

// Fingerprint is the secret in words, to be compared by voice: equal words mean that both have the same secret. They do
// not give it away.
func (p *Pair) Fingerprint() string {
	var chosen []string
	for _, b := range derive(p.Invite.Secret, "fingerprint", "", 8) {
		chosen = append(chosen, words()[b])
	}
	return strings.Join(chosen, " ")
}

// MeetingSecrets derives what the keys of the notes follow from by which the two sides find each other: those that this
// side leaves, and those of the other.
func (p *Pair) MeetingSecrets() (own, peer Secret) {
	secret := func(r Role) Secret { return Secret(derive(p.Invite.Secret, "meeting", r, len(Secret{}))) }
	return secret(p.Role), secret(p.Role.other())
}

// derive returns n bytes that follow from the secret for one purpose of one role.
func derive(s Secret, purpose string, r Role, n int) []byte {
	key, err := hkdf.Key(sha256.New, s[:], nil, fmt.Sprintf("costream-obs/%s/%s/%s", version, purpose, r), n)
	if err != nil {
		panic("pairing: " + err.Error()) // only for lengths beyond 8160 bytes
	}
	return key
}

// certificate makes the certificate of a role. It is the same each time to the last byte: Ed25519 keys are any 32 bytes,
// and its signatures are deterministic (RFC 8032, 5.1.6).
func certificate(s Secret, r Role) (tls.Certificate, error) {
	key := ed25519.NewKeyFromSeed(derive(s, "certificate", r, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "costream-obs"},
		// Nobody looks at the dates: the certificate is compared as a whole. A clock that is wrong does not matter.
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pairing: certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
