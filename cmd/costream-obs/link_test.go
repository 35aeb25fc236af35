// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/costream-obs/costream-obs/internal/companion"
	"github.com/costream-obs/costream-obs/internal/config"
	"github.com/costream-obs/costream-obs/internal/pairing"
	"github.com/costream-obs/costream-obs/media/link"
	"github.com/costream-obs/costream-obs/obsctl"
)

// TestChoosePair holds above all that nothing but --link plain makes a paired machine send without encryption.
func TestChoosePair(t *testing.T) {
	paired := func(role pairing.Role, addresses ...string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			invite, err := pairing.NewInvite(addresses)
			if err != nil {
				t.Fatal(err)
			}
			if err := pairing.Save(path, &pairing.Pair{Role: role, Invite: invite}); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := func(t *testing.T, path string) {
		paired(pairing.Guest, "bob.example:5000")(t, path)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	broken := func(t *testing.T, path string) {
		paired(pairing.Guest)(t, path)
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	agreed := func(t *testing.T, path string) {
		invite, err := pairing.NewInvite(nil)
		if err != nil {
			t.Fatal(err)
		}
		invite.Auto = true
		if err := pairing.Save(path, &pairing.Pair{Role: pairing.Guest, Invite: invite, Auto: true}); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(*testing.T, string) {}
	for _, test := range []struct {
		name       string
		prepare    func(*testing.T, string)
		link, peer string
		secure     bool
		err        string // part of the error's text
	}{
		{"not paired", nothing, linkAuto, "bob.example", false, ""},
		{"not paired, no peer", nothing, linkAuto, "", false, companion.ErrNoPeer.Error()},
		{"not paired, must be secure", nothing, linkSecure, "bob.example", false, "not paired yet"},
		{"inviter", paired(pairing.Inviter), linkAuto, "", true, ""},
		{"guest", paired(pairing.Guest, "bob.example:5000"), linkAuto, "", true, ""},
		{"guest without an address", paired(pairing.Guest), linkAuto, "", false, "--peer"},
		{"guest without an address, both agreed", agreed, linkAuto, "", true, ""},
		{"guest who was told an address", paired(pairing.Guest), linkSecure, "bob.example", true, ""},
		{"paired, plain", paired(pairing.Guest, "bob.example:5000"), linkPlain, "bob.example", false, ""},
		{"paired, plain, no peer", paired(pairing.Guest, "bob.example:5000"), linkPlain, "", false, companion.ErrNoPeer.Error()},
		{"secret open to others", open, linkAuto, "bob.example", false, "chmod 600"},
		{"secret damaged", broken, linkAuto, "bob.example", false, "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			isolate(t)
			path := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "costream-obs", "pair.json")
			test.prepare(t, path)
			pair, err := choosePair(&config.Config{Link: test.link, Peer: test.peer})
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("got error %v, want %q", err, test.err)
			}
			if (pair != nil) != test.secure {
				t.Errorf("got pair %v, want one: %v", pair != nil, test.secure)
			}
		})
	}
}

// TestFindPeer makes the link that run would, and lets it go.
func TestFindPeer(t *testing.T) {
	isolate(t)
	invite, err := pairing.NewInvite([]string{"alice.example:6000"})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := findPeer(&config.Config{Peer: "192.0.2.1", Listen: "127.0.0.1", BasePort: 0}, &pairing.Pair{Role: pairing.Guest, Invite: invite}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := peer.Link(link.Handler{})
	var taken *link.PortError
	if errors.As(err, &taken) {
		t.Skip(err) // port 5000, the default
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestMayReach(t *testing.T) {
	for _, test := range []struct {
		reach         string
		inviter, ours bool
		want          bool
	}{
		{"", false, false, false}, {"", true, false, false}, {"", false, true, false}, {"", true, true, true},
		{"auto", false, false, true}, {"direct", true, true, false},
	} {
		got := mayReach(&config.Config{Reach: test.reach}, &pairing.Pair{Role: pairing.Guest, Invite: pairing.Invite{Auto: test.inviter}, Auto: test.ours})
		if got != test.want {
			t.Errorf("reach %q, the inviter said %t, we said %t: got %t, want %t", test.reach, test.inviter, test.ours, got, test.want)
		}
	}
}

// TestUnusedRelay: a relay that would be ignored is told.
func TestUnusedRelay(t *testing.T) {
	relay := obsctl.Secret("turn:me:secret@relay.example")
	agreed := &pairing.Pair{Auto: true, Invite: pairing.Invite{Auto: true}}
	for _, tt := range []struct {
		name   string
		config config.Config
		pair   *pairing.Pair
		want   string
	}{
		{"no relay", config.Config{Reach: reachDirect}, agreed, ""},
		{"the plain link", config.Config{Relay: &relay}, nil, "only the secure link has one"},
		{"told to be direct", config.Config{Relay: &relay, Reach: reachDirect}, agreed, "reach is direct"},
		{"somebody said no", config.Config{Relay: &relay}, new(pairing.Pair), "reach is direct"},
		{"both said yes", config.Config{Relay: &relay}, agreed, ""},
		{"told to ask others", config.Config{Relay: &relay, Reach: reachAuto}, new(pairing.Pair), ""},
	} {
		got := unusedRelay(&tt.config, tt.pair)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: got %q, want one with %q", tt.name, got, tt.want)
		}
	}
}

// TestRunTellsUnusedRelay: run says so at its start.
func TestRunTellsUnusedRelay(t *testing.T) {
	home := isolate(t)
	taken := filepath.Join(home, "file")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COSTREAM_RELAY", "turn:me:secret@relay.example")
	// It ends at once, because it cannot record.
	got := runCLI(t.Context(), "run", "--link=plain", "--peer=192.0.2.1", "--record-peer="+taken)
	if !strings.Contains(got.Stderr, "costream-obs run: the relay is not used, because only the secure link has one") || strings.Contains(got.Stderr, "secret") {
		t.Errorf("got %+v", got)
	}
}
