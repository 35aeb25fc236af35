// SPDX-License-Identifier: Apache-2.0

package reach

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Way is how packets get to the peer.
type Way string

// The ways.
const (
	WayDirect     Way = "direct"      // to an address of the peer's, which nobody had to open
	WayOwnRouter  Way = "own-router"  // through a port that our router opened
	WayPeerRouter Way = "peer-router" // through a port that the peer's router opened
	WayRelay      Way = "relay"       // through a relay that one of the two named
)

// RouterAnswer is what the own router said when it was asked for a port.
type RouterAnswer string

// The answers.
const (
	RouterUnknown RouterAnswer = ""        // not asked, or no answer yet
	RouterNone    RouterAnswer = "none"    // there is no router that can be asked
	RouterRefuses RouterAnswer = "refuses" // it can be asked, and says no
	RouterShared  RouterAnswer = "shared"  // its own address is none of the Internet's: a provider's or another router's
	RouterOpen    RouterAnswer = "open"    // the port is open
)

// NAT is what a network does to the port of what is sent to different addresses.
type NAT string

// The kinds.
const (
	NATUnknown  NAT = ""
	NATNone     NAT = "none"     // our own address is the one that others see
	NATSame     NAT = "same"     // everybody sees the same address and port
	NATChanging NAT = "changing" // another port for each address
)

// RelayAnswer is what the relay that we know said.
type RelayAnswer string

// The answers.
const (
	RelayNone   RelayAnswer = ""       // none is configured
	RelayAsked  RelayAnswer = "asked"  // no answer yet, or not asked yet
	RelayReady  RelayAnswer = "ready"  // we have an address there
	RelayFailed RelayAnswer = "failed" // it does not answer, or refuses
)

// State is what is known of the way to the peer. It holds no secret.
type State struct {
	// Auto is false where nobody but the peer is asked; the rest but Way and At is then zero.
	Auto bool `json:"auto"`
	// Port is the UDP port of this machine.
	Port int `json:"port"`

	// Way is the way in use, and empty while the peer is not there. At is the peer's address on it, and RelayHost the host
	// name or address of the relay.
	Way       Way            `json:"way,omitempty"`
	At        netip.AddrPort `json:"at,omitzero"`
	RelayHost string         `json:"relay_host,omitempty"`

	// Searched is how long the peer has been looked for in vain.
	Searched time.Duration `json:"searched,omitempty"`

	Router   RouterAnswer `json:"router,omitempty"`
	Protocol string       `json:"protocol,omitempty"` // by which the router was asked
	Opened   []string     `json:"opened,omitempty"`   // addresses at which the router lets packets in
	// RouterError is what the router said, or why it cannot be asked.
	RouterError string `json:"router_error,omitempty"`

	NAT   NAT      `json:"nat,omitempty"`
	Outer []string `json:"outer,omitempty"` // our addresses as others see them

	// Nodes is how many nodes of the DHT answered. Note tells whether the peer has left a note there, and PeerNAT and
	// PeerRelay what it says.
	Nodes     int  `json:"nodes"`
	Left      bool `json:"left"` // our own note is there
	Note      bool `json:"note"`
	PeerNAT   NAT  `json:"peer_nat,omitempty"`
	PeerRelay bool `json:"peer_relay,omitempty"`

	Relay      RelayAnswer `json:"relay,omitempty"`
	RelayError string      `json:"relay_error,omitempty"`
}

// WayText says which way is in use, as the end of a sentence. It is empty while the peer is not there.
func (s State) WayText() string {
	switch s.Way {
	case WayDirect:
		return "directly"
	case WayOwnRouter:
		return "through a port that your router opened"
	case WayPeerRouter:
		return "through a port that your friend's router opened"
	case WayRelay:
		return "through the relay " + s.RelayHost
	}
	return ""
}

// A Finding is why the peer is not there, in sentences for the user.
type Finding struct {
	What string // was tried, and what came of it
	Next string // what would help
}

