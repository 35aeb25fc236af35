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
	goldenMeeting     = "f72fadf434743d7abf5ed76736af66933f040155e0fe1e15051a0432004677ec c86d5543ae421eec839cf4b858ca99ed46c10f54b2114f5f438060248ac10a6c"
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

// TestMeetingSecretsAreStable holds the meeting's secrets, without which two versions would not find each other.
func TestMeetingSecretsAreStable(t *testing.T) {
	own, peer := (&Pair{Role: Guest, Invite: fixedInvite()}).MeetingSecrets()
	if got := hex.EncodeToString(own[:]) + " " + hex.EncodeToString(peer[:]); got != goldenMeeting {
		t.Errorf("guest: got %s, want %s", got, goldenMeeting)
	}
	if other, same := (&Pair{Role: Inviter, Invite: fixedInvite()}).MeetingSecrets(); other != peer || same != own || own == peer {
		t.Error("the inviter's secrets are not those of the guest in the other order")
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
