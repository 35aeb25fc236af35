// SPDX-License-Identifier: Apache-2.0

package pairing

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/media/link"
)

func identity(t *testing.T, r Role, i Invite) link.Identity {
	t.Helper()
	id, err := (&Pair{Role: r, Invite: i}).Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIdentitiesFit(t *testing.T) {
	a, b := identity(t, Inviter, fixedInvite()), identity(t, Guest, fixedInvite())
	if a.Caller == b.Caller {
		t.Errorf("both sides have Caller %v, want one to call", a.Caller)
	}
	for _, pair := range [][2]string{
		{a.Name, b.PeerName}, {a.PeerName, b.Name}, {a.Password, b.PeerPassword}, {a.PeerPassword, b.Password},
		{string(a.Certificate.Certificate[0]), string(b.PeerCertificate)},
		{string(b.Certificate.Certificate[0]), string(a.PeerCertificate)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("got %q and %q, want the same at both sides", pair[0], pair[1])
		}
	}
	if a.Name == a.PeerName || a.Password == a.PeerPassword || bytes.Equal(a.Certificate.Certificate[0], a.PeerCertificate) {
		t.Error("the two sides have keys in common, want none: what is sent back must not be taken for the peer's")
	}
	for _, id := range []link.Identity{a, b} {
		c, err := x509.ParseCertificate(id.Certificate.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
			t.Errorf("certificate: %v", err)
		}
		if s := fmt.Sprintf("%v %+v %#v", id, id, id); strings.Contains(s, id.Password) {
			t.Errorf("got %q, want the password hidden", s)
		}
	}
}

const (
	goldenIdentity    = "759d715762cf2ba5823f78a290ac5862caa19ae884d8aaa06b63604ecfa2a9fb"
	goldenFingerprint = "bakery cradle radar pocket nephew tunnel window cellar"
)

// TestDerivationIsStable holds what both sides derive: a change of it parts all pairs that there are.
func TestDerivationIsStable(t *testing.T) {
	id := identity(t, Inviter, fixedInvite())
	h := sha256.New()
	for _, s := range []string{id.Name, id.Password, id.PeerName, id.PeerPassword, string(id.Certificate.Certificate[0]), string(id.PeerCertificate)} {
		fmt.Fprintf(h, "%d %s\n", len(s), s)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != goldenIdentity {
		t.Errorf("identity: got %s, want %s", got, goldenIdentity)
	}
	p := &Pair{Role: Guest, Invite: fixedInvite()}
	if got := p.Fingerprint(); got != goldenFingerprint {
		t.Errorf("fingerprint: got %q, want %q", got, goldenFingerprint)
	}
}

// TestMeetingSecret: both sides have the same one, no other pair has it, and it stays.
func TestMeetingSecret(t *testing.T) {
	const golden = "11e978e1e8618b699cf1e768c1758598aeda8a9c5ff646f597be59ca4aed7d2a"
	a, b := &Pair{Role: Inviter, Invite: fixedInvite()}, &Pair{Role: Guest, Invite: fixedInvite(), Auto: true}
	if got := hex.EncodeToString(a.MeetingSecret()); got != golden {
		t.Errorf("got %s, want %s", got, golden)
	}
	if !bytes.Equal(a.MeetingSecret(), b.MeetingSecret()) {
		t.Error("the two sides have different secrets")
	}
	b.Invite.Secret[0]++
	if bytes.Equal(a.MeetingSecret(), b.MeetingSecret()) {
		t.Error("two pairs have the same secret")
	}
}

func TestFingerprint(t *testing.T) {
	a, b := &Pair{Role: Inviter, Invite: fixedInvite()}, &Pair{Role: Guest, Invite: fixedInvite()}
	if a.Fingerprint() != b.Fingerprint() {
		t.Errorf("got %q and %q, want the same at both sides", a.Fingerprint(), b.Fingerprint())
	}
	b.Invite.Secret[31]++
	if a.Fingerprint() == b.Fingerprint() {
		t.Errorf("two secrets have the fingerprint %q", a.Fingerprint())
	}
}

func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range words() {
		if seen[w] || len(w) < 3 || len(w) > 9 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q: comes twice, or is no word of 3 to 9 letters", w)
		}
		seen[w] = true
	}
	if len(seen) != 256 {
		t.Errorf("got %d words, want 256", len(seen))
	}
}
