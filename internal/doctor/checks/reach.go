// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"context"
	"fmt"
	"strings"

	"github.com/costream-obs/costream-obs/internal/doctor"
	"github.com/costream-obs/costream-obs/internal/reach"
)

// whyOthers is why somebody else than the peer is asked at all.
const whyOthers = "Where no port is open on either side, the two machines find each other only with that help."

// reached is what is known of the way to the peer. It returns false, with the result to show, where nothing is.
func (m *Machine) reached(ctx context.Context) (reach.State, doctor.Result, bool) {
	if r, skip := m.notPaired(); skip {
		return reach.State{}, r, false
	}
	state, err := m.Reached(ctx)
	switch {
	case err != nil:
		return reach.State{}, doctor.Skipped("%v", err), false
	case !state.Auto:
		return reach.State{}, doctor.Skipped("reach is direct, so nobody but the peer is asked; see --reach"), false
	}
	return state, doctor.Result{}, true
}

// nat is net.nat.
func (m *Machine) nat(ctx context.Context) doctor.Result {
	s, r, known := m.reached(ctx)
	if !known {
		return r
	}
	outer := strings.Join(s.Outer, ", ")
	switch s.NAT {
	case reach.NATNone:
		return doctor.Fine("this machine has the public address %s", outer)
	case reach.NATSame:
		return doctor.Fine("everybody sees it at %s", outer)
	case reach.NATChanging:
		if s.Router == reach.RouterOpen {
			return doctor.Fine("your network changes ports for each connection, but your router opens one")
		}
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("Your network changes ports for each connection (seen: %s).", outer),
			Why:  "Your friend's machine cannot know which port leads to yours, so the two connect only if your friend's port is open.",
			Next: fmt.Sprintf("Forward UDP %d at one of you, use IPv6, or set a relay (docs/reach.md).", s.Port)}
	}
	return doctor.Skipped("nobody has told how others see this machine")
}

// router is net.router.
func (m *Machine) router(ctx context.Context) doctor.Result {
	s, r, known := m.reached(ctx)
	if !known {
		return r
	}
	var detail, next string
	byHand := fmt.Sprintf("forward UDP %d to this machine there, or set a relay (docs/reach.md).", s.Port)
	switch s.Router {
	case reach.RouterOpen:
		return doctor.Fine("%s is open (%s)", strings.Join(s.Opened, ", "), s.Protocol)
	case reach.RouterUnknown:
		return doctor.Skipped("the router has not answered yet")
	case reach.RouterNone:
		detail, next = "Your router opens no ports.", "Switch on UPnP, NAT-PMP or PCP in your router's settings, "+byHand
	case reach.RouterRefuses:
		detail, next = "Your router refuses to open a port"+because(s.RouterError), "Look at UPnP, NAT-PMP or PCP in your router's settings, "+byHand
	case reach.RouterShared:
		detail, next = "Your provider shares one address among customers (CGNAT).", "Ask your provider for an address of your own or for IPv6, or set a relay (docs/reach.md)."
	}
	if s.NAT == reach.NATNone || s.NAT == reach.NATSame {
		return doctor.Fine("%s; your network does well without", strings.ToLower(detail[:1])+strings.TrimSuffix(detail[1:], "."))
	}
	return doctor.Result{Status: doctor.Fail, Detail: detail, Why: whyOthers, Next: next}
}

// because is a reason that somebody else gave, as the end of a sentence.
func because(reason string) string {
	if reason == "" {
		return "."
	}
	return ": " + strings.TrimSuffix(reason, ".") + "."
}

// meeting is net.meet.
func (m *Machine) meeting(ctx context.Context) doctor.Result {
	s, r, known := m.reached(ctx)
	switch {
	case !known:
		return r
	case s.Nodes == 0 && s.Way != "":
		return doctor.Skipped("it was not needed: the peer was found without it")
	case s.Nodes == 0:
		return doctor.Result{Status: doctor.Fail, Detail: "No node of BitTorrent's DHT answers.", Why: whyOthers,
			Next: "Does this network block UDP, or do the hosts of meet-nodes not exist any more? Set others, or a relay (docs/reach.md)."}
	case s.Note:
		return doctor.Fine("%d nodes answer, and your friend has left a note", s.Nodes)
	}
	return doctor.Fine("%d nodes answer; your friend has left no note yet", s.Nodes)
}

// What net.relay says where the relay cannot be used.
const (
	whyRelay  = "Where nothing else gets through, pictures and sound need it."
	nextRelay = "Check host, port, user and password of the setting relay, and that the relay runs (docs/reach.md)."
)

// relay is net.relay. It comes after a survey, which has waited for the relay's answer.
func (m *Machine) relay(ctx context.Context) doctor.Result {
	s, r, known := m.reached(ctx)
	if !known {
		return r
	}
	switch s.Relay {
	case reach.RelayReady:
		return doctor.Fine("%s", s.RelayHost)
	case reach.RelayFailed:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The relay %s cannot be used%s", s.RelayHost, because(s.RelayError)),
			Why: whyRelay, Next: nextRelay}
	case reach.RelayAsked:
		return doctor.Result{Status: doctor.Fail, Detail: fmt.Sprintf("The relay %s has not answered yet.", s.RelayHost), Why: whyRelay, Next: nextRelay}
	}
	return doctor.Skipped("no relay is configured, which most networks do not need")
}