// searchedEnough is how long the search goes on before its lack of success says something, and relayedEnough where there is a
// relay, which is taken only after some seconds.
const (
	searchedEnough = 6 * time.Second
	relayedEnough  = 10 * time.Second
)

// Why says why the peer is not there, and what would help. It returns false while that is not known: the peer is there, or
// the search has just begun, or only the peer may be asked, who does not answer.
func (s State) Why() (Finding, bool) {
	enough := searchedEnough
	if s.Relay == RelayReady || s.PeerRelay {
		enough = relayedEnough
	}
	if !s.Auto || s.Way != "" || s.Searched < enough {
		return Finding{}, false
	}
	f := s.verdict()
	f.What = join(s.routerText(), s.relayText(), f.What)
	return f, true
}

// routerText says what came of asking the own router.
func (s State) routerText() string {
	switch s.Router {
	case RouterNone:
		return "Your router opens no ports."
	case RouterRefuses:
		return "Your router refuses to open a port."
	case RouterShared:
		return "Your provider shares one address among customers (CGNAT)."
	}
	return ""
}

// relayText says what came of asking the relay, where that went wrong.
func (s State) relayText() string {
	if s.Relay != RelayFailed {
		return ""
	}
	return fmt.Sprintf("The relay %s cannot be used: %s.", s.RelayHost, strings.TrimSuffix(s.RelayError, "."))
}

// RelayProblem is why the relay of the settings cannot be used, or nil.
func (s State) RelayProblem() error {
	if s.Relay != RelayFailed {
		return nil
	}
	return fmt.Errorf("%s cannot be used: %s; check the setting relay, and that the relay runs", s.RelayHost, strings.TrimSuffix(s.RelayError, "."))
}

// verdict is the fault that counts.
func (s State) verdict() Finding {
	forward := fmt.Sprintf("Forward UDP %d at one of you, use IPv6, or set a relay (docs/reach.md).", s.Port)
	relayed := s.Relay == RelayReady || s.PeerRelay
	changing := s.NAT == NATChanging || s.PeerNAT == NATChanging
	switch {
	case s.Nodes == 0 && s.Relay == RelayFailed:
		return Finding{"No node of BitTorrent's DHT answers, so your friend's address is not known.",
			"Does this network block UDP? Then the relay is needed: check host, port, user and password of the setting relay, and that the relay runs (docs/reach.md)."}
	case s.Nodes == 0:
		return Finding{"No node of BitTorrent's DHT answers, so your friend's address is not known.",
			"Does this network block UDP? Then set a relay, which is reached over TCP and TLS as well (docs/reach.md)."}
	case !s.Note:
		return Finding{"Nobody has left a note.",
			"Does your friend run costream-obs? It must run on both machines at the same time, with reach auto on both."}
	case changing && s.Router == RouterOpen:
		return Finding{"Your friend has left a note, but nobody answers at its addresses, and one of the two networks changes ports for each connection.",
			fmt.Sprintf("Does a firewall on this machine keep out UDP port %d? Let it in, or set a relay (docs/reach.md).", s.Port)}
	case s.NAT == NATChanging && s.PeerNAT == NATChanging && !relayed:
		return Finding{"Both networks change ports for each connection.", forward}
	case s.NAT == NATChanging && !relayed:
		return Finding{"Your network changes ports for each connection, and your friend's lets in only answers.", forward}
	case s.PeerNAT == NATChanging && !relayed:
		return Finding{"Your friend's network changes ports for each connection, and yours lets in only answers.", forward}
	case relayed:
		return Finding{"Your friend has left a note, but nobody answers at its addresses, nor through the relay.",
			"Ask your friend which problem costream-obs shows there, and look at the log of the relay."}
	}
	return Finding{"Your friend has left a note, but nobody answers at its addresses.",
		fmt.Sprintf("Does a firewall on one of the two machines keep out UDP port %d? Let it in, or set a relay (docs/reach.md).", s.Port)}
}

// join puts a blank between the sentences that there are.
func join(sentences ...string) string {
	var there []string
	for _, s := range sentences {
		if s != "" {
			there = append(there, s)
		}
	}
	return strings.Join(there, " ")
}
