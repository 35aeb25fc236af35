// SPDX-License-Identifier: Apache-2.0

package reach_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/costream-obs/costream-obs/internal/reach"
)

func TestWayText(t *testing.T) {
	for _, test := range []struct {
		state reach.State
		want  string
	}{
		{reach.State{}, ""},
		{reach.State{Way: reach.WayDirect}, "directly"},
		{reach.State{Way: reach.WayOwnRouter}, "through a port that your router opened"},
		{reach.State{Way: reach.WayPeerRouter}, "through a port that your friend's router opened"},
		{reach.State{Way: reach.WayRelay, RelayHost: "turn.example.org"}, "through the relay turn.example.org"},
	} {
		if got := test.state.WayText(); got != test.want {
			t.Errorf("%q: got %q, want %q", test.state.Way, got, test.want)
		}
	}
}

// TestWhy is the table from what is known to what a person reads.
func TestWhy(t *testing.T) {
	const (
		forward  = "Forward UDP 5000 at one of you, use IPv6, or set a relay (docs/reach.md)."
		firewall = "Does a firewall on one of the two machines keep out UDP port 5000? Let it in, or set a relay (docs/reach.md)."
		theirs   = "Ask your friend which problem costream-obs shows there, and look at the log of the relay."
		noNote   = "Does your friend run costream-obs? It must run on both machines at the same time, with reach auto on both."
		blocked  = "Does this network block UDP? Then set a relay, which is reached over TCP and TLS as well (docs/reach.md)."
	)
	searched := reach.State{Auto: true, Port: 5000, Searched: time.Minute}
	met := searched
	met.Nodes, met.Note = 40, true
	with := func(s reach.State, change func(*reach.State)) reach.State {
		change(&s)
		return s
	}
	for _, test := range []struct {
		name  string
		state reach.State
		want  *reach.Finding
	}{
		{"only the peer may be asked", with(met, func(s *reach.State) { s.Auto = false }), nil},
		{"the peer is there", with(met, func(s *reach.State) { s.Way = reach.WayDirect }), nil},
		{"the search has just begun", with(met, func(s *reach.State) { s.Searched = time.Second }), nil},
		{"the relay has had no time", with(met, func(s *reach.State) { s.Searched, s.Relay = 9*time.Second, reach.RelayReady }), nil},
		{"the friend's relay has had no time", with(met, func(s *reach.State) { s.Searched, s.PeerRelay = 9*time.Second, true }), nil},
		{"no node answers", searched, &reach.Finding{
			What: "No node of BitTorrent's DHT answers, so your friend's address is not known.", Next: blocked}},
		{"no node answers, nor the relay", with(searched, func(s *reach.State) {
			s.Relay, s.RelayHost, s.RelayError = reach.RelayFailed, "turn.example.org", "wrong user or password"
		}), &reach.Finding{
			What: "The relay turn.example.org cannot be used: wrong user or password. No node of BitTorrent's DHT answers, so your friend's address is not known.",
			Next: "Does this network block UDP? Then the relay is needed: check host, port, user and password of the setting relay, and that the relay runs (docs/reach.md)."}},
		{"no note", with(searched, func(s *reach.State) { s.Nodes = 12 }), &reach.Finding{What: "Nobody has left a note.", Next: noNote}},
		{"no note, no router", with(searched, func(s *reach.State) { s.Nodes, s.Router = 12, reach.RouterNone }), &reach.Finding{
			What: "Your router opens no ports. Nobody has left a note.", Next: noNote}},
		{"a firewall", met, &reach.Finding{What: "Your friend has left a note, but nobody answers at its addresses.", Next: firewall}},
		{"no router, a firewall", with(met, func(s *reach.State) { s.Router, s.NAT, s.PeerNAT = reach.RouterNone, reach.NATSame, reach.NATSame }), &reach.Finding{
			What: "Your router opens no ports. Your friend has left a note, but nobody answers at its addresses.", Next: firewall}},
		{"a router that refuses", with(met, func(s *reach.State) { s.Router = reach.RouterRefuses }), &reach.Finding{
			What: "Your router refuses to open a port. Your friend has left a note, but nobody answers at its addresses.", Next: firewall}},
		{"both change ports", with(met, func(s *reach.State) { s.NAT, s.PeerNAT = reach.NATChanging, reach.NATChanging }), &reach.Finding{
			What: "Both networks change ports for each connection.", Next: forward}},
		{"CGNAT, both change ports", with(met, func(s *reach.State) {
			s.Router, s.NAT, s.PeerNAT = reach.RouterShared, reach.NATChanging, reach.NATChanging
		}), &reach.Finding{
			What: "Your provider shares one address among customers (CGNAT). Both networks change ports for each connection.", Next: forward}},
		{"ours changes ports", with(met, func(s *reach.State) { s.NAT, s.PeerNAT = reach.NATChanging, reach.NATSame }), &reach.Finding{
			What: "Your network changes ports for each connection, and your friend's lets in only answers.", Next: forward}},
		{"the friend's changes ports", with(met, func(s *reach.State) { s.NAT, s.PeerNAT = reach.NATSame, reach.NATChanging }), &reach.Finding{
			What: "Your friend's network changes ports for each connection, and yours lets in only answers.", Next: forward}},
		{"the friend's changes ports, our port is open", with(met, func(s *reach.State) {
			s.Router, s.PeerNAT = reach.RouterOpen, reach.NATChanging
		}), &reach.Finding{
			What: "Your friend has left a note, but nobody answers at its addresses, and one of the two networks changes ports for each connection.",
			Next: "Does a firewall on this machine keep out UDP port 5000? Let it in, or set a relay (docs/reach.md)."}},
		{"a relay that refuses", with(met, func(s *reach.State) {
			s.NAT, s.PeerNAT, s.Relay, s.RelayHost, s.RelayError = reach.NATChanging, reach.NATChanging, reach.RelayFailed, "turn.example.org", "wrong user or password"
		}), &reach.Finding{
			What: "The relay turn.example.org cannot be used: wrong user or password. Both networks change ports for each connection.", Next: forward}},
		{"a relay that is of no use", with(met, func(s *reach.State) {
			s.NAT, s.PeerNAT, s.Relay, s.RelayHost = reach.NATChanging, reach.NATChanging, reach.RelayReady, "turn.example.org"
		}), &reach.Finding{
			What: "Your friend has left a note, but nobody answers at its addresses, nor through the relay.", Next: theirs}},
		{"the friend's relay is of no use", with(met, func(s *reach.State) { s.NAT, s.PeerRelay = reach.NATChanging, true }), &reach.Finding{
			What: "Your friend has left a note, but nobody answers at its addresses, nor through the relay.", Next: theirs}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got *reach.Finding
			if f, ok := test.state.Why(); ok {
				got = &f
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
